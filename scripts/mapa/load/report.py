"""SISREG's report of the real offer into raw, by a map of its columns.

The way of a file is that of all exports: landed as received, one load and one transaction, wrong
rows to `controle.rejeitos`, content that was loaded before skipped. Only the reading differs: what
the columns mean says the map, which is landed beside the report as part of the evidence.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import duckdb
import orjson
import pyarrow as pa

from mapa.audit import Load, Summary, Tally
from mapa.errors import FormatError, LayoutError
from mapa.landing import Landed
from mapa.layouts import named
from mapa.load import deliveries, exports, seen
from mapa.load.archives import Export
from mapa.load.intake import Intake
from mapa.load.recognise import DELIMITERS, Facts, examine, failed_export
from mapa.load.report_map import ENTITY, Cells, ReportMap, Wrong
from mapa.load.strict import NOT_UTF8
from mapa.settings import Settings
from mapa.sources import REPORT

SOURCE = REPORT.name
UNEQUAL = FEWER, MORE = "colunas a menos", "colunas a mais"


@dataclass
class _Rows:
    """What the lines of a report are."""

    records: list[tuple[int, Cells]] = field(default_factory=list)
    wrong: list[tuple[int, str | None, str]] = field(default_factory=list)
    totals: int = 0
    has_text_quotes: bool = False


def load(
    settings: Settings,
    paths: Iterable[Path],
    map_file: Path,
    constants: Mapping[str, str],
    seen_on: date | None = None,
) -> list[Summary]:
    """Load reports of the real offer; a folder stands for the files in it.

    Args:
        settings: where the data are.
        paths: files and folders.
        map_file: which column of the report is which of ours.
        constants: what all rows have in common, over those of the map.
        seen_on: day on which the reports were exported, by default today in Brasília.

    Raises:
        ConfigError: the map is unfit.
        LayoutError: the only report does not have the columns that the map names.
        FormatError: it cannot be read.
        PartialError: some of several are refused; the others are loaded.

    """
    by = ReportMap.read(map_file, constants)
    paths = list(paths)
    most = settings.mapa_max_unpacked_mb * 2**20
    with deliveries.house(settings) as con:
        found = list(exports.each_file(paths, most, examine))
        alone = exports.is_alone(paths, found)
        way = _Way(by, map_file.read_bytes(), dict(constants), seen_on, alone)

        def load_one(file: Facts | exports.Refused) -> Summary:
            if isinstance(file, exports.Refused):
                file.leave_row(con, SOURCE, ENTITY)
            return _load_file(con, settings, file, way)

        return exports.one_by_one(found, load_one)


def repeat(load: Load, landed: list[Landed], note: dict[str, Any]) -> None:
    """Load a landed report again, by the map that was landed beside it."""
    received, map_file = landed
    by = ReportMap.read(map_file.path, note["constantes"])
    _take(load, examine(Export(received.path), again=True), received, by, most=1)


@dataclass(frozen=True)
class _Way:
    """The map as it is used, as it was written, and what was given beside it."""

    by: ReportMap
    content: bytes
    constants: dict[str, str]
    seen_on: date | None
    alone: bool

    def identity(self, sha256: str) -> str:
        """Return the checksum of a report and its map: corrected, it says something else."""
        constants = orjson.dumps(self.constants, option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(sha256.encode() + self.content + constants).hexdigest()


def _load_file(
    con: duckdb.DuckDBPyConnection, settings: Settings, facts: Facts, way: _Way
) -> Summary:
    """Load one report in one transaction."""
    identity = way.identity(facts.sha256)
    found = deliveries.Delivery(ENTITY, identity, facts.export.path, alone=way.alone)
    if found.is_known(con, way.seen_on):
        return Summary(ENTITY, facts.name, Tally(), skipped=deliveries.SKIPPED)
    what = SOURCE, ENTITY, facts.name
    with deliveries.receiving(con, settings.landing, what, found=found) as receipt:
        landed = exports.land(receipt.folder, facts.export, facts.sha256)
        receipt.folder.write("mapa.toml", way.content)
        seen.stamp(receipt.load, way.seen_on)
        _take(receipt.load, facts, landed, way.by, settings.mapa_max_rejected_share)
        receipt.note = {"constantes": way.constants}
    return receipt.load.summary()


def _take(load: Load, facts: Facts, landed: Landed, by: ReportMap, most: float) -> None:
    """Load a landed report; at most this share of its rows may be wrong."""
    rows = _read(facts, by)
    intake = Intake(load, named(ENTITY))
    if rows.wrong:
        intake.reject_unreadable(landed.name, _rejected(rows))
    if rows.records:
        lines, records = zip(*rows.records, strict=True)
        intake.settle((intake.read_rows([*records], lines), landed.name))
    intake.finish(facts.name)
    exports.refuse_many_rejects(load, facts.name, most)
    load.notes += [f"{rows.totals} lines of totals left out"] * bool(rows.totals)
    load.notes += ["quotation marks read as text"] * rows.has_text_quotes


def _read(facts: Facts, by: ReportMap) -> _Rows:
    """Tell records, wrong rows and lines of totals apart.

    Quotation marks are text when the rows cannot be told apart by them and every line has its
    number of fields without them.

    Raises:
        FormatError: there is no record, or rows cannot be told apart.

    """
    try:
        rows = _read_as(facts, by)
    except FormatError as refused:
        with suppress(FormatError, LayoutError):
            rows = _read_as(facts, by, csv.QUOTE_NONE)
            rows.has_text_quotes = not any(reason in UNEQUAL for _, _, reason in rows.wrong)
            if rows.has_text_quotes:
                return rows
        raise refused from None
    if not rows.records and not rows.wrong:
        raise failed_export(facts.name, "has a header and no record")
    return rows


def _read_as(facts: Facts, by: ReportMap, quoting: Literal[0, 3] = csv.QUOTE_MINIMAL) -> _Rows:
    """Read a report by the rules of quotation, or as if there were none.

    Raises:
        FormatError: rows cannot be told apart.

    """
    lines = _lines(facts)
    list(islice(lines, by.above))
    first = next(lines, "")
    delimiter = by.delimiter or max(
        DELIMITERS, key=lambda d: by.likeness(next(csv.reader([first], delimiter=d), []))
    )
    header = _stripped(next(csv.reader([first], delimiter=delimiter), []))
    read, is_total = by.reader_of(header, facts.name), by.totals_of(header, facts.name)
    rows = _Rows()
    table = csv.reader(lines, delimiter=delimiter, strict=True, quoting=quoting)
    before = by.above + 1
    try:
        for cells in table:
            line, before = before + 1, by.above + 1 + table.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if facts.strange and not _is_text(cells):
                rows.wrong.append((line, None, NOT_UTF8))
                continue
            if is_total(cells):
                rows.totals += 1
                continue
            try:
                rows.records.append((line, read(_fitted(cells, header))))
            except Wrong as wrong:
                rows.wrong.append((line, wrong.column, wrong.reason))
    except csv.Error:
        raise FormatError(
            f"{facts.name}: rows after line {before} cannot be told apart; nothing was loaded. A "
            "quotation mark is probably never closed.\nCorrect the line in the source, or export "
            "the file again."
        ) from None
    return rows


def _lines(facts: Facts) -> Iterator[str]:
    """Yield the physical lines, decoded."""
    parts = list[str]()
    for text in facts.texts(facts.export):
        first, *others = text.split("\n")
        parts.append(first)
        for line in others:
            yield f"{''.join(parts)}\n"
            parts = [line]
    if rest := "".join(parts):
        yield rest


def _is_text(cells: list[str]) -> bool:
    """Say whether cells are text throughout; see `Facts.texts`."""
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return False
    return True


def _stripped(cells: list[str]) -> list[str]:
    """Leave out the empty cells that delimiters at the end of a line open."""
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def _fitted(cells: list[str], header: list[str]) -> list[str]:
    """Return a row as wide as the header.

    Raises:
        Wrong: it is not, or it is the header once more.

    """
    if len(cells) < len(header):
        raise Wrong(None, FEWER)
    if any(cell.strip() for cell in cells[len(header) :]):
        raise Wrong(None, MORE)
    if cells[: len(header)] == header:
        raise Wrong(None, "cabeçalho repetido")
    return cells[: len(header)]


def _rejected(rows: _Rows) -> pa.Table:
    lines, columns, reasons = zip(*rows.wrong, strict=True)
    return pa.table(
        {
            "linha": pa.array(lines, pa.int64()),
            "coluna": pa.array(columns, pa.string()),
            "motivo": list(reasons),
        }
    )
