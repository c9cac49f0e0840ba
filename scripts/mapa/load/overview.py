"""What the warehouse holds and since when: the data behind `mapa status`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import orjson

from mapa import layouts
from mapa.errors import ConfigError
from mapa.load import freshness
from mapa.settings import Settings

LAST_LOADS = 15


def without_warehouse(settings: Settings) -> dict[str, Any]:
    """Return the sections of the status that do not need the warehouse."""
    return {
        "published": _published(settings.published),
        "verdict": freshness.verdict(settings, None),
    }


def overview(con: duckdb.DuckDBPyConnection, settings: Settings) -> dict[str, Any]:
    """Return the sections of the status: lists of rows with the same keys, and the verdict.

    Raises:
        ConfigError: the warehouse has never been loaded.
    """
    # An older version of this program may have made the warehouse, or dbt alone.
    present = {
        name
        for (name,) in con.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
        ).fetchall()
    }
    if "controle.cargas" not in present:
        raise ConfigError(
            f"{settings.warehouse} holds nothing yet. Load something first; see\n  mapa load --help"
        )
    return {
        "loads": _rows(con, _LOADS.format(order=_order(con))),
        "tables": [
            _table(con, layout.table, layout.key_text())
            for layout in layouts.every()
            if layout.table in present
        ],
        "watermarks": _rows(con, _WATERMARKS.format(scope=_scope(con))),
        "unknown_fields": _rows(con, _UNKNOWN),
        "drift": _rows(con, _DRIFT) if "controle.campos" in present else [],
        "absences": _rows(con, _ABSENCES.format(order=_order(con))),
        "corrections": _rows(con, _CORRECTIONS) if "controle.correcoes" in present else [],
        "published": _published(settings.published),
        "verdict": freshness.verdict(settings, con),
    }


_LOADS = f"""
    select
        carga_id as load, fonte as source, entidade as entity, origem as origin,
        resultado as outcome, terminada_em as finished_at, janela_inicio as since,
        janela_fim as until, bytes_recebidos as bytes, qtd_recebidas as received,
        qtd_carregadas as loaded, qtd_identicas as identical, qtd_rejeitadas as rejected,
        qtd_novas_tentativas as retries,
        round(date_diff('millisecond', iniciada_em, terminada_em) / 1000, 1) as seconds,
        sha256, versao_codigo as version, mensagem as message
    from controle.cargas order by {{order}} desc limit {LAST_LOADS}
"""
_WATERMARKS = """
    select fonte as source, entidade as entity, {scope} as scope, marca as read_until,
        carga_id as load
    from controle.marcas order by all
"""
_UNKNOWN = """
    select tabela as "table", campo as field, visto_em as first_seen, carga_id as load
    from controle.campos_desconhecidos order by visto_em, tabela, campo
"""
_DRIFT = """
    select registrado_em as "when", fonte as source, entidade as entity, campo as field,
        evento as change, detalhe as detail, recusada as refused, carga_id as load
    from controle.campos where evento <> 'conhecido' order by all
"""
_ABSENCES = """
    with eventos as (
        select a.tabela, a.chave, arg_max(a.evento, c.{order}) as evento,
            max(a.registrado_em) as registrado_em
        from controle.ausencias as a inner join controle.cargas as c using (carga_id)
        group by a.tabela, a.chave
    )
    select tabela as "table", count(*) filter (where evento = 'ausente') as vanished,
        max(registrado_em) as last_change
    from eventos group by tabela order by tabela
"""


_CORRECTIONS = """
    select carga_id as load, janela_fim_antes as until_before, janela_fim as until,
        marca_antes as read_until_before, marca as read_until, motivo as reason,
        corrigida_em as "when"
    from controle.correcoes order by rowid
"""


def _scope(con: duckdb.DuckDBPyConnection) -> str:
    """Return SQL for the scope of a watermark, which warehouses of before lack."""
    return "escopo" if _has(con, "marcas", "escopo") else "cast(null as varchar)"


def _order(con: duckdb.DuckDBPyConnection) -> str:
    """Return SQL for the order of a load, which warehouses of before have as an instant only."""
    return "ordem" if _has(con, "cargas", "ordem") else "iniciada_em"


def _has(con: duckdb.DuckDBPyConnection, table: str, column: str) -> bool:
    row = con.execute(
        "select count(*) from duckdb_columns() where schema_name = 'controle' "
        "and table_name = $1 and column_name = $2",
        [table, column],
    ).fetchone()
    return bool(row and row[0])


def _table(con: duckdb.DuckDBPyConnection, table: str, key: str) -> dict[str, Any]:
    (row,) = _rows(
        con,
        f"select '{table}' as \"table\", count(distinct {key}) as records, count(*) as versions, "
        f"max(_carregado_em) as newest from {table}",
    )
    return row


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    cursor = con.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _published(folder: Path) -> list[dict[str, Any]]:
    """Return the versions on disk, newest first, with what their manifests say of them."""
    manifests = sorted(folder.glob("versions/[!.]*/manifest.json"), reverse=True)
    current = (folder / "current").resolve()
    return [
        {
            "version": path.parent.name,
            "current": path.parent.resolve() == current,
            **{name: content.get(name) for name in ("data_referencia", "created_at")},
        }
        for path in manifests
        for content in [orjson.loads(path.read_bytes())]
    ]
