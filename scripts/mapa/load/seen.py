"""The day on which an extract was seen: a fact of the load, so that history can be replayed.

`controle.cargas.janela_fim` keeps it, as the instant that the extract describes on the source's
local clock: by default when the load began, for an archived export the midnight that begins the day
on which it was exported. The models date every version by it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import click
import duckdb

from mapa import clocks
from mapa.audit import Load
from mapa.load.window import BRASILIA


def today() -> date:
    """Return the day in Brasília."""
    return local_clock(clocks.now()).date()


def stamp(load: Load, seen_on: date | None) -> None:
    """Write the instant that the extract describes into its load."""
    load.until = datetime.combine(seen_on, time()) if seen_on else local_clock(load.started)


def local_clock(moment: datetime) -> datetime:
    """Turn naive UTC into the source's naive local clock."""
    return moment.replace(tzinfo=UTC).astimezone(BRASILIA).replace(tzinfo=None)


def newest_day(
    con: duckdb.DuckDBPyConnection, column: str, value: str, scope: str = ""
) -> date | None:
    """Return the newest day on which an entity, or a content, was seen; None if never.

    Content that does not say of what it is (`scope`) is another one under another name.
    """
    rows = con.execute(
        f"select janela_fim, iniciada_em from controle.cargas where {column} = $1 "
        "and resultado = 'completa' and ($2 = '' or coalesce(escopo, $2) = $2)",
        [value, scope],
    ).fetchall()
    # Warehouses of before this column was written have the start of the load only.
    return max(((until or local_clock(began)).date() for until, began in rows), default=None)


def refuse_future(day: date) -> None:
    """Refuse a day that has not come.

    Raises:
        click.BadParameter: it is later than today in Brasília.

    """
    if day > today():
        raise click.BadParameter(
            f"{day} has not come yet in Brasília; give the day on which the files were exported.",
            param_hint="--seen-on",
        )


def refuse_older(con: duckdb.DuckDBPyConnection, entity: str, name: str, seen_on: date) -> None:
    """Refuse an export that is older than one of the same layout that is loaded.

    What is identical to the newest version is not stored, so a state that was skipped cannot be
    put back between two others without guessing.

    Raises:
        click.BadParameter: names both days; nothing is loaded then.

    """
    newest = newest_day(con, "entidade", entity)
    if newest and seen_on < newest:
        raise click.BadParameter(
            f"{name} would be seen on {seen_on}, and a file of the `{entity}` layout seen on "
            f"{newest} is loaded; nothing was loaded.\nVersions are kept in the order in which "
            "they were seen. Load archived exports oldest first, before newer ones; to put them "
            "before what is loaded, begin anew in another folder:\n"
            f"  MAPA_DIR=... mapa load export --seen-on {seen_on} FILE",
            param_hint="--seen-on",
        )
