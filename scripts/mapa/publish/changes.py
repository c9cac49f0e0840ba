"""What a release says otherwise than the one before: each number, both values, by which loads.

Of numbers only published files are read, so that nothing here is less public than they are. Which
loads came in between stands in the log that each version keeps (`mudancas.json`): its first entry
is its own, those of the versions before follow.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import duckdb

from mapa.publish import gate, store
from mapa.publish.contents import NOT_CONTENT
from mapa.sql import literal, quoted

HEADER = ("tabela", "chave", "coluna", "antes", "depois", "diferenca", "cargas")
ENTRIES = 400
"""Versions that the log tells of: a year of nights."""
POINT = re.compile(r"(-?\d+)\.(\d+(?:e[+-]?\d+)?)$")


@dataclass(frozen=True)
class Change:
    """A cell that two releases tell otherwise; a row that one of them lacks changes every cell.

    Attributes:
        table: published table.
        key: of the row, as `column=value` in the order of the primary key.
        column: that changed.
        before, after: its values; None where it is null or has no row.

    """

    table: str
    key: str
    column: str
    before: Any
    after: Any

    @property
    def difference(self) -> Decimal | None:
        """Return by how much a number changed; None where one side is no number."""
        try:
            return Decimal(self.after) - Decimal(self.before)
        except (TypeError, InvalidOperation):
            return None


@dataclass(frozen=True)
class Load:
    """A load that brought rows to a source.

    Attributes:
        carga: its id.
        ordem: its number; later loads have greater ones.
        fonte, entidade: what was read.
        vista_em: what the source knew by then, by the source's clock where it has one.
        linhas: how many rows it brought to the sources of a table.

    """

    carga: str
    ordem: int
    fonte: str
    entidade: str
    vista_em: str
    linhas: int


@dataclass(frozen=True)
class Arrivals:
    """Up to which load each table knows, and which came since the version before.

    Attributes:
        orders: number of the newest load that a table's build knew; None: not known.
        loads: what came to the sources of a table; None where it is not known since when.

    """

    orders: Mapping[str, int | None]
    loads: Mapping[str, tuple[Load, ...] | None]


def arrivals(
    con: duckdb.DuckDBPyConnection, build: gate.Build, before: Mapping[str, Any]
) -> Arrivals:
    """Find out which loads came to the sources of each table since a version.

    Args:
        con: the warehouse.
        build: what dbt made.
        before: manifest of the version before; empty: there is none.
    """
    made = {table: order for table, (_, order) in gate.built(con).items()}
    known = before.get("newest_loads", {})
    fresh = {table.name for table in build.fresh}
    orders = {
        table.name: made.get(table.name) if table.name in fresh else known.get(table.name)
        for table in build.tables
    }
    since = {name: order for name, order in known.items() if order is not None}
    of_source = _rows_of_loads(con, build, min(since.values(), default=None))
    loads: dict[str, tuple[Load, ...] | None] = dict.fromkeys(orders)
    for name in loads.keys() & since.keys():
        own = [load for source in build.sources_of(name) for load in of_source.get(source, ())]
        rows = Counter[str]()
        for load in own:
            rows[load.carga] += load.linhas
        found = {
            load.carga: load for load in own if since[name] < load.ordem <= (orders[name] or 0)
        }
        loads[name] = tuple(
            replace(load, linhas=rows[load.carga])
            for load in sorted(found.values(), key=lambda load: load.ordem)
        )
    return Arrivals(orders, loads)


def _rows_of_loads(
    con: duckdb.DuckDBPyConnection, build: gate.Build, since: int | None
) -> dict[str, list[Load]]:
    """Return the loads after a number that brought rows to each source, by its id in dbt."""
    if since is None:
        return {}
    standing = set(con.execute("select schema_name, table_name from duckdb_tables()").fetchall())
    found = {}
    for source, node in build.manifest["sources"].items():
        place = (node["schema"], node["name"])
        if place not in standing or node["source_name"] == "controle":
            continue
        rows = con.execute(
            "select c.carga_id, c.ordem, c.fonte, c.entidade, "
            "cast(coalesce(c.janela_fim, c.iniciada_em) as varchar), count(*) "
            f"from {'.'.join(map(quoted, place))} as r "
            "inner join controle.cargas as c on r._carga_id = c.carga_id "
            "where c.ordem > $1 and c.resultado = 'completa' group by all",
            [since],
        ).fetchall()
        found[source] = [Load(*row) for row in rows]
    return found


def write(folder: Path, manifest: Mapping[str, Any], now: Path | None, arrived: Arrivals) -> None:
    """Write what a version says otherwise than the current one: each cell, and the log.

    Args:
        folder: the version that is being prepared; its database stands.
        manifest: what it says of itself.
        now: folder of the current version, None when it is the first.
        arrived: what came in between.
    """
    count: Counter[str] = Counter()
    with (folder / store.CHANGES).open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file, delimiter=";", lineterminator="\n")
        table.writerow(HEADER)
        if now:
            for change in _changes(now / store.DATABASE, folder / store.DATABASE):
                count[change.table] += 1
                loads = [load.carga for load in arrived.loads.get(change.table) or ()]
                table.writerow(map(_said, cells(change, loads)))
    told = _manifest(now)
    entry = {
        "versao": manifest["version"],
        "anterior": told.get("version"),
        "data_referencia": manifest["data_referencia"],
        "data_referencia_anterior": told.get("data_referencia"),
        "programa": manifest["code_version"],
        "programa_anterior": told.get("code_version"),
        "tabelas": [_entry(name, count[name], arrived.loads.get(name)) for name in sorted(count)],
    }
    log = [entry, *_log(now)][:ENTRIES]
    text = json.dumps({"versoes": log}, ensure_ascii=False, indent=2)
    (folder / store.LOG).write_text(text + "\n", encoding="utf-8")


def _entry(name: str, count: int, loads: Iterable[Load] | None) -> dict[str, Any]:
    known = None if loads is None else [asdict(load) for load in loads]
    return {"tabela": name, "mudancas": count, "cargas": known}


def cells(change: Change, loads: Iterable[str]) -> tuple[Any, ...]:
    """Return a change as a row of `HEADER`."""
    difference = change.difference
    return (
        change.table,
        change.key,
        change.column,
        change.before,
        change.after,
        None if difference is None else f"{difference:f}",
        " ".join(loads),
    )


def _said(cell: Any) -> Any:
    """Write a number as the other CSV files do, with a comma."""
    return POINT.sub(r"\1,\2", cell) if isinstance(cell, str) else cell


def _manifest(version: Path | None) -> dict[str, Any]:
    return _json(version / store.MANIFEST) if version else {}


def _log(version: Path | None) -> list[dict[str, Any]]:
    return _json(version / store.LOG).get("versoes", []) if version else []


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {}
    return found


def loads_between(published: Path, older: str) -> dict[str, list[dict[str, Any]] | None]:
    """Return the loads that came to each table that changed between a version and the current one.

    Args:
        published: folder of the versions.
        older: name of the older version.

    Returns:
        Of each table the loads as the log tells them, in their order; None: not known.
    """
    now = store.current(published)
    found: dict[str, dict[str, dict[str, Any]] | None] = {}
    for entry in _log(now):
        if not now or not older < entry["versao"] <= now.name:
            continue
        for table in entry["tabelas"]:
            known = found.setdefault(table["tabela"], {})
            if known is None or table["cargas"] is None:
                found[table["tabela"]] = None
            else:
                known |= {load["carga"]: load for load in table["cargas"]}
    return {
        name: None if loads is None else sorted(loads.values(), key=lambda load: load["ordem"])
        for name, loads in found.items()
    }


def between(published: Path) -> tuple[str, str, Iterator[Change]]:
    """Compare the current version with the one that came before it.

    Returns:
        Names of both versions, the older first, and what changed, by table, key and column.

    Raises:
        PublishError: there is no version before.
    """
    old, new = store.before_current(published)
    return old.name, new.name, _changes(old / store.DATABASE, new / store.DATABASE)


def _changes(old: Path, new: Path) -> Iterator[Change]:
    with duckdb.connect() as con:
        for name, path in (("antes", old), ("depois", new)):
            con.execute(f"attach {literal(str(path))} as {name} (read_only)")
        told = {side: _tables(con, side) for side in ("antes", "depois")}
        for table in sorted(told["antes"].keys() | told["depois"].keys()):
            yield from _of_table(con, table, *(told[side].get(table) for side in told))


def _tables(con: duckdb.DuckDBPyConnection, database: str) -> dict[str, dict[str, bool]]:
    """Return the columns of each table, and which of them are its key."""
    keys = {
        (table, column)
        for table, columns in con.execute(
            "select table_name, constraint_column_names from duckdb_constraints() "
            "where database_name = $1 and constraint_type = 'PRIMARY KEY'",
            [database],
        ).fetchall()
        for column in columns
    }
    found: dict[str, dict[str, bool]] = {}
    for table, column in con.execute(
        "select table_name, column_name from duckdb_columns() where database_name = $1 "
        "order by table_name, column_index",
        [database],
    ).fetchall():
        if column not in NOT_CONTENT:
            found.setdefault(table, {})[column] = (table, column) in keys
    return found


def _of_table(
    con: duckdb.DuckDBPyConnection,
    table: str,
    old: dict[str, bool] | None,
    new: dict[str, bool] | None,
) -> Iterator[Change]:
    columns = {**(old or {}), **(new or {})}
    keys = [name for name, is_key in columns.items() if is_key]
    if not keys or (old and new and any(old.get(k) is not new.get(k) for k in keys)):
        # Rows that nothing names are counted, not matched.
        counts = [
            con.execute(f"select count(*) from {side}.{quoted(table)}").fetchall()[0][0]
            if has
            else None
            for side, has in (("antes", old), ("depois", new))
        ]
        if counts[0] != counts[1]:
            yield Change(table, "", "linhas", *counts)
        return
    sides = []
    for side, has in (("antes", old), ("depois", new)):
        cells = ", ".join(
            f"cast({quoted(name) if has and name in has else 'null'} as varchar) as {quoted(name)}"
            for name in columns
        )
        source = f"{side}.{quoted(table)}" if has else "(select 1 where false)"
        sides.append(f"(select {cells} from {source})")
    values = [name for name in columns if name not in keys]
    if not values:
        return
    key = " || '; ' || ".join(f"{literal(k + '=')} || coalesce({quoted(k)}, '')" for k in keys)
    pairs = ", ".join(
        f"{{'c': {literal(v)}, 'a': a.{quoted(v)}, 'd': d.{quoted(v)}}}" for v in values
    )
    rows = con.execute(
        f"select chave, p.c, p.a, p.d from (select {key} as chave, unnest([{pairs}]) as p "
        f"from {sides[0]} as a full join {sides[1]} as d using ({', '.join(map(quoted, keys))})) "
        "where p.a is distinct from p.d order by all"
    )
    while batch := rows.fetchmany(10_000):
        for found in batch:
            yield Change(table, *found)
