"""Export files to raw: recognised by their header, landed, and read by DuckDB.

A file is one load and one transaction. A folder is loaded in the order of the names of its files,
and what stands in it since it was loaded is skipped, so that a folder may simply be loaded again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import duckdb

from mapa import audit, layouts, signals, sources, synthetic
from mapa.audit import Load, Summary, Tally
from mapa.errors import FormatError, LayoutError, MapaError, PartialError, UnexpectedError
from mapa.landing import Folder, Landed
from mapa.layouts import Layout
from mapa.load import deliveries, drift, rows, seen, snapshot
from mapa.load.archives import Export, exports_in, files_in
from mapa.load.deliveries import SKIPPED, Delivery
from mapa.load.intake import Intake
from mapa.load.recognise import AGENDAMENTO, HeaderError, Recognised, examine, recognise
from mapa.packing import packed
from mapa.settings import Settings
from mapa.sources import FILES
from mapa.ui import progress

MOST_NAME = 100
"""Characters of a file's name that landing keeps."""
SCREEN_ROWS = 700
"""Bookings at which the screen cuts off."""
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
        return self.tables and layout.ours and sources.of_files(layout.schema).part == FILES.part

    def note(self) -> dict[str, Any]:
        """Return what `carga.json` says of it."""
        return {"parcial": self.partial, "confirmada": self.confirmed, "tabelas": self.tables}

    @classmethod
    def of(cls, note: dict[str, Any]) -> Completeness:
        """Return how a load that was accepted is repeated: nothing needs to be confirmed again."""
        return cls(partial=note["parcial"], confirmed=True, tables=note["tabelas"])


WHOLE = Completeness()
F = TypeVar("F")


def load(  # noqa: PLR0913 - all that an operator may ask for
    settings: Settings,
    paths: Iterable[Path],
    completeness: Completeness = WHOLE,
    only: tuple[str, ...] = (),
    seen_on: date | None = None,
    *,
    unit: str = "",
) -> list[Summary]:
    """Load export files; a folder stands for the files in it, each of which is loaded once.

    A file that is refused does not hold back the others.

    Args:
        settings: where the data are.
        paths: files and folders.
        completeness: how to read what a snapshot lacks.
        only: names of the layouts that are accepted; none given, all are.
        seen_on: day on which the files were exported, by default today in Brasília.
        unit: CNES of the executing unit, for booking files that do not name it.

    Raises:
        click.BadParameter: a file is older than one of its layout that is loaded; nothing is
            loaded then.
        LayoutError: the only file has no known layout.
        FormatError: the only file cannot be read.
        PartialError: some of several files are refused; the others are loaded.

    """
    paths = list(paths)
    with deliveries.house(settings) as con, progress() as display:
        most = settings.mapa_max_unpacked_mb * 2**20
        found = list(each_file(paths, most, lambda e: _expected(recognise(examine(e), unit), only)))
        found.sort(key=_rank)
        alone = is_alone(paths, found)
        what = (source_of(layouts.named(only[0])), only[0]) if only else (FILES.name, UNKNOWN)
        task = display.add_task("files", total=len(found))
        if seen_on:
            for file in found:
                if isinstance(file, Recognised):
                    seen.refuse_older(con, file.layout.name, file.facts.name, seen_on)

        def load_one(file: Recognised | Refused) -> Summary:
            display.advance(task)
            if isinstance(file, Refused):
                file.leave_row(con, *what)
            return _load_file(con, settings, file, (completeness, seen_on), alone=alone)

        return one_by_one(found, load_one)


def _rank(file: Recognised | Refused) -> int:
    """Return the place of a file: those that look others up come last, in the project's order."""
    layout = None if isinstance(file, Refused) else file.layout
    return layouts.every().index(layout) if layout and layout.refusals else -1


def rank(path: Path, most: int) -> int:
    """Return the place of a file among others: that of the last one in it.

    Raises:
        OSError: it cannot be looked at.

    """
    found = each_file([path], most, lambda export: recognise(examine(export), ""))
    return max(map(_rank, found), default=-1)


def is_alone(paths: Sequence[Path], found: Sequence[object]) -> bool:
    """Say whether what is loaded is one file that was named by itself."""
    return len(found) == 1 and not any(path.is_dir() for path in paths)


def one_by_one(files: Sequence[F], load_one: Callable[[F], Summary]) -> list[Summary]:
    """Load files, each on its own: one that is refused does not hold back the others.

    An error that nobody foresaw is told by its class; one that would meet all files ends it.

    Raises:
        LayoutError, FormatError: the only file is refused.
        PartialError: some of several are; their errors stand in its message.

    """
    summaries, refused = list[Summary](), list[MapaError]()
    for file in files:
        try:
            summaries.append(load_one(file))
        except (LayoutError, FormatError) as error:
            refused.append(error)
        except (MapaError, duckdb.FatalException):
            raise
        except Exception as error:
            if len(files) == 1 or signals.is_stop(error):
                raise
            refused.append(UnexpectedError.of(error))
    if refused and len(files) == 1:
        raise refused[0]
    if refused:
        rest = "the others are loaded" if summaries else "nothing was loaded"
        raise PartialError(
            f"{len(refused)} of {len(files)} files were refused; {rest}.\n"
            + "\n".join(error.message for error in refused)
            + "\nCorrect what is named, then load the same again: what is loaded is skipped.",
            summaries,
        )
    return summaries


