"""Raw rebuilt from landing alone, without asking any source.

Every complete load is read again from its folder under its own name, instant and order, so that the
rows come out equal, system columns included. All of it is one transaction. What was accepted when
it was loaded is not judged again: limits and confirmations are not asked for. Of pages that were
taken out because they brought nothing new, the number of documents counts (see `landing`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from mapa import audit, landing, layouts, warehouse
from mapa.audit import Load, Summary
from mapa.errors import ConfigError, FormatError
from mapa.landing import SEALED, UNCHANGED, Folder, Landed
from mapa.layouts import Layout
from mapa.load import cadsus, corrections, drift, exports, offer_api, report, resume
from mapa.load.documents import Fields
from mapa.load.intake import Intake
from mapa.load.pages import Book
from mapa.load.scope import noted
from mapa.settings import Settings
from mapa.sources import (
    CADSUS,
    CNES,
    FILES,
    OFFER_API,
    PROADI,
    REPORT,
    SISREG,
    SOURCES,
    Source,
)

BELONGINGS = (
    "controle.rejeitos", "controle.ausencias", "controle.campos_desconhecidos", "controle.campos",
)  # fmt: skip
Note = dict[str, Any]
Repeat = Callable[[Load, list[Landed], Note], None]


@dataclass(frozen=True)
class Part:
    """What is rebuilt together, because it fills the same raw tables.

    Attributes:
        sources: folders of landing.
        tables: raw tables that are emptied first.
        entities: those of the sources that count; none given, all do.
        again: the command that loads from the source again.

    """

    sources: tuple[str, ...]
    tables: tuple[str, ...]
    again: str
    entities: tuple[str, ...] = ()

    def has(self, note: Note) -> bool:
        """Say whether a load belongs to this part."""
        return not self.entities or note["entidade"] in self.entities


def _of_schemas(schemas: set[str]) -> tuple[str, ...]:
    """Return the raw tables of some schemas that files and services fill."""
    return tuple(
        layout.table
        for layout in layouts.every()
        if layout.arrival != "indice" and layout.schema in schemas
    )


def _of_indices(chosen: tuple[Layout, ...]) -> Part:
    names = tuple(layout.name for layout in chosen)
    return Part((SISREG.name,), tuple(la.table for la in chosen), SISREG.again, entities=names)


def _of_files(first: Source) -> Part:
    """Return what is rebuilt with the files of a source: all that the same command loads."""
    alike = [source for source in SOURCES if source.part == first.part]
    tables = _of_schemas({source.schema for source in alike})
    return Part(tuple(source.name for source in alike), tables, first.again)


def parts() -> dict[str, Part]:
    """Return what can be rebuilt, by the command that loads it or the index."""
    indices = layouts.of_indices()
    return {
        SISREG.part: _of_indices(indices),
        **{layout.name: _of_indices((layout,)) for layout in indices},
        **{first.part: _of_files(first) for first in (FILES, CADSUS, CNES)},
    }


def replay(settings: Settings, what: str = "sisreg") -> list[Summary]:
    """Rebuild raw tables from landing.

    Args:
        settings: where the data are.
        what: one of `parts`.

    Raises:
        ConfigError: landing lacks a load that the warehouse has, or a destruction was interrupted.
        FormatError: a landed file is not what was received.

    """
    landing.refuse_unfinished(settings.mapa_dir)
    return rebuild(settings, what)


def require_whole(con: duckdb.DuckDBPyConnection, settings: Settings, what: str) -> None:
    """Ask landing for every load of a part, before anything of it is changed.

    Raises:
        ConfigError, FormatError: as `replay`.

    """
    part, root = parts()[what], settings.landing
    _refuse_losses(con, part, _numbered(con, root, _complete_loads(part, root)), root)


def rebuild(settings: Settings, what: str) -> list[Summary]:
    """Do what `replay` does, in a destruction too."""
    part, root = parts()[what], settings.landing
    with warehouse.connect(settings.warehouse) as con:
        resume.seal_committed(con, root)
        notes = _numbered(con, root, _complete_loads(part, root))
        _refuse_losses(con, part, notes, root)
        con.begin()
        _empty(con, part, notes)
        summaries = []
        for note in notes:
            summaries.append(_repeat(con, root, part, note))
        con.commit()
    return summaries


def _complete_loads(part: Part, root: Path) -> list[Note]:
    """Return the notes of the complete loads of a part.

    Raises:
        ConfigError: one was written by a version that did not note all that a replay needs.
        FormatError: one cannot be read.

    """
    notes = []
    for source in part.sources:
        for folder in (root / source).glob("*/"):
            note = resume.read_note(folder, SEALED)
            if note is None and (folder / SEALED).exists():
                raise _damaged(folder / SEALED, part)
            if note and "iniciada_em" not in note:
                raise ConfigError(
                    f"{folder / SEALED} lacks the instant of its load: an older version wrote it; "
                    f"nothing was changed.\nLoad again with\n  mapa load {part.again}"
                )
            if note and part.has(note):
                notes.append({"fonte": source} | note)
    return notes


def _numbered(con: duckdb.DuckDBPyConnection, root: Path, notes: list[Note]) -> list[Note]:
    """Return notes with the number of their load, oldest first.

    Older versions noted no number and kept instants in order: theirs come before all others.

    Raises:
        ConfigError: another load of the warehouse has the number of one of them.

    """
    rows = con.execute(
        "select carga_id, ordem from controle.cargas where resultado = 'completa'"
    ).fetchall()
    known = {name: int(number) for name, number in rows}
    if any("ordem" not in note and note["carga_id"] not in known for note in notes):
        sealed = (resume.read_note(file.parent, SEALED) for file in root.glob(f"*/*/{SEALED}"))
        old = [note for note in sealed if note and "ordem" not in note and "iniciada_em" in note]
        old.sort(key=lambda note: (str(note["iniciada_em"]), note["carga_id"]))
        ranks = {note["carga_id"]: rank for rank, note in enumerate(old, 1)}
    else:
        ranks = {}
    holders = {number: name for name, number in rows}
    for note in notes:
        name = note["carga_id"]
        note["ordem"] = known.get(name) or note.get("ordem") or ranks[name]
        if holders.get(note["ordem"], name) != name:
            raise ConfigError(
                f"{name} in landing and {holders[note['ordem']]} in the warehouse are both load "
                f"number {note['ordem']}; nothing was changed.\nThe warehouse loaded something new "
                "before its past was rebuilt: move it away, and replay sisreg, export, cadsus and "
                "cnes before the next load."
            )
    return sorted(notes, key=lambda note: int(note["ordem"]))


def _refuse_losses(
    con: duckdb.DuckDBPyConnection, part: Part, notes: list[Note], root: Path
) -> None:
    stored = " union ".join(f"select _carga_id from {table}" for table in part.tables)
    known = con.execute(
        f"""
        {stored} union
        select carga_id from controle.cargas where resultado = 'completa'
            and list_contains($1, fonte) and (len($2) = 0 or list_contains($2, entidade))
        """,
        [list(part.sources), list(part.entities)],
    ).fetchall()
    if lost := {name for (name,) in known} - {note["carga_id"] for note in notes}:
        raise ConfigError(
            f"{len(lost)} loads of the warehouse are not in {root}; nothing was changed.\n"
            "A rebuild from landing would lose them: bring the missing folders back."
        )


def _empty(con: duckdb.DuckDBPyConnection, part: Part, notes: list[Note]) -> None:
    """Delete what the loads left, before the first is repeated: none may see a later one."""
    for table in part.tables:
        con.execute(f"delete from {table}")
    for table in (*BELONGINGS, "controle.marcas"):
        names = [note["carga_id"] for note in notes]
        con.execute(f"delete from {table} where list_contains($1, carga_id)", [names])


def _repeat(con: duckdb.DuckDBPyConnection, root: Path, part: Part, note: Note) -> Summary:
    load = Load(
        con, note["fonte"], note["entidade"], note["origem"], note["carga_id"],
        datetime.fromisoformat(note["iniciada_em"]), note["ordem"],
    )  # fmt: skip
    load.finished = _instant(note.get("terminada_em"))
    load.version = note.get("versao_codigo", load.version)
    load.since, load.until = (_instant(note.get(n)) for n in ("janela_inicio", "janela_fim"))
    load.delivery = note.get("entrega") or ""
    folder = Folder(root, load.source, load.id)
    corrected = corrections.kept(con, folder.path)
    for correction in corrected:
        load.until = correction.until
        if correction.mark:
            note = note | {"marca": correction.mark.isoformat()}
    landed = [_verified(folder, file, part) for file in note["arquivos"]]
    load.size, load.sha256 = folder.size, note.get("sha256", folder.sha256)
    load.retries = note["novas_tentativas"]
    load.synthetic = note.get("eh_sintetica")
    load.warnings = [*note.get("avisos", [])]
    load.scope = noted(note) if load.source == SISREG.name else note.get("escopo", "")
    again = REPEATS.get(load.entity) or REPEATS[load.source]
    with closing(load):
        again(load, landed, note)
    if audit.outcome(con, load.id) is None:
        load.write_row("completa")
    corrections.restore(con, load.id, corrected)
    return load.summary()


def _repeat_pages(load: Load, landed: list[Landed], note: Note) -> None:
    """Read the pages of an index again; its absences were found by asking and stand in the note."""
    layout = layouts.named(load.entity)
    mapping, *pages = landed
    fields = Fields.read(landing.read(mapping.path), layout)
    drift.compare(load, layout, fields.types, accepted=True)
    book = Book(Intake(load, layout), fields)
    unchanged = {file["nome"]: file.get(UNCHANGED) for file in note["arquivos"]}
    for page in pages:
        if not page.path.exists():
            book.recall(unchanged[page.path.name])
            continue
        book.number = int(page.path.name.split("-")[1])
        book.settle(book.parse(page))
    book.flush()
    load.report_unknown(layout.table, book.shape.unknown)
    for event, keys in note["ausencias"].items():
        load.con.execute("create or replace temp table chaves (chave varchar)")
        load.con.execute("insert into chaves select unnest($1)", [keys])
        load.record_presence(layout.table, event, "select chave from chaves")
    if mark := _instant(note["marca"]):
        load.advance(mark)


REPEATS: dict[str, Repeat] = {
    SISREG.name: _repeat_pages,
    FILES.name: exports.repeat,
    OFFER_API.name: offer_api.repeat,
    REPORT.name: report.repeat,
    CADSUS.name: cadsus.repeat,
    CNES.name: exports.repeat,
    PROADI.name: exports.repeat,
}
"""By source, or by entity where one is read in a way of its own."""


def _verified(folder: Folder, file: dict[str, Any], part: Part) -> Landed:
    path = folder.path / file["nome"]
    if not path.exists() and UNCHANGED in file:
        return folder.recall(file)
    if not path.exists():
        raise _damaged(path, part)
    landed = folder.adopt(path)
    if landed.sha256 != file["sha256"]:
        raise _damaged(path, part)
    return landed


def _damaged(path: Path, part: Part) -> FormatError:
    return FormatError(
        f"{path} is not what was received; nothing was changed.\n"
        f"Bring it back from a copy, or load again from the source with\n  mapa load {part.again}"
    )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
