"""What the queue of a large network costs: models of requests, waits and absences, beyond staging.

The requests are those of a city, written to raw as one load of each index would leave them, without
HTTP. Two sizes tell how the cost grows.
"""

from __future__ import annotations

import math
import os
import secrets
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import click
import duckdb
from rich.console import Console
from rich.table import Table

from mapa import warehouse
from mapa.dbt import run_dbt
from mapa.settings import Settings
from mapa_city import city
from mapa_city.bench.cost import Cost, measure
from mapa_city.doors import documents

REFERENCE = date(2026, 6, 30)
DAYS, REQUESTS_EACH = 400, 1.87
"""Days that the city lives, and requests that a person makes in them and in the backlog."""

LIMIT_MB, MEMORY = 2048, "1400MB"
"""Peak memory that the models may reach with all else, and what DuckDB gets of it."""

LIMIT_CPU = 60
"""CPU seconds for a million requests, beyond staging."""

QUEUE = " ".join(f"+path:models/marts/{theme}" for theme in ("fila", "espera", "absenteismo"))
INDICES = {"solicitacao_ambulatorial": "solicitacao", "marcacao_ambulatorial": "marcacao"}


def make_raw(settings: Settings, people: int) -> int:
    """Write the raw rows of a city's queue and registry; return how many requests there are."""
    made = city.build(people, DAYS, 1, REFERENCE)
    store = settings.mapa_dir / "store.duckdb"
    # A million requests need more than a city may use elsewhere; this process ends with them.
    documents.CONFIG["memory_limit"] = "8GB"
    documents.build(made, store)
    requests = int(made.requests.num_rows)
    del made
    with warehouse.connect(settings.warehouse) as con:
        con.execute(f"attach '{store}' as store (read_only)")
        con.execute("set variable seen = timestamp '2026-07-01 00:05:00'")
        for order, (raw, index) in enumerate(INDICES.items(), start=1):
            _load(con, f"bruto_sisreg.{raw}", index, order, list(_columns(con, raw, index)))
        people_sql = {
            "bruto_cadsus.pessoa": "master as id_pessoa, name as nome, mother as nome_mae, "
            "birth_date as data_nascimento, sex as sexo, race as raca_cor, cpf, "
            "death_date as data_obito, city as res_ibge, bairro as res_bairro, cep as res_cep",
            "bruto_cadsus.cns": "master as id_pessoa, cns, if(is_main, 'D', 'P') as tipo",
        }
        for raw, columns in people_sql.items():
            where = "registered where is_main" if raw.endswith("pessoa") else "registered"
            _load(con, raw, where, len(INDICES) + 1, [columns])
    store.unlink()
    return requests


def _columns(con: duckdb.DuckDBPyConnection, raw: str, index: str) -> Iterator[str]:
    """Yield what each column of raw gets from the store: all texts, clocks with a false Z."""

    def of(table: str) -> dict[str, str]:
        return {row[0]: row[1] for row in con.execute(f"describe {table}").fetchall()}

    has = of(f"store.{index}")
    for name, kind in of(f"bruto_sisreg.{raw}").items():
        if name not in has or name.startswith("_"):
            continue
        if has[name].startswith("TIMESTAMP"):
            yield f"strftime({name}, '%Y-%m-%dT%H:%M:%S.%gZ') as {name}"
        elif has[name] == "JSON":
            yield f"{name} ->> '$' as {name}"
        elif kind.startswith("STRUCT"):
            fields = [part.split()[0].strip('"') for part in kind[len("STRUCT(") :].split(", ")]
            packed = ", ".join(f"{field} := item.{field}" for field in fields)
            yield f"[struct_pack({packed}) for item in {name}] as {name}"
        else:
            yield f"cast({name} as varchar) as {name}"


