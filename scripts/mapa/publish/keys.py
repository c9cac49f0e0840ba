"""The keys of the published tables, declared in the file, so that BI tools propose the joins.

The primary key is the grain (`config.meta.grao`), a foreign key is a `relationships` test whose
target is the whole grain of a published table. Both are proved by tests before anything gets here;
but a subject may keep tables of before, and a key that its rows contradict would stop the night.
Such a key is left out and said; the tables are published all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from mapa.publish.gate import Reference, Table
from mapa.sql import literal, quoted

FORMAT = "storage_version 'v1.0.0'"
"""What every DuckDB since 1.0 reads."""


@dataclass(frozen=True)
class Keys:
    """The keys of one table.

    Attributes:
        primary: columns of the primary key; none when the table has no grain or breaks it.
        foreign: references, each to the primary key of a table.
        broken: what is not declared because rows contradict it, each in a sentence.

    """

    primary: tuple[str, ...] = ()
    foreign: tuple[Reference, ...] = ()
    broken: tuple[str, ...] = ()


def declare(copied: Path, target: Path, tables: Sequence[Table]) -> dict[str, Keys]:
    """Make a file with the same tables, their keys and their comments; return the keys by table.

    Args:
        copied: file with the tables as they came, without keys.
        target: file to make, in the storage format that every DuckDB since 1.0 reads.
        tables: what is in the file.
    """
    declared: dict[str, Keys] = {}
    with duckdb.connect() as con:
        con.execute(f"attach {literal(str(copied))} as copia (read_only)")
        con.execute(f"attach {literal(str(target))} as publico (read_write, {FORMAT})")
        con.execute("use publico")  # a foreign key takes no name of a database
        for table in referred_first(tables):
            keys = _holding(con, table, declared)
            con.execute(f"create table publico.{table.name} ({_definition(con, table, keys)})")
            con.execute(
                f"insert into publico.{table.name} select * from copia.{table.name} {order(table)}"
            )
            for statement in _comments(table):
                con.execute(statement)
            declared[table.name] = keys
    return declared


def order(table: Table) -> str:
    """Return the clause that makes the same content give the same file.

    By columns of the table, not by what a statement makes of them under the same name.
    """
    places = (f"{quoted(table.name)}.{quoted(column)}" for column in table.grain)
    return f"order by {', '.join(places)}" if table.grain else ""


def referred_first(tables: Sequence[Table]) -> list[Table]:
    """Return the tables, each after those that it refers to; a circle is cut at its first name."""
    waiting = {table.name: table for table in sorted(tables, key=lambda table: table.name)}
    ordered: list[Table] = []
    while waiting:
        ready = (t for t in waiting.values() if not _targets(t) & waiting.keys())
        ordered.append(waiting.pop(next(ready, next(iter(waiting.values()))).name))
    return ordered


def _targets(table: Table) -> set[str]:
    return {reference.table for reference in table.references} - {table.name}


def _holding(con: duckdb.DuckDBPyConnection, table: Table, declared: dict[str, Keys]) -> Keys:
    """Return the keys of a table that its rows keep, and say which ones they break."""
    broken = []
    primary = table.grain
    if primary and (rows := _repeated(con, table)):
        broken.append(f"{rows} keys of {table.name} are repeated or lack a part")
        primary = ()
    foreign = []
    # A test may stand twice, under two names.
    for reference in dict.fromkeys(table.references):
        # Not to itself either: a row is checked as it comes, and its group may come later.
        if declared.get(reference.table, Keys()).primary != (reference.field,):
            continue
        if rows := _orphans(con, table, reference):
            said = f"{table.name}.{reference.column} are not in {reference.table}"
            broken.append(f"{rows} rows of {said}")
        else:
            foreign.append(reference)
    return Keys(primary, tuple(foreign), tuple(broken))


def _repeated(con: duckdb.DuckDBPyConnection, table: Table) -> int:
    """Count the keys that are not one row's own, or that have an unknown part."""
    key = [quoted(name) for name in table.grain]
    lacking = " or ".join(f"{name} is null" for name in key)
    return _count(
        con,
        f"select 1 from copia.{table.name} group by {', '.join(key)} "
        f"having count(*) > 1 or {lacking}",
    )


def _orphans(con: duckdb.DuckDBPyConnection, table: Table, reference: Reference) -> int:
    """Count the rows whose reference leads nowhere; an unknown one refers to nothing."""
    column, field = quoted(reference.column), quoted(reference.field)
    return _count(
        con,
        f"select 1 from copia.{table.name} as a anti join copia.{reference.table} as b "
        f"on a.{column} = b.{field} where a.{column} is not null",
    )


def _count(con: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(con.execute(f"select count(*) from ({query})").fetchall()[0][0])


def _definition(con: duckdb.DuckDBPyConnection, table: Table, keys: Keys) -> str:
    """Return columns and keys of a table as `create table` takes them."""
    columns = con.execute(f"describe copia.{table.name}").fetchall()
    parts = [f"{quoted(name)} {kind}" for name, kind, *_ in columns]
    if keys.primary:
        parts.append(f"primary key ({', '.join(map(quoted, keys.primary))})")
    parts += [
        f"foreign key ({quoted(key.column)}) references {key.table} ({quoted(key.field)})"
        for key in keys.foreign
    ]
    return ", ".join(parts)


def _comments(table: Table) -> Iterator[str]:
    """Yield the statements that carry the dictionary into the file."""
    yield f"comment on table publico.{table.name} is {literal(table.description)}"
    for column in table.columns:
        yield (
            f"comment on column publico.{table.name}.{quoted(column.name)} "
            f"is {literal(column.description)}"
        )
