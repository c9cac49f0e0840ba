"""Rows of a recognised export file, read by DuckDB's CSV reader with every line accounted for.

All columns are text. Rows that cannot be read go to `controle.rejeitos` with their line. The
physical lines are counted apart (`recognise`), and what was read must add up to them: a quotation
mark that is never closed swallows the rows behind it, and such a file is refused whole.
"""

from __future__ import annotations

import io
import itertools
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import orjson
import pyarrow as pa

from mapa import landing, sealing
from mapa.errors import FormatError
from mapa.landing import Landed, disk
from mapa.load.archives import GZIP, Export
from mapa.load.documents import json_object
from mapa.load.intake import Intake
from mapa.load.recognise import UNIT, Recognised
from mapa.packing import packed
from mapa.sql import literal, quoted

HEADER_LINES = 1
QUOTED = re.compile(r'"(?:[^"]|"")*"')
"""A text in quotation marks, those inside it doubled."""
REASONS = {
    "MISSING COLUMNS": "colunas a menos",
    "TOO MANY COLUMNS": "colunas a mais",
    "UNQUOTED VALUE": "aspas fora do lugar",
    "INVALID ENCODING": "codificação inválida",
    "LINE SIZE OVER MAXIMUM": "linha longa demais",
}


@dataclass(frozen=True)
class Bad:
    """One row that cannot be read; `breaks` are line breaks inside it."""

    line: int
    column: str | None
    kind: str
    breaks: int


def take(intake: Intake, file: Recognised, landed: Landed) -> int:
    """Load the rows of a file, reject those that cannot be read, and return how many these are.

    The file is read twice: first to see whether all its lines can be accounted for.

    Raises:
        FormatError: they cannot, or the file declares another number of records.

    """
    # DuckDB takes the line end of the first rows for that of all.
    for one_line_end in (False, True):
        with _utf8(file, landed, one_line_end) as text:
            try:
                count, bad = _check(intake, file, text)
            except duckdb.InvalidInputException:
                continue
            if bad:
                intake.reject_unreadable(landed.name, _rejected(bad))
            for batch in intake.read_in_parts(_relation(file, text, bad)):
                intake.settle((batch, landed.name), header_lines=HEADER_LINES)
            if intake.tally.received != count + len(bad):
                break
            return len(bad)
    raise FormatError(
        f"{file.facts.name} cannot be read as `{file.layout.name}`; nothing was loaded.\n"
        "Export it again, in UTF-8 if there is a choice."
    )


def with_text_quotes(intake: Intake, file: Recognised, landed: Landed) -> Recognised:
    """Say that quotation marks are text where they cannot be read as those around a text.

    That is so when the file cannot be read by the rules of quotation, and every line has its number
    of fields when it is read without them: `;"MARIA" DA SILVA;`, `;"JOSE;`.
    """
    if not file.facts.quoted:
        return file
    try:
        with _utf8(file, landed, one_line_end=False) as text:
            _, bad = _check(intake, file, text)
        is_regular = not bad
    except (FormatError, duckdb.InvalidInputException):
        is_regular = False
        for table in ("reject_errors", "reject_scans"):
            intake.load.scratch.execute(f"drop table if exists {table}")
    count = 0 if is_regular else _text_quotes(file, landed)
    if not count:
        return file
    intake.load.notes.append(f"quotation marks read as text (lines: {count})")
    return replace(file, has_text_quotes=True)


def _text_quotes(file: Recognised, landed: Landed) -> int:
    """Return how many lines have quotation marks that are text; 0 when that would be a guess."""
    count, quoted_anew = 0, _quoted_anew(file)
    for line in _lines(file, landed):
        if not line.strip("\n"):
            continue
        mended = quoted_anew(line)
        if mended is None:
            return 0
        count += mended != line
    return count


def _lines(file: Recognised, landed: Landed) -> Iterator[str]:
    """Yield the lines below the header, decoded, their ends all alike."""
    parts, above = list[str](), HEADER_LINES
    for text in _texts(file, landed, one_line_end=True):
        first, *others = text.split("\n")
        parts.append(first)
        for line in others:
            if above:
                above -= 1
            else:
                yield f"{''.join(parts)}\n"
            parts = [line]
    if (rest := "".join(parts)) and not above:
        yield rest


