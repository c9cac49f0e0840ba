"""What a window of changes does not show: requests open in our store, and documents that vanished.

A request may wait for years, and a mirror may be loaded anew without touching its instant of
change. So what is open here and did not come with the window is read by its number until it closes.
What the source does not have under its number is marked in `controle.ausencias`, never deleted.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from mapa.audit import PRESENCES, Load
from mapa.layouts import Layout
from mapa.load.intake import SEEN
from mapa.load.scope import Scope

ASKED = "chaves_perguntadas"
"""Temporary table with the keys that were asked for by number."""
EVENTS = {"ausente": "vanished", "presente": "came back"}


def choose(
    con: duckdb.DuckDBPyConnection, layout: Layout, scope: Scope, *, everything: bool
) -> None:
    """Choose the keys to ask for: those known that did not come, open ones or all of them.

    What never was of the scope is not asked for: other indices may hold it. What has left it is.
    """
    key = layout.key_text()
    con.execute(
        f"""
        create or replace temp table {ASKED} as
        with atuais as (
            select {key} as chave, max_by(coalesce({layout.closed}, false), (_carga_ordem, _linha))
                as fechada
            from {layout.table} group by {key} having bool_or({scope.holds_row()})
        )
        select chave, row_number() over (order by chave) - 1 as ordem
        from atuais as a
        where (not a.fechada or {everything})
            and not exists (select 1 from {SEEN} as s where s.chave = a.chave)
        """
    )


def count_known(con: duckdb.DuckDBPyConnection, layout: Layout, scope: Scope, but: str) -> int:
    """Return how many keys are of the scope and have not vanished; what load `but` brought is none.

    A request that has changed its central counts for the new one.
    """
    key = layout.key_text()
    row = con.execute(
        f"""
        with atuais as (
            select
                {key} as chave,
                max_by({scope.holds_row()}, (_carga_ordem, _linha)) as alcancada
            from {layout.table} where _carga_id <> $1 group by {key}
        ),
        eventos as (
            select chave, arg_max(evento, ordem) as evento
            from {PRESENCES} where tabela = $2 group by chave
        )
        select count(*) from atuais as a
        left join eventos as e on a.chave = e.chave
        where a.alcancada and e.evento is distinct from 'ausente'
        """,
        [but, layout.table],
    ).fetchone()
    return int(row[0]) if row else 0


def count_rows(con: duckdb.DuckDBPyConnection, layout: Layout, scope: Scope) -> int:
    """Return how many rows are of the scope: at least as many as keys, and cheap to count."""
    row = con.execute(f"select count(*) from {layout.table} where {scope.holds_row()}").fetchone()
    return int(row[0]) if row else 0


def batches(con: duckdb.DuckDBPyConnection, size: int) -> Iterator[list[str]]:
    """Yield the chosen keys in order, `size` at a time."""
    start = 0
    while True:
        rows = con.execute(
            f"select chave from {ASKED} where ordem >= $1 and ordem < $2 order by ordem",
            [start, start + size],
        ).fetchall()
        if not rows:
            return
        yield [row[0] for row in rows]
        start += size


def find_missing(con: duckdb.DuckDBPyConnection, layout: Layout) -> tuple[int, int]:
    """Find which keys asked for did not come, and which came that had vanished.

    Returns:
        How many were asked for that had not vanished before, and how many of them did not come.

    """
    con.execute(
        f"""
        create or replace temp table mudancas as
        with eventos as (
            select chave, arg_max(evento, ordem) as evento
            from {PRESENCES} where tabela = $1 group by chave
        ),
        vistas as (select distinct chave from {SEEN})
        select a.chave, 'ausente' as evento
        from {ASKED} as a
        left join eventos as e on a.chave = e.chave
        where not exists (select 1 from vistas as v where v.chave = a.chave)
            and e.evento is distinct from 'ausente'
        union all
        select v.chave, 'presente'
        from vistas as v
        inner join eventos as e on v.chave = e.chave
        where e.evento = 'ausente'
        """,
        [layout.table],
    )
    row = con.execute(
        f"""
        select (select count(*) from {ASKED}), count(*) filter (where evento = 'ausente')
        from mudancas
        """
    ).fetchone()
    return row or (0, 0)


def record_presence(load: Load, layout: Layout, *, certain: bool) -> dict[str, list[str]]:
    """Record what `find_missing` found.

    Args:
        load: the open load.
        layout: of the index.
        certain: whether the keys of all documents that came are known; else nobody knows which
            did not come.

    Returns:
        The keys by event.

    """
    events = {}
    if not certain:
        load.con.execute("delete from mudancas where evento = 'ausente'")
        load.notes.append("absences not recorded, because some documents have no key to be read")
    for event, word in EVENTS.items():
        chosen = f"select chave from mudancas where evento = '{event}' order by chave"
        events[event] = [row[0] for row in load.con.execute(chosen).fetchall()]
        load.record_presence(layout.table, event, chosen)
        load.notes += [f"{len(events[event])} {word}"] * bool(events[event])
    return events
