"""Export files to raw: recognised by their header, landed, and read by DuckDB.

A file is one load and one transaction. A folder is loaded in the order of the names of its files,
and content that has been loaded before is skipped, so that a folder may simply be loaded again.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from mapa import audit, warehouse
from mapa.audit import Summary, Tally
from mapa.errors import FormatError, LayoutError
from mapa.landing import Folder, Landed
from mapa.load import rows, snapshot
from mapa.load.intake import Intake
from mapa.load.recognise import Recognised, chunks, examine, recognise
from mapa.settings import Settings
from mapa.ui import progress

SOURCES = {"bruto_sisreg": "arquivo", "bruto_cadsus": "cadsus", "bruto_cnes": "cnes"}


@dataclass(frozen=True)
class Completeness:
    """Whether files of a snapshot layout are the whole picture.

    Attributes:
        partial: they are not, so that what they lack has not vanished.
        confirmed: they are, even if much has vanished.

    """

    partial: bool = False
    confirmed: bool = False


WHOLE = Completeness()


def load(
    settings: Settings,
    paths: Iterable[Path],
    completeness: Completeness = WHOLE,
    only: tuple[str, ...] = (),
) -> list[Summary]:
    """Load export files; a folder stands for the files in it, each content is loaded once.

    Args:
        settings: where the data are.
        paths: files and folders.
        completeness: how to read what a snapshot lacks.
        only: names of the layouts that are accepted; none given, all are.

    Raises:
        LayoutError: a file has no known layout; nothing is loaded then.
        FormatError: a file cannot be read.

    """
    found = [recognise(examine(path)) for path in _files(paths)]
    for file in found:
        if only and file.layout.name not in only:
            raise LayoutError(
                f"{file.facts.path.name} is a file of the `{file.layout.name}` layout; expected "
                f"`{'` or `'.join(only)}`.\nLoad it with\n  mapa load export FILE"
            )
    with warehouse.connect(settings.warehouse) as con, progress() as display:
        task = display.add_task("files", total=len(found))
        summaries = []
        for file in found:
            summaries.append(_load_file(con, settings, file, completeness))
            display.advance(task)
    return summaries


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files; those of a folder in the order of their names, which carry their dates."""
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.iterdir() if p.is_file() and p.name[0] != ".")
        else:
            yield path


def _load_file(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    file: Recognised,
    completeness: Completeness,
) -> Summary:
    """Load one file in one transaction, absences included."""
    name, layout = file.facts.path.name, file.layout
    if audit.already_loaded(con, file.facts.sha256):
        return Summary(layout.name, name, Tally(), skipped="already loaded, skipped")
    source = SOURCES[layout.table.split(".")[0]]
    with audit.recording(con, source, layout.name, name) as load:
        folder = Folder(settings.landing, source, load.id)
        landed = _land(folder, file)
        load.size, load.sha256 = landed.size, file.facts.sha256
        intake = Intake(load, layout)
        unreadable = rows.take(intake, file, landed)
        intake.finish(name)
        load.report_unknown(layout.table, file.unknown)
        if layout.snapshot and not completeness.partial:
            snapshot.compare(load, layout, name, completeness.confirmed, unreadable)
        folder.finish({"carga_id": load.id, "fonte": source, "entidade": layout.name})
    return load.summary()


def _land(folder: Folder, file: Recognised) -> Landed:
    """Copy the file to landing, compressed.

    Raises:
        FormatError: it changed since it was examined.

    """
    digest = hashlib.sha256()

    def packed() -> Iterator[bytes]:
        packer = zlib.compressobj(wbits=31)
        for chunk in chunks(file.facts.path):
            digest.update(chunk)
            yield packer.compress(chunk)
        yield packer.flush()

    landed = folder.write(f"{file.facts.path.name.removesuffix('.gz')}.gz", packed())
    if digest.hexdigest() != file.facts.sha256:
        raise FormatError(
            f"{file.facts.path.name} changed while it was being read; nothing was loaded.\n"
            "Wait until the export has finished, then try again."
        )
    return landed
