"""Export files to raw: recognised by their header, landed, and read by DuckDB.

A file is one load and one transaction. A folder is loaded in the order of the names of its files,
and content that has been loaded before is skipped, so that a folder may simply be loaded again.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from mapa import audit, synthetic, warehouse
from mapa.audit import Load, Summary, Tally
from mapa.errors import FormatError, LayoutError, MapaError
from mapa.landing import Folder, Landed
from mapa.load import drift, resume, rows, seen, snapshot
from mapa.load.archives import Export, exports_in, files_in
from mapa.load.intake import Intake
from mapa.load.layouts import FILE_LAYOUTS, Layout
from mapa.load.recognise import HeaderError, Recognised, examine, recognise
from mapa.settings import Settings
from mapa.ui import progress

MOST_NAME = 100
"""Characters of a file's name that landing keeps."""
SOURCES = {"bruto_sisreg": "arquivo", "bruto_cadsus": "cadsus", "bruto_cnes": "cnes"}
NAMED = {layout.name: layout for layout in FILE_LAYOUTS}
UNKNOWN = "desconhecida"
"""Entity, in the audit, of a file whose layout nobody knows."""


@dataclass(frozen=True)
class Completeness:
    """Whether files of a snapshot layout are the whole picture.

    Attributes:
        partial: they are not, so that what they lack has not vanished.
        confirmed: they are, even if much has vanished.
        tables: operator tables are whole too; otherwise they only add and correct.

    """

    partial: bool = False
    confirmed: bool = False
    tables: bool = False

    def covers(self, layout: Layout) -> bool:
        """Say whether what a file of this layout lacks has vanished."""
        if layout.snapshot:
            return not self.partial
        return self.tables and layout.ours and layout.table.startswith("bruto_sisreg.")

    def note(self) -> dict[str, Any]:
        """Return what `carga.json` says of it."""
        return {"parcial": self.partial, "confirmada": self.confirmed, "tabelas": self.tables}

    @classmethod
    def of(cls, note: dict[str, Any]) -> Completeness:
        """Return how a load that was accepted is repeated: nothing needs to be confirmed again."""
        return cls(partial=note["parcial"], confirmed=True, tables=note["tabelas"])


WHOLE = Completeness()


def load(
    settings: Settings,
    paths: Iterable[Path],
    completeness: Completeness = WHOLE,
    only: tuple[str, ...] = (),
    seen_on: date | None = None,
) -> list[Summary]:
    """Load export files; a folder stands for the files in it, each content is loaded once.

    Args:
        settings: where the data are.
        paths: files and folders.
        completeness: how to read what a snapshot lacks.
        only: names of the layouts that are accepted; none given, all are.
        seen_on: day on which the files were exported, by default today in Brasília.

    Raises:
        click.BadParameter: a file is older than one of its layout that is loaded; nothing is
            loaded then.
        LayoutError: a file has no known layout; nothing is loaded then.
        FormatError: a file cannot be read.

    """
    with warehouse.connect(settings.warehouse) as con, progress() as display:
        resume.seal_committed(con, settings.landing)
        found = [
            file for path in files_in(paths) for file in _recognise_all(con, settings, path, only)
        ]
        task = display.add_task("files", total=len(found))
        summaries = []
        if seen_on:
            for file in found:
                seen.refuse_older(con, file.layout.name, file.facts.name, seen_on)
        for file in found:
            summaries.append(_load_file(con, settings, file, (completeness, seen_on)))
            display.advance(task)
    return summaries


def _recognise_all(
    con: duckdb.DuckDBPyConnection, settings: Settings, path: Path, only: tuple[str, ...]
) -> list[Recognised]:
    """Recognise a file, or those in a zip; one that is refused leaves its row in the audit."""
    name, found = path.name, list[Recognised]()
    source, entity = (source_of(NAMED[only[0]]), only[0]) if only else ("arquivo", UNKNOWN)
    try:
        for export in exports_in([path], settings.mapa_max_unpacked_mb * 2**20):
            name = export.name
            found.append(_expected(recognise(examine(export)), only))
    except HeaderError as error:
        layout = error.layout
        with audit.recording(con, source_of(layout), layout.name, name) as load:
            load.size = path.stat().st_size
            raise drift.refuse_header(load, error) from None
    except MapaError as error:
        audit.refuse(con, (source, entity, name), path.stat().st_size, error)
    return found


