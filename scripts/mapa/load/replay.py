"""Raw rebuilt from landing alone, without asking any source.

Every complete load is read again from its folder under its own name, instant and order, so that the
rows come out equal, system columns included. All of it is one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from mapa import audit, warehouse
from mapa.audit import Load, Summary
from mapa.errors import ConfigError, FormatError
from mapa.landing import PREPARED, SEALED, Folder, Landed
from mapa.load.documents import Fields
from mapa.load.intake import Intake
from mapa.load.layouts import API_LAYOUTS, Layout
from mapa.load.pages import Book, mapping_file
from mapa.load.resume import read_note
from mapa.settings import Settings

SOURCE = "sisreg"
BELONGINGS = ("controle.rejeitos", "controle.ausencias", "controle.campos_desconhecidos")


def replay(settings: Settings, index: str = "all") -> list[Summary]:
    """Rebuild the raw tables of one index or of all three from landing.

    Raises:
        ConfigError: landing lacks a load that the warehouse has.
        FormatError: a landed file is not what was received.

    """
    layouts = [layout for layout in API_LAYOUTS if index in ("all", layout.name)]
    with warehouse.connect(settings.warehouse) as con, con.cursor() as scratch:
        con.begin()
        summaries = [
            summary
            for layout in layouts
            for summary in _replay_index(con, scratch, settings.landing, layout)
        ]
        con.commit()
    return summaries


def _replay_index(
    con: duckdb.DuckDBPyConnection, scratch: duckdb.DuckDBPyConnection, root: Path, layout: Layout
) -> Iterator[Summary]:
    notes = _complete_loads(con, root / SOURCE, layout)
    kept = {note["carga_id"] for note in notes}
    stored = con.execute(f"select distinct _carga_id from {layout.table}").fetchall()
    if lost := {name for (name,) in stored} - kept:
        raise ConfigError(
            f"{layout.table} has rows of {len(lost)} loads that are not in {root}; nothing was "
            "changed.\nA rebuild from landing would lose them: bring the missing folders back."
        )
    con.execute(f"delete from {layout.table}")
    con.execute(
        "delete from controle.marcas where fonte = $1 and entidade = $2", [SOURCE, layout.name]
    )
    for note in notes:
        load = Load(
            con, scratch, SOURCE, layout.name, note["origem"], note["carga_id"],
            datetime.fromisoformat(note["iniciada_em"]),
        )  # fmt: skip
        for table in BELONGINGS:
            con.execute(f"delete from {table} where carga_id = $1", [load.id])
        _replay_load(load, Folder(root, SOURCE, load.id), layout, note)
        yield load.summary()


def _replay_load(load: Load, folder: Folder, layout: Layout, note: dict[str, Any]) -> None:
    fields = Fields.read(mapping_file(folder.path).read_bytes(), layout)
    book = Book(Intake(load, layout), fields)
    for landed in _verified(folder, note):
        if landed.path == mapping_file(folder.path):
            continue
        book.number = int(landed.path.name.split("-")[1])
        book.settle(book.parse(landed))
    load.size, load.sha256 = folder.size, folder.sha256
    load.retries = note["novas_tentativas"]
    load.report_unknown(layout.table, book.shape.extra)
    for event, keys in note["ausencias"].items():
        load.con.execute("create or replace temp table chaves (chave varchar)")
        load.con.execute("insert into chaves select unnest($1)", [keys])
        load.record_presence(layout.table, event, "select chave from chaves")
    load.since, load.until = (_instant(note[n]) for n in ("janela_inicio", "janela_fim"))
    if mark := _instant(note["marca"]):
        load.advance(mark)
    if audit.outcome(load.con, load.id) is None:
        load.write_row("completa", None)


def _complete_loads(
    con: duckdb.DuckDBPyConnection, root: Path, layout: Layout
) -> list[dict[str, Any]]:
    """Return the notes of the complete loads, oldest first."""
    notes = []
    for folder in root.glob(f"*-{layout.name}-*"):
        committed = audit.outcome(con, folder.name) == "completa"
        note = read_note(folder, SEALED) or (read_note(folder, PREPARED) if committed else None)
        if note:
            notes.append(note)
    return sorted(notes, key=lambda note: str(note["iniciada_em"]))


def _verified(folder: Folder, note: dict[str, Any]) -> Iterator[Landed]:
    for file in note["arquivos"]:
        path = folder.path / file["nome"]
        if not path.exists():
            raise _damaged(path)
        landed = folder.adopt(path)
        if landed.sha256 != file["sha256"]:
            raise _damaged(path)
        yield landed


def _damaged(path: Path) -> FormatError:
    return FormatError(
        f"{path} is not what was received; nothing was changed.\n"
        "Bring it back from a copy, or load again from the source with\n  mapa load sisreg --full"
    )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
