"""What Spark wrote beside what DuckDB built: every cell of every table and view.

Whole numbers, decimals, dates and texts are equal or they differ. Of doubles the last digits may
differ, because the engines add up in another order: up to `TOLERANCE` of the greater one, or of 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import duckdb

from mapa.sql import literal, quoted

TOLERANCE = 1e-9
DATABASE = "mapa"
IGNORED = {"construcao_id"}
"""Columns that say which build made a row."""
KINDS = {
    r"(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL\(\d+,0\)": "whole number",
    r"DECIMAL\(\d+,\d+\)": "decimal",
    r"TIMESTAMP( WITH TIME ZONE)?": "instant",
}
"""Types of the engines that are one kind; another type is a kind of its own."""


def differences(
    warehouse: Path, folders: Iterable[Path], tables: Iterable[str]
) -> dict[str, str | None]:
    """Return for each table what differs in it, None where nothing does.

    Args:
        warehouse: the DuckDB file.
        folders: where Spark wrote, `<schema>.db/<table>/*.parquet` in each.
        tables: names with their schema.

    """
    with duckdb.connect() as con:
        con.execute("set TimeZone = 'UTC'")
        # Views name the database as it is called in the house.
        con.execute(f"attach {literal(str(warehouse))} as {DATABASE} (read_only)")
        return {table: _difference(con, table, [*folders]) for table in tables}


def _difference(con: duckdb.DuckDBPyConnection, table: str, folders: list[Path]) -> str | None:
    schema, _, name = table.partition(".")
    places = [folder / f"{schema}.db" / name for folder in folders]
    place = next((path for path in places if path.is_dir()), None)
    if place is None:
        return "not built on Spark"
    house = f"{DATABASE}.{schema}.{name}"
    if not [*place.glob("*.parquet")]:
        # Spark writes no file for a table that has no row.
        rows = con.execute(f"select count(*) from {house}").fetchall()[0][0]
        return f"{rows} rows in DuckDB, none on Spark" if rows else None
    spark = f"read_parquet({literal(str(place / '*.parquet'))})"
    here, there = _columns(con, house), _columns(con, spark)
    if here != there:
        return f"columns: {sorted({*here.items()} ^ {*there.items()})}"
    cells = ", ".join(
        f"cast({quoted(c)} as timestamp) as {quoted(c)}" if kind == "instant" else quoted(c)
        for c, kind in here.items()
    )
    gone, come = (_beyond(con, cells, *sides) for sides in ((house, spark), (spark, house)))
    if not gone and not come:
        return None
    doubles = {c for c, kind in here.items() if kind == "DOUBLE"}
    if doubles and gone == come and not _apart(con, cells, (house, spark), here.keys(), doubles):
        return None
    return f"{gone} rows in DuckDB only, {come} on Spark only"


def _beyond(con: duckdb.DuckDBPyConnection, cells: str, one: str, other: str) -> int:
    """Count the rows of one side that the other one lacks."""
    rows = f"(select {cells} from {one} except all select {cells} from {other})"
    return int(con.execute(f"select count(*) from {rows}").fetchall()[0][0])


def _apart(
    con: duckdb.DuckDBPyConnection,
    cells: str,
    sides: tuple[str, str],
    columns: Iterable[str],
    doubles: set[str],
) -> bool:
    """Say whether rows differ in more than the last digits of a double."""
    for name, one, other in (("aqui", *sides), ("la", *reversed(sides))):
        rows = f"select {cells} from {one} except all select {cells} from {other}"
        con.execute(f"create or replace temp table {name} as {rows}")
    same = [
        f"a.{quoted(c)} is not distinct from b.{quoted(c)}" for c in columns if c not in doubles
    ]
    near = [
        f"(a.{c} is null and b.{c} is null or abs(a.{c} - b.{c}) <= {TOLERANCE} "
        f"* greatest(abs(a.{c}), abs(b.{c}), 1))"
        for c in map(quoted, doubles)
    ]
    lonely = (
        f"select count(*) from {one} as a where not exists "
        f"(select 1 from {other} as b where {' and '.join([*same, *near])})"
        for one, other in (("aqui", "la"), ("la", "aqui"))
    )
    return any(con.execute(query).fetchall()[0][0] for query in lonely)


def _columns(con: duckdb.DuckDBPyConnection, source: str) -> dict[str, str]:
    """Return the kind of each column."""
    found = con.execute(f"describe select * from {source}").fetchall()
    return {name: _kind(kind) for name, kind, *_ in found if name not in IGNORED}


def _kind(kind: str) -> str:
    for pattern, name in KINDS.items():
        kind = re.sub(rf"\b({pattern})(?=[\[\],) ]|$)", name, kind)
    return kind
