"""Counts of people on their way out: small ones are hidden, and the proof is written down.

Each table that counts people says so in its model (`gate.People`). Here they become the cells and
sums of `suppression`, and what must not be seen becomes null before anything is written.

A month that was published stays as it was published: what is corrected since would tell, by the
difference between two releases, who came. So all releases together tell what the newest tells.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import duckdb

from mapa.errors import PublishError
from mapa.publish import suppression
from mapa.publish.gate import ENDS, MONTH, PROCEDURE, SCHEMA, People, Signed, Table
from mapa.publish.store import DATABASE
from mapa.publish.suppression import Counts, Hidden, Sum
from mapa.sql import literal, quoted

WIDTHS = (1, 2, 5, 10, 20)
"""Percents between which a share may be told."""
ALL = "todos"
"""Code of all procedures together."""
Key = tuple[Any, ...]
Cells = dict[str, int]
"""Cells of one row by column."""


@dataclass
class _Read:
    """A table as cells.

    Attributes:
        table: which.
        people: how it counts people.
        frozen: last month that was published before, None when there is none.
        rows: cells of each row by its key, in the order of the key.
        numbers: number of each row in the temporary table, by key.

    """

    table: Table
    people: People
    frozen: date | None
    rows: dict[Key, Cells] = field(default_factory=dict)
    numbers: dict[Key, int] = field(default_factory=dict)


class UnhideableError(PublishError):
    """A subject would tell more than it may, whatever else of it is hidden."""

    def __init__(self, subject: str, said: str) -> None:
        """Name the subject, and say which count or table in a line that is no secret."""
        super().__init__(f"{said}; its subject may not be published anew.")
        self.subject = subject
        self.said = said


def control(
    con: duckdb.DuckDBPyConnection, tables: Sequence[Table], before: Mapping[str, Path]
) -> tuple[dict[str, str], dict[str, Any] | None]:
    """Make of each table that counts people one in which nobody can be counted.

    Args:
        con: the warehouse.
        tables: what is published anew.
        before: version by which the months of each table stand (`contents.standing`).

    Returns:
        Where each of them stands now, by name, and what was hidden and proved; None when no month
        is new, so that all stands as the version before proved it.

    Raises:
        UnhideableError: a count could be computed, whatever else is hidden, or a table has other
            columns than those that were published.
    """
    counts = Counts()
    with _attached(con, before) as places_before:
        read = [
            _read(con, table, table.people, counts, places_before.get(table.name))
            for table in tables
            if table.people
        ]
    places = {one.table.name: f"temp.{one.table.name}" for one in read}
    new = any(
        one.frozen is None or key[one.table.grain.index(MONTH)] > one.frozen
        for one in read
        for key in one.rows
    )
    if not new:
        return places, None
    revised = sum(_revised(con, one) for one in read if one.frozen)
    for one in read:
        _add_sums(counts, one)
        _withhold_sameness(counts, one)
    for first, second in combinations(read, 2):
        _link(counts, first, second)
    minimum = max(one.people.minimum for one in read)
    try:
        hidden = suppression.hide(counts, minimum)
    except suppression.UnprovableError as error:
        raise _unhideable(read, error.cell) from None
    for one in read:
        _blank(con, one, hidden)
    for one in read:
        _widen(con, one)
    return places, _certificate(read, counts, hidden, minimum, revised)


@contextmanager
def _attached(
    con: duckdb.DuckDBPyConnection, before: Mapping[str, Path]
) -> Iterator[dict[str, str]]:
    """Attach the versions by which months stand; give the place of each table in them."""
    names = {folder: f"anterior_{n}" for n, folder in enumerate(dict.fromkeys(before.values()))}
    for folder, name in names.items():
        con.execute(f"attach {literal(str(folder / DATABASE))} as {name} (read_only)")
    try:
        yield {table: f"{names[folder]}.main.{quoted(table)}" for table, folder in before.items()}
    finally:
        for name in names.values():
            con.execute(f"detach {name}")


def _read(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    people: People,
    counts: Counts,
    before: str | None,
) -> _Read:
    """Copy a table aside, with the months that stand as they were published, and read its cells."""
    one = _Read(table, people, _frozen(con, table, before))
    name, source = f"temp.{quoted(table.name)}", f"{SCHEMA}.{table.name}"
    month, keys = quoted(MONTH), ", ".join(map(quoted, table.grain))
    con.execute(
        f"create or replace temp table {quoted(table.name)} as select * from {source} limit 0"
    )
    if one.frozen:
        con.execute(
            f"insert into {name} by name select * from {before} "
            f"where {month} >= (select min({month}) from {source}) order by {keys}"
        )
    con.execute(
        f"insert into {name} by name select * from {source} "
        f"where $1 is null or {month} > $1 order by {keys}",
        [one.frozen],
    )
    told, true = ([f"{side}.{quoted(c)}" for c in people.counts] for side in ("t", "w"))
    key_columns = [f"t.{quoted(c)}" for c in table.grain]
    rows = con.execute(
        f"select {', '.join(['t.rowid', *key_columns, *told, *true])} "
        f"from {name} as t left join {source} as w using ({keys}) "
        f"order by {', '.join(key_columns)}"
    ).fetchall()
    width, at = len(people.counts), table.grain.index(MONTH)
    for number, *values in rows:
        key = tuple(values[: len(table.grain)])
        shown, now = (values[len(table.grain) + n * width :][:width] for n in (0, 1))
        old = one.frozen is not None and key[at] <= one.frozen
        one.numbers[key] = number
        one.rows[key] = {
            column: _cell(counts, said, value, old=old)
            for column, said, value in zip(people.counts, shown, now, strict=True)
            if said is not None or old
        }
    return one


def _cell(counts: Counts, said: int | None, now: int | None, *, old: bool) -> int:
    """Add a cell; what was published before, or hidden, stays so."""
    cell = len(counts.values)
    # Of what is hidden for good the true count of that day is gone; today's is as near as any.
    counts.values.append(max(now or 0, 1) if said is None else said)
    if old:
        (counts.withheld if said is None else counts.published).add(cell)
    return cell


def _frozen(con: duckdb.DuckDBPyConnection, table: Table, before: str | None) -> date | None:
    """Return the last month that was published.

    Raises:
        UnhideableError: it was with other columns, so that its months cannot stand as they are.
    """
    if before is None:
        return None
    columns = {row[0] for row in con.execute(f"describe {before}").fetchall()}
    if other := columns ^ {column.name for column in table.columns}:
        raise UnhideableError(
            table.subject,
            f"{table.name} counts people, and {', '.join(sorted(other))} is new or gone since it "
            "was published; its months must stay as they were told: give the new table another "
            "name, so that the old one ends where it stands",
        )
    last = con.execute(f"select max({quoted(MONTH)}) from {before}").fetchall()[0][0]
    return last if isinstance(last, date) else None


def _revised(con: duckdb.DuckDBPyConnection, one: _Read) -> int:
    """Count the published cells of a table that would be another number today."""
    people, name = one.people, one.table.name
    if not people.counts:
        return 0
    different = " + ".join(
        f"count(*) filter (t.{c} is not null and t.{c} is distinct from coalesce(w.{c}, 0))"
        for c in map(quoted, people.counts)
    )
    keys = ", ".join(map(quoted, one.table.grain))
    (count,) = con.execute(
        f"select {different} from temp.{quoted(name)} as t "
        f"left join {SCHEMA}.{name} as w using ({keys}) where t.{quoted(MONTH)} <= $1",
        [one.frozen],
    ).fetchall()[0]
    return int(count)


def _add_sums(counts: Counts, one: _Read) -> None:
    """Say what adds up within a row, and from one month to the next."""
    people, at = one.people, one.table.grain.index(MONTH)
    for cells in one.rows.values():
        for terms in people.sums:
            _add(counts, [(cells, terms)])
    months = sorted({key[at] for key in one.rows})
    before = {later: earlier for earlier, later in pairwise(months)}
    for key, cells in one.rows.items():
        if key[at] not in before:
            continue
        earlier = one.rows.get((*key[:at], before[key[at]], *key[at + 1 :]), {})
        for stock, flows in people.stocks.items():
            moved = [(flow, -sign) for flow, sign in flows]
            # Without a row there was nobody.
            _add(counts, [(cells, [(stock, 1), *moved]), (earlier, [(stock, -1)])])


def _withhold_sameness(counts: Counts, one: _Read) -> None:
    """Hide the zeros of a new row in which all people are of one kind.

    Whoever knows that somebody is in the row would read off them what became of that person,
    however well the counts themselves are hidden.
    """
    for cells in one.rows.values():
        for (_, whole), *parts in one.people.sums:
            kinds = [cells[name] for name, sign in parts if sign == -whole and name in cells]
            zeros = {cell for cell in kinds if not counts.values[cell]} - counts.published
            if len(zeros) == len(kinds) - 1 and len(kinds) > 1:
                counts.withheld |= zeros


def _add(counts: Counts, parts: Sequence[tuple[Cells, Sequence[Signed]]]) -> None:
    """Add a sum; with a part that is not known nobody can compute anything from it."""
    _add_terms(
        counts,
        [(cells.get(name), sign) for cells, signed in parts if cells for name, sign in signed],
    )


def _add_terms(counts: Counts, terms: Sequence[tuple[int | None, int]]) -> None:
    known = [(cell, sign) for cell, sign in terms if cell is not None]
    if known and len(known) == len(terms):
        counts.sums.append(Sum(tuple(c for c, _ in known), tuple(s for _, s in known)))


def _link(counts: Counts, first: _Read, second: _Read) -> None:
    """Say where two tables tell the same people."""
    one, other = first.people, second.people
    if one.universe != other.universe:
        return
    common = [name for name in first.table.grain if name in second.table.grain]
    for column in (name for name in one.counts if name in other.counts):
        groups: dict[Key, list[tuple[int | None, int]]] = defaultdict(list)
        for side, sign in ((first, 1), (second, -1)):
            places = [side.table.grain.index(name) for name in common]
            for key, cells in side.rows.items():
                groups[tuple(key[p] for p in places)].append((cells.get(column), sign))
        for terms in groups.values():
            _add_terms(counts, terms)


def _blank(con: duckdb.DuckDBPyConnection, one: _Read, hidden: Hidden) -> None:
    """Make null what is hidden, and what is computed from it."""
    people, name = one.people, f"temp.{quoted(one.table.name)}"
    for column in people.counts:
        rows = [
            one.numbers[key]
            for key, cells in one.rows.items()
            if cells.get(column) in hidden.small or cells.get(column) in hidden.complement
        ]
        con.execute(
            f"update {name} set {quoted(column)} = null where rowid in (select unnest($1))", [rows]
        )
    for column, of in people.derived.items():
        missing = " or ".join(f"{quoted(name)} is null" for name in of) or "false"
        con.execute(f"update {name} set {quoted(column)} = null where {missing}")


def _widen(con: duckdb.DuckDBPyConnection, one: _Read) -> None:
    """Tell new shares between two whole percents; where too few are shown, they are null.

    Between the two fit more people than the smallest count that is shown. How many people a share
    is of is taken from what is shown of them, so that the width tells nothing anew. All begin at a
    step: of shares of which one holds the other, what lies between is as uncertain as each.
    """
    people, name = one.people, f"temp.{quoted(one.table.name)}"
    if not people.cases:
        return
    month, procedure = quoted(MONTH), quoted(PROCEDURE)
    new = f"t.{month} > {literal(str(one.frozen))}" if one.frozen else "true"
    for share, counted in people.shares.items():
        columns = [quoted(f"{share}_{end}") for end in ENDS]
        # What is not known stays so: `least` would pass over it.
        begun = [
            f"case when {c} is not null then least(floor(round({c}, 6) / w) * w, 100 - w) end"
            for c in columns
        ]
        widths = " ".join(f"when {w} * n >= {100 * (people.minimum + 1)} then {w}" for w in WIDTHS)
        con.execute(
            f"""
            update {name} as t set {columns[0]} = {begun[0]}, {columns[1]} = {begun[1]} + w
            from (
                select place, case when n >= {people.cases.fewest} then case {widths} end end as w
                from (
                    select t.rowid as place, sum(c.{quoted(counted)}) as n
                    from {name} as t
                    left join temp.{quoted(people.cases.table)} as c
                        on t.{procedure} in (c.{procedure}, {literal(ALL)})
                        and c.{month} <= t.{month}
                        and c.{month} > t.{month} - to_months({people.cases.months})
                    group by t.rowid
                )
            ) as cases
            where t.rowid = place and {new}
            """
        )


def _certificate(
    read: Sequence[_Read], counts: Counts, hidden: Hidden, minimum: int, revised: int
) -> dict[str, Any]:
    """Write down what was hidden and proved."""
    tables = []
    for one in read:
        cells = {cell for row in one.rows.values() for cell in row.values()}
        tables.append(
            {
                "name": one.table.name,
                "universe": one.people.universe,
                "counts": list(one.people.counts),
                "cells": len(cells),
                "small": len(cells & hidden.small),
                "complement": len(cells & hidden.complement),
                "as_published_until": str(one.frozen) if one.frozen else None,
            }
        )
    whole, complement = len(counts.values), len(hidden.complement)
    return {
        "minimum": minimum,
        "cells": whole,
        "small": len(hidden.small),
        "complement": complement,
        "complement_share": round(complement / whole, 4) if whole else None,
        "sums": len(counts.sums),
        "narrowest_interval": None
        if hidden.narrowest == float("inf")
        else round(hidden.narrowest, 3),
        "linear_programs": hidden.programs,
        "revised_cells": revised,
        "tables": tables,
    }


def _unhideable(read: Sequence[_Read], cell: int) -> UnhideableError:
    """Say which count could be computed, without its key: that of one person it may be."""
    table, column = next(
        (one.table, column)
        for one in read
        for cells in one.rows.values()
        for column, number in cells.items()
        if number == cell
    )
    return UnhideableError(
        table.subject,
        f"{table.name}.{column}: a hidden count can be computed from what was published before, "
        "and nothing that is new could hide it; coarser tables of another name could be published",
    )