@dataclass(frozen=True)
class Refused:
    """A file that is refused before it could be loaded: its name, its bytes and why."""

    name: str
    size: int
    error: MapaError

    def leave_row(self, con: duckdb.DuckDBPyConnection, source: str, entity: str) -> NoReturn:
        """Leave its row in the audit, of this entity unless the header says more, and raise."""
        if isinstance(self.error, HeaderError):
            layout = self.error.layout
            with audit.recording(con, source_of(layout), layout.name, self.name) as load:
                load.size = self.size
                raise drift.refuse_header(load, self.error) from None
        audit.refuse(con, (source, entity, self.name), self.size, self.error)


def each_file(
    paths: Iterable[Path], most: int, look: Callable[[Export], F]
) -> Iterator[F | Refused]:
    """Yield what a look at each file tells, or why it is refused; a zip may be so as a whole."""
    for path in files_in(paths):
        size = path.stat().st_size
        try:
            exports = list(exports_in([path], most))
        except (LayoutError, FormatError) as error:
            yield Refused(Export(path).name, size, error)
            continue
        for export in exports:
            try:
                yield look(export)
            except (LayoutError, FormatError) as error:
                yield Refused(export.name, size, error)


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
    *,
    alone: bool,
) -> Summary:
    """Load one file in one transaction, absences included."""
    name, layout = file.facts.name, file.layout
    completeness, seen_on = reading
    found = Delivery(layout.name, file.facts.sha256, file.facts.export.path, file.scope, alone)
    if found.is_known(con, seen_on):
        return Summary(layout.name, name, Tally(), skipped=SKIPPED)
    what = source_of(layout), layout.name, name
    with deliveries.receiving(con, settings.landing, what, found=found) as receipt:
        landed = land(receipt.folder, file.facts.export, file.facts.sha256)
        seen.stamp(receipt.load, seen_on)
        _take(receipt.load, file, landed, completeness, settings.mapa_max_rejected_share)
        receipt.note = completeness.note() | _unit_note(file)
    return receipt.load.summary()


def _take(
    load: Load, file: Recognised, landed: Landed, completeness: Completeness, most: float
) -> None:
    """Load a landed file, absences included."""
    name, layout = file.facts.name, file.layout
    drift.compare(load, layout, dict.fromkeys(file.columns, drift.TEXT))
    if file.is_empty:
        load.notes.append("the file declares 0 records")
        return
    intake = Intake(load, layout, headed=True, follow=completeness.covers(layout))
    file = rows.with_text_quotes(intake, file, landed)
    unreadable = rows.take(intake, file, landed)
    intake.finish(name)
    refuse_many_rejects(load, name, most)
    if layout.name == AGENDAMENTO and load.tally.received == SCREEN_ROWS:
        load.warn(
            f"{load.origin} holds exactly {SCREEN_ROWS} bookings, where SISREG's screen cuts off, "
            "its own count too: probably some are missing. Export shorter periods and load them too"
        )
    load.report_unknown(layout.table, file.unknown)
    if completeness.covers(layout):
        snapshot.compare(load, layout, name, completeness.confirmed, unreadable)


def repeat(load: Load, landed: list[Landed], note: dict[str, Any]) -> None:
    """Load a landed file again, as its note says it was loaded."""
    (received,) = landed
    file = recognise(examine(Export(received.path), again=True), note.get("unidade", ""))
    _take(load, file, received, Completeness.of(note), most=1)


def _unit_note(file: Recognised) -> dict[str, str]:
    """Return what `carga.json` says of a unit that the file itself does not name."""
    return {"unidade": file.unit, "escopo": file.scope} if file.unit and file.scope else {}


def source_of(layout: Layout) -> str:
    """Return the source, in audit and landing, of files of a layout."""
    return sources.of_files(layout.schema).name


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

    def chunks() -> Iterator[bytes]:
        for chunk in watch.over(export.chunks()):
            digest.update(chunk)
            yield chunk

    # Members of archives have longer names than a disk takes; the end of a name tells more.
    landed = folder.write(f"{export.title.removesuffix('.gz')[-MOST_NAME:]}.gz", packed(chunks()))
    if digest.hexdigest() != sha256:
        raise FormatError(
            f"{export.name} changed while it was being read; nothing was loaded.\n"
            "Wait until the export has finished, then try again."
        )
    folder.synthetic = folder.synthetic or watch.found or synthetic.is_marked(export.path)
    return landed
