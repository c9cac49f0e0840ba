"""Loads that ended before their time: found in landing and continued.

A load writes what it asks for (`pedido.json`) before its first page, and a note that makes its
folder a complete load only after the warehouse has committed it. A folder that has the one and not
the other was interrupted. The next load that wants the same takes the folder over: the pages in it
are read again instead of asked for again, and nothing of them was in the warehouse before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import orjson

from mapa import audit, landing
from mapa.audit import Load
from mapa.landing import PREPARED, SEALED, Folder
from mapa.layouts import Layout
from mapa.load.scope import noted
from mapa.load.window import Window

ORDER = "pedido.json"


@dataclass(frozen=True)
class Order:
    """What a load asks for.

    Attributes:
        alias: name of the index at the source.
        origin: host and port of the source.
        scope: whose documents, as `Scope` writes it.
        full: whether everything is read, so that what does not come has vanished.
        window: changes to read.

    """

    alias: str
    origin: str
    scope: str
    full: bool
    window: Window

    def note(self, load: Load) -> dict[str, Any]:
        """Return the order of a load as it stands in landing."""
        return {
            "carga_id": load.id,
            "entidade": load.entity,
            "iniciada_em": load.started,
            "ordem": load.order,
            "indice": self.alias,
            "origem": self.origin,
            "escopo": self.scope,
            "completa": self.full,
            "janela_inicio": self.window.since,
            "janela_fim": self.window.until,
        }

    @classmethod
    def of(cls, note: dict[str, Any]) -> Order:
        """Return the order that a note describes."""
        since, until = note["janela_inicio"], note["janela_fim"]
        return cls(
            note["indice"],
            note["origem"],
            noted(note),
            note["completa"],
            Window(datetime.fromisoformat(since) if since else None, datetime.fromisoformat(until)),
        )

    def serves(self, wanted: Order, *, any_end: bool) -> bool:
        """Say whether this is what is wanted; with `any_end` its window may end elsewhere."""
        until = self.window.until if any_end else wanted.window.until
        window = Window(wanted.window.since, until)
        return self == Order(wanted.alias, wanted.origin, wanted.scope, wanted.full, window)


def find(
    con: duckdb.DuckDBPyConnection, root: Path, layout: Layout, wanted: Order, *, any_end: bool
) -> tuple[Path, Order] | None:
    """Return folder and order of the interrupted load that `wanted` can continue, if there is one.

    Newer complete loads make older pages worthless, and a refused load would be refused again. A
    load that was committed but could not write its last note is given that note.
    """
    newest = audit.newest_load(con, root.name, layout.name) or 0
    folders = [(f, read_note(f, ORDER)) for f in sorted(root.glob(f"*-{layout.name}-*"))]
    # A load that was killed left its number to the next one. Older versions noted none.
    orders = [(note.get("ordem", 0), folder, note) for folder, note in folders if note]
    for number, folder, note in sorted(orders, key=lambda one: one[:2], reverse=True):
        outcome = audit.outcome(con, folder.name)
        if outcome == "completa" and (folder / PREPARED).exists():
            Folder(root.parent, root.name, folder.name).seal()
        if outcome == "completa" or (folder / SEALED).exists():
            return None
        if number <= newest:
            return None
        order = Order.of(note)
        if outcome != "recusada" and order.serves(wanted, any_end=any_end):
            return folder, order
    return None


def seal_committed(con: duckdb.DuckDBPyConnection, root: Path) -> None:
    """Give loads that were committed but could not write their last note that note."""
    for note in root.glob(f"*/*/{PREPARED}"):
        if audit.outcome(con, note.parent.name) == "completa":
            Folder(root, note.parent.parent.name, note.parent.name).seal()


def restore_scopes(con: duckdb.DuckDBPyConnection, root: Path) -> None:
    """Give loads and watermarks of before scopes were kept the scope that their notes name.

    One whose note is gone stays without: its scope is then read from the beginning again, which
    stores nothing twice.
    """
    old = con.execute(
        "select carga_id from controle.cargas "
        "where fonte = $1 and escopo is null and resultado = 'completa'",
        [root.name],
    ).fetchall()
    for (name,) in old:
        note = read_note(root / name, SEALED)
        if note and {"indice", "entidade"} <= note.keys() and {"escopo", "central"} & note.keys():
            for table in ("cargas", "marcas"):
                con.execute(
                    f"update controle.{table} set escopo = $1 where carga_id = $2",
                    [noted(note), name],
                )


def read_note(folder: Path, name: str) -> dict[str, Any] | None:
    """Return one of our notes; None when it is not there or was not written by us."""
    try:
        content = orjson.loads(landing.read(folder / name))
    except (OSError, orjson.JSONDecodeError):
        return None
    return content if isinstance(content, dict) else None
