"""What a release says otherwise than the one before: each number, with both values.

Only published files are read, so that nothing here is less public than they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from mapa.publish import store
from mapa.publish.contents import NOT_CONTENT
from mapa.sql import literal, quoted

HEADER = ("tabela", "chave", "coluna", "antes", "depois")


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