def _expected(file: Recognised, only: tuple[str, ...]) -> Recognised:
    """Return a file if its layout is accepted.

    Raises:
        LayoutError: it is not.

    """
    if only and file.layout.name not in only:
        raise LayoutError(
            f"{file.facts.name} is a file of the `{file.layout.name}` layout; expected "
            f"`{'` or `'.join(only)}`.\nLoad it with\n  mapa load export FILE"
        )
    return file


def _load_file(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    file: Recognised,
    reading: tuple[Completeness, date | None],
) -> Summary:
    """Load one file in one transaction, absences included."""
    name, layout = file.facts.name, file.layout
    completeness, seen_on = reading
    before = seen.newest_day(con, "sha256", file.facts.sha256)
    # The same content seen again on a later day may undo what came between.
    if before and not (seen_on and seen_on > before):
        return Summary(layout.name, name, Tally(), skipped="already loaded, skipped")
    source = source_of(layout)
    with audit.recording(con, source, layout.name, name) as load:
        folder = Folder(settings.landing, source, load.id)
        load.watch(folder)
        load.sha256 = file.facts.sha256
        landed = land(folder, file.facts.export, file.facts.sha256)
        seen.stamp(load, seen_on)
        _take(load, file, landed, completeness, settings.mapa_max_rejected_share)
        folder.prepare(load.note() | completeness.note())
    folder.seal()
    return load.summary()


def _take(
    load: Load, file: Recognised, landed: Landed, completeness: Completeness, most: float
) -> None:
    """Load a landed file, absences included."""
    name, layout = file.facts.name, file.layout
    drift.compare(load, layout, dict.fromkeys(file.columns, drift.TEXT))
    intake = Intake(load, layout, headed=True, follow=completeness.covers(layout))
    unreadable = rows.take(intake, file, landed)
    intake.finish(name)
    refuse_many_rejects(load, name, most)
    load.report_unknown(layout.table, file.unknown)
    if completeness.covers(layout):
        snapshot.compare(load, layout, name, completeness.confirmed, unreadable)


def repeat(load: Load, landed: list[Landed], note: dict[str, Any]) -> None:
    """Load a landed file again, as its note says it was loaded."""
    (received,) = landed
    file = recognise(examine(Export(received.path)))
    _take(load, file, received, Completeness.of(note), most=1)


def source_of(layout: Layout) -> str:
    """Return the source, in audit and landing, of files of a layout."""
    return SOURCES[layout.table.split(".")[0]]


def refuse_many_rejects(load: Load, name: str, most: float) -> None:
    """Refuse a file of which too many rows are wrong: it is then another thing than it seems.

    Raises:
        FormatError: says how many, where and why; the open transaction is then rolled back.

    """
    rejected, received = load.tally.rejected, load.tally.received
    if rejected <= most * received:
        return
    reasons = load.con.execute(
        "select motivo, count(*), min(linha) from controle.rejeitos where carga_id = ? "
        "group by motivo order by min(linha)",
        [load.id],
    ).fetchall()
    found = "; ".join(f"{why}: {count}, the first in line {line}" for why, count, line in reasons)
    raise FormatError(
        f"{name}: {rejected} of {received} rows are wrong, at most {100 * most:.4g} % may be; "
        f"nothing was loaded.\n{found}.\nCorrect them in the source and export again, or accept "
        "more with MAPA_MAX_REJECTED_SHARE."
    )


def land(folder: Folder, export: Export, sha256: str) -> Landed:
    """Copy an export to landing, compressed.

    Raises:
        FormatError: its content is not the one that had this checksum when it was examined.

    """
    digest, watch = hashlib.sha256(), synthetic.Watch()

    def packed() -> Iterator[bytes]:
        packer = zlib.compressobj(wbits=31)
        for chunk in watch.over(export.chunks()):
            digest.update(chunk)
            yield packer.compress(chunk)
        yield packer.flush()

    # Members of archives have longer names than a disk takes; the end of a name tells more.
    landed = folder.write(f"{export.title.removesuffix('.gz')[-MOST_NAME:]}.gz", packed())
    if digest.hexdigest() != sha256:
        raise FormatError(
            f"{export.name} changed while it was being read; nothing was loaded.\n"
            "Wait until the export has finished, then try again."
        )
    folder.synthetic = folder.synthetic or watch.found or synthetic.is_marked(export.path)
    return landed