def _texts(file: Recognised, landed: Landed, *, one_line_end: bool) -> Iterator[str]:
    """Yield the landed file decoded, its line ends as they are or all alike."""
    reader = io.IncrementalNewlineDecoder(None, translate=one_line_end)
    for text in itertools.chain(file.facts.texts(Export(landed.path)), [None]):
        yield reader.decode(text or "", final=text is None)


def _quoted_anew(file: Recognised) -> Callable[[str], str | None]:
    """Return what writes the marks of a line by the rules of quotation, or None if it must not.

    It must not when the line has another number of fields, or when the file quotes its texts, as
    its header shows, and one of them is cut off.
    """
    delimiter, count = file.delimiter, len(file.columns)
    header = file.facts.first_line.rstrip(f"{delimiter}\r").split(delimiter)
    quotes_texts = all(QUOTED.fullmatch(name) for name in header)

    def quoted_anew(line: str) -> str | None:
        body = line.rstrip("\n")
        cells = body.split(delimiter)
        if len(cells) == count + 1 and not cells[-1]:
            cells = cells[:-1]
        if len(cells) != count:
            return None
        for place, cell in enumerate(cells):
            if '"' not in cell or QUOTED.fullmatch(cell):
                continue
            text = cell
            if quotes_texts:
                if len(cell) < 2 or not (cell.startswith('"') and cell.endswith('"')):
                    return None
                text = cell[1:-1]
            cells[place] = '"' + text.replace('"', '""') + '"'
        return delimiter.join(cells) + line[len(body) :] if '"' in body else line

    return quoted_anew


def _rejected(bad: list[Bad]) -> pa.Table:
    return pa.table(
        {
            "linha": pa.array([row.line for row in bad], pa.int64()),
            "coluna": pa.array([row.column for row in bad], pa.string()),
            "motivo": [REASONS.get(row.kind, "linha ilegível") for row in bad],
        }
    )


def _check(intake: Intake, file: Recognised, text: Path) -> tuple[int, list[Bad]]:
    """Read all rows, return how many can be read and which cannot.

    Raises:
        FormatError: lines are unaccounted for, or the file declares another number of records.
        duckdb.InvalidInputException: DuckDB gives up.

    """
    con = intake.load.scratch
    everything = ", ".join(quoted(c) for c in file.columns)
    # A text over several lines with as many delimiters as a row is rows swallowed by a quotation
    # mark that closes further down. What DuckDB rejects is written down with the last row fetched.
    ((count, breaks, most),) = con.execute(
        f"""
        select count(*), coalesce(sum({_count_of("chr(10)", "t")}), 0),
            coalesce(max({_count_of(literal(file.delimiter), "t")})
                filter (where contains(t, chr(10))), 0)
        from (select concat_ws('', {everything}) as t from {_csv(file, text)})
        """
    ).fetchall()
    found = con.execute(
        f"""
        select line, arg_min(column_name, column_idx), min(cast(error_type as varchar)),
            min({_count_of("chr(10)", "rtrim(csv_line, chr(10))")})
        from reject_errors group by line order by line
        """
    ).fetchall()
    # They quote the rows, so they do not outlive this.
    con.execute("drop table reject_errors")
    con.execute("drop table reject_scans")
    bad = [Bad(line, column, kind, inside or 0) for line, column, kind, inside in found]
    if most >= len(file.columns) - 1:
        raise _inseparable(file)
    _account(file, count, breaks, bad)
    return count, bad


def _csv(file: Recognised, text: Path) -> str:
    """Return the table function that reads the file, all columns as text."""
    names = ", ".join(f"{literal(c)}: 'VARCHAR'" for c in file.columns)
    return (
        f"read_csv({literal(str(text))}, columns={{{names}}}, delim={literal(file.delimiter)}, "
        f"quote='\"', escape='\"', header=false, skip={HEADER_LINES}, auto_detect=false, "
        f"strict_mode=true, store_rejects=true, compression={_compression(text)})"
    )


def _compression(text: Path) -> str:
    """Say how a file is packed that has no name which says so."""
    with text.open("rb") as file:
        return literal("gzip" if file.read(len(GZIP)) == GZIP else "none")