def _load(
    con: duckdb.DuckDBPyConnection, raw: str, source: str, order: int, columns: list[str]
) -> None:
    """Write one raw table and the load that brought it."""
    load = raw.replace(".", "-")
    con.execute(
        f"insert into {raw} by name select {', '.join(columns)}, '{load}' as _carga_id, "
        f"'banco' as _arquivo, row_number() over () as _linha, "
        f"getvariable('seen') as _carregado_em, {order} as _carga_ordem, 0 as _hash "
        f"from store.{source}"
    )
    con.execute(
        "insert into controle.cargas (carga_id, fonte, entidade, origem, janela_fim, iniciada_em, "
        "terminada_em, versao_codigo, resultado, ordem, qtd_carregadas) select $1, $2, $3, "
        "'banco', getvariable('seen'), getvariable('seen'), getvariable('seen'), '-', "
        "'completa', $4, "
        f"count(*) from {raw}",
        [load, "sisreg" if "sisreg" in raw else "cadsus", raw.split(".")[1], order],
    )


def build(settings: Settings, select: str, exclude: str) -> int:
    """Run models with dbt, with little memory; return how many requests are known."""
    profile = (settings.dbt_project_dir / "profiles.yml.example").read_text()
    (settings.mapa_dir / "profiles.yml").write_text(profile.replace("3GB", MEMORY))
    os.environ["DBT_PROFILES_DIR"] = str(settings.mapa_dir)
    chosen = ["--select", *select.split(), *(["--exclude", exclude] if exclude else [])]
    kinds = [argument for kind in ("model", "seed") for argument in ("--resource-type", kind)]
    pinned = ["--vars", f"data_referencia: {REFERENCE}"]
    run_dbt(settings, "build", *kinds, *chosen, *pinned, title="dbt build")
    with warehouse.opened(settings.warehouse, read_only=True) as con:
        row = con.execute(
            "select count(*) from staging.stg_sisreg__solicitacoes_ambulatoriais"
        ).fetchone()
    return int(row[0]) if row else 0


def compare(requests: int) -> dict[str, Cost]:
    """Return what each step costs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if Settings.load().mapa_pseudonym_key is None:
            os.environ["MAPA_PSEUDONYM_KEY"] = secrets.token_hex(32)
        os.environ["MAPA_DIR"] = str(folder)
        settings = Settings.load().model_copy(
            update={"dbt_target_path": folder / "target", "dbt_log_path": folder / "logs"}
        )
        people = round(requests / REQUESTS_EACH)
        return {
            "the city and its raw rows": measure(make_raw, settings, people),
            "staging (dbt)": measure(build, settings, "path:models/staging", ""),
            "queue, waits, absences (dbt)": measure(build, settings, QUEUE, "path:models/staging"),
        }


@click.command()
@click.option(
    "--requests",
    default=1_000_000,
    show_default=True,
    type=click.IntRange(10_000),
    help="Requests of the larger of two cities, about; the other has a quarter.",
)
def main(requests: int) -> None:
    """Measure the models of the queue at two sizes.

    A step that passes the bound on memory is an error.
    """
    shown = Table(title="The queue, with DuckDB held to " + MEMORY, title_justify="left")
    for name in ("step", "requests", "CPU s", "CPU s per million", "wall s", "peak MB"):
        shown.add_column(name, justify="left" if name == "step" else "right")
    sizes = [requests // 4, requests]
    found = [compare(size) for size in sizes]
    for costs in found:
        for step, cost in costs.items():
            shown.add_row(
                *(step, str(cost.count), f"{cost.cpu:.1f}", f"{cost.per_million:.1f}"),
                *(f"{cost.wall:.0f}", f"{cost.rss:.0f}"),
            )
        shown.add_section()
    Console(width=100).print(shown)
    small, large = (list(costs.values())[-1] for costs in found)
    growth = math.log(large.cpu / small.cpu) / math.log(large.count / small.count)
    click.echo(f"Growth exponent of the queue's models: {growth:.2f}")
    click.echo(f"CPU for a million requests: {large.per_million:.0f} s; the goal is {LIMIT_CPU}.")
    if any(cost.rss > LIMIT_MB for costs in found for cost in list(costs.values())[1:]):
        raise click.ClickException(f"A step reached more than {LIMIT_MB} MB.")