def _relation(file: Recognised, text: Path, bad: list[Bad]) -> str:
    """Return the select that turns the file into the columns of its layout.

    Rows are numbered by their position in the file, those that cannot be read included.
    """
    known = set(file.columns)
    columns = ", ".join(
        f"{quoted(c) if c in known else literal(file.unit) if c == UNIT and file.unit else 'null'}"
        f" as {quoted(c)}"
        for c in file.layout.columns
    )
    # Readable rows before each bad one.
    before = [row.line - HEADER_LINES - 1 - index for index, row in enumerate(bad)]
    position = f"n + len(list_filter({before}, lambda b: b < n))" if bad else "n"
    return f"""
        select {columns}, {position} as _linha, {_extras(file)} as _campos_extras
        from (select *, row_number() over () as n from {_csv(file, text)})
    """


def _count_of(character: str, text: str) -> str:
    """Return SQL for how often a character is in a text."""
    return f"length({text}) - length(replace({text}, {character}, ''))"


def _extras(file: Recognised) -> str:
    """Return SQL for the unknown columns as one JSON object, null when all are empty."""
    return json_object(
        f"{literal(orjson.dumps(name).decode() + ':')} || to_json({quoted(name)})"
        for name in file.unknown
    )


@contextmanager
def _utf8(file: Recognised, landed: Landed, one_line_end: bool) -> Iterator[Path]:
    """Give the path of the file as UTF-8: landing itself, or a copy that ends with the block."""
    if file.facts.encoding == "utf-8" and not one_line_end and not file.has_text_quotes:
        with landing.plain(landed.path) as path:
            yield path
    elif sealing.is_sealed(landed.path):
        # In memory, and packed: a copy of everything would not be bounded.
        with sealing.in_memory() as (out, path):
            for piece in packed(_rewritten(file, landed, one_line_end=one_line_end)):
                out.write(piece)
            yield path
    else:
        with tempfile.TemporaryDirectory(dir=landed.path.parent, prefix=".") as folder:
            copy = Path(folder) / "utf8.csv"
            with disk(copy.parent), copy.open("wb") as out:
                out.writelines(_rewritten(file, landed, one_line_end=one_line_end))
            yield copy


def _rewritten(file: Recognised, landed: Landed, *, one_line_end: bool) -> Iterator[bytes]:
    """Yield a file in UTF-8, quoted anew when its marks are text."""
    if file.has_text_quotes:
        quoted_anew = _quoted_anew(file)
        yield b"\n" * HEADER_LINES
        for line in _lines(file, landed):
            yield _encoded(quoted_anew(line) or line)
    else:
        for piece in _texts(file, landed, one_line_end=one_line_end):
            yield _encoded(piece)


def _encoded(text: str) -> bytes:
    """Return a text in UTF-8; what is no text stays none, so that its row is rejected."""
    return text.encode("utf-8", "surrogateescape")


def _account(file: Recognised, count: int, breaks: int, bad: list[Bad]) -> None:
    """Check that the lines read and rejected are all the lines of the file."""
    name = file.facts.name
    swallowing = [b for b in bad if b.kind == "UNQUOTED VALUE" and b.breaks]
    seen = count + breaks + sum(1 + b.breaks for b in bad)
    # Empty lines are not records; inside a quoted text they are counted among its breaks.
    lost = file.records_lines - seen
    most = file.facts.blank
    if swallowing or not (0 if file.facts.quoted else most) <= lost <= most:
        line = f" after line {swallowing[0].line}" if swallowing else ""
        raise _inseparable(file, line)
    if not count:
        raise FormatError(
            f"{name}: none of {len(bad)} rows can be read as `{file.layout.name}`; nothing was "
            f"loaded.\nExpected are {len(file.columns)} columns, as in the header. Compare with\n"
            f"  mapa load export --describe {file.layout.name}"
        )
    if file.total is not None and file.total != count + len(bad):
        raise FormatError(
            f"{name}: the first line declares {file.total} records and {count + len(bad)} follow; "
            "nothing was loaded.\nThe file is cut off or mixed: export it again."
        )


def _inseparable(file: Recognised, line: str = "") -> FormatError:
    return FormatError(
        f"{file.facts.name}: rows{line} cannot be told apart; nothing was loaded. A quotation mark "
        f"is probably never closed.\nExpected are {len(file.columns)} columns in each line, or "
        "marks that are closed and doubled inside a text. Correct the line in the source, or "
        "export the file again, then load it again."
    )
