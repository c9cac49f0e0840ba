"""What is this file? Encoding, size and layout of an export, from its own bytes.

The layout is recognised by its header, whatever the file is called: names are compared without
case, accents, dots and blanks, in any order, and the delimiter is the one under which the header
makes sense. The booking file's TXT form has no header; its first line is recognised instead.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mapa import layouts
from mapa.errors import FormatError, LayoutError
from mapa.layouts import Layout
from mapa.load.archives import Export

DELIMITERS = (";", ",", "\t")
HEAD = 2**16
CERTAIN = 0.5
"""Share of names in common from which a header is taken for a layout, complete or not."""
AGENDAMENTO, UNIT = "agendamento", "cod_cnes_exec"
"""The booking file, and the column of its unit, which stands in its name or its first line."""
CP1252_GAPS = b"\x81\x8d\x8f\x90\x9d"
BOM = b"\xef\xbb\xbf"
LIKE_UTF8 = re.compile(
    rb"\xc3[\x80-\x83\x87\x89\x8a\x8d\x93-\x95\x9a\x9c\xa0-\xa3\xa7\xa9\xaa\xad\xb3-\xb5\xba\xbc]"
    rb"|\xe2[\x80-\x82][\x80-\xbf]"
)
"""A letter of Portuguese, a dash or a mark in UTF-8; in windows-1252 signs that no word has."""
MOST_STRANGE = 10_000
"""Lines in another encoding than the rest that are kept in mind."""
SAME = 16
"""Bytes of a header by which it is known again."""
DAY = r"\d{1,2}([./-])\d{1,2}\1(?:\d{4}|\d{2})|\d{4}([./-])\d{1,2}\2\d{1,2}"
TXT_LINE = re.compile(r"\d{1,7}"), re.compile(DAY), re.compile(r"\d+")
"""Of the first line of the booking TXT: unit, days in any writing, number of bookings."""


class HeaderError(LayoutError):
    """A header is that of a layout but for some columns."""

    def __init__(self, message: str, layout: Layout, columns: tuple[str, ...]) -> None:
        """Keep which layout, and the columns found."""
        super().__init__(message)
        self.layout, self.columns = layout, columns
        self.expected = expected_columns(layout)


@dataclass(frozen=True)
class Facts:
    """What one pass over a file tells.

    Attributes:
        sha256: of the content, unpacked.
        encoding: `utf-8`, `windows-1252` or `iso-8859-1`; a UTF-8 byte order mark is seen through.
        lines: physical lines, `blank` of them empty.
        quoted: whether there is any quotation mark, so that a text may run over several lines.
        head: the first bytes, for the header.
        strange: lines, from 1, that are in another encoding than the others.

    """

    export: Export
    sha256: str
    encoding: str
    lines: int
    blank: int
    quoted: bool
    head: bytes
    strange: frozenset[int] = frozenset()

    @property
    def name(self) -> str:
        """Return the name of the file for messages."""
        return self.export.name

    @property
    def first_line(self) -> str:
        """Return the first line, decoded."""
        codec = "utf-8-sig" if self.encoding == "utf-8" else self.encoding
        return self.head.decode(codec, errors="ignore").replace("\r", "\n").partition("\n")[0]

    def texts(self, export: Export) -> Iterator[str]:
        """Yield the content of a copy of this file, decoded, piece by piece.

        What is in another encoding than the rest comes as halves of characters, which are no text:
        written with `surrogateescape`, they are no UTF-8 either.
        """
        codec = "utf-8-sig" if self.encoding == "utf-8" else self.encoding
        if not self.strange:
            yield from codecs.iterdecode(export.chunks(), codec)
            return
        for number, line in enumerate(_lines(export), start=1):
            if number in self.strange and self.encoding != "utf-8":
                # Every byte has a meaning in windows-1252; none may be given to it here.
                yield f"\udcff{line.decode('iso-8859-1')}"
            else:
                yield line.decode(codec if number == 1 else self.encoding, "surrogateescape")


@dataclass(frozen=True)
class Recognised:
    """A file of a known layout.

    Attributes:
        columns: normalised names in the order of the file.
        unit: CNES of the executing unit when it does not stand in the rows.
        total: number of records that the file itself declares.
        is_named: whether the file itself names the unit; else its name or the operator does.
        has_text_quotes: whether quotation marks are text, see `rows.with_text_quotes`.

    """

    facts: Facts
    layout: Layout
    delimiter: str
    columns: tuple[str, ...]
    unit: str | None = None
    total: int | None = None
    is_named: bool = False
    has_text_quotes: bool = False

    @property
    def unknown(self) -> tuple[str, ...]:
        """Return the columns that the layout does not know."""
        known, layout = {*self.layout.columns}, self.layout
        return tuple(c for c in self.columns if c not in known and not layout.withholds(c))

    @property
    def is_empty(self) -> bool:
        """Say whether the file declares that it holds no record, and holds none."""
        return self.total == 0 and self.records_lines <= self.facts.blank

    @property
    def scope(self) -> str:
        """Return of which unit the file is when it does not say so itself, as `controle` keeps it.

        The same content is another delivery when it is of another unit.
        """
        return f"unidade {self.unit}" if self.unit and not self.is_named else ""

    @property
    def records_lines(self) -> int:
        """Return the physical lines below the header."""
        return self.facts.lines - 1


def examine(export: Export, *, again: bool = False) -> Facts:
    """Read a file once and return its facts.

    Args:
        export: the file.
        again: it is in landing: what was accepted when it came is not judged again.

    Raises:
        FormatError: it is empty, damaged, not a text file, or put together of several.

    """
    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    is_utf8, quoted = True, False
    lines, blank, head = 0, 0, b""
    # Of the last line, which may be as long as the file, only how it begins.
    rest = b""
    for chunk in export.chunks():
        digest.update(chunk)
        head = head if len(head) >= HEAD else head + chunk
        if not again:
            _refuse_joined(export, lines, rest, chunk, head)
        if b"\0" in chunk:
            raise FormatError(
                f"{export.name} is not a text file; nothing was loaded.\nExpected is a CSV or TXT "
                "export, as it is, in gz or in a zip; save a spreadsheet as CSV first."
            )
        *whole, last = chunk.split(b"\n")
        if whole:
            whole[0] = rest + whole[0]
            rest = b""
        rest = (rest + last[:SAME])[:SAME]
        lines += len(whole)
        blank += whole.count(b"") + whole.count(b"\r")
        quoted = quoted or b'"' in chunk
        try:
            is_utf8 = is_utf8 and decoder.decode(chunk) is not None
        except UnicodeDecodeError:
            is_utf8 = False
    # A character that the end of the file cuts off.
    is_utf8 = is_utf8 and not decoder.getstate()[0]
    if not head.strip(b"\r\n \t\xef\xbb\xbf"):
        raise failed_export(export.name, "is empty")
    encoding, strange = ("utf-8", frozenset[int]()) if is_utf8 else _encoding(export, again)
    lines += bool(rest)
    return Facts(export, digest.hexdigest(), encoding, lines, blank, quoted, head[:HEAD], strange)


def _refuse_joined(export: Export, lines: int, rest: bytes, chunk: bytes, head: bytes) -> None:
    """Refuse a file with another one behind it: a byte order mark that is not at its beginning.

    Args:
        export: the file.
        lines: whole lines before this piece.
        rest: how the line begins that this piece goes on with.
        chunk: the piece.
        head: the first bytes of the file.

    """
    if BOM not in chunk:
        return
    header = head.removeprefix(BOM)[:SAME]
    place = chunk.find(BOM)
    while place >= 0:
        is_first = not lines and not rest and not place
        begins_line = chunk[place - 1 : place] == b"\n" if place else not rest
        if not is_first and (begins_line or chunk.startswith(header, place + len(BOM))):
            number = lines + chunk.count(b"\n", 0, place) + 1
            raise FormatError(
                f"{export.name}: another file begins in line {number} (a byte order mark); nothing "
                "was loaded.\nExpected is one export. Take the files apart, then load each."
            )
        place = chunk.find(BOM, place + 1)


def _encoding(export: Export, again: bool) -> tuple[str, frozenset[int]]:
    """Return the encoding of a file that is not UTF-8 as a whole, and the lines in another one.

    The file is in the encoding of most of its lines that tell. A line in both is in none.

    Raises:
        FormatError: its first line or too many lines are in another one.

    """
    places: dict[bool, list[int]] = {True: [], False: []}
    counts, gaps = Counter[bool](), False
    for number, line in enumerate(_lines(export), start=1):
        for is_utf8 in () if line.isascii() else _kinds(line):
            counts[is_utf8] += 1
            if len(places[is_utf8]) <= MOST_STRANGE:
                places[is_utf8].append(number)
            # The bytes of UTF-8 say nothing about the other.
            gaps = gaps or (not is_utf8 and any(byte in line for byte in CP1252_GAPS))
    names = {True: "utf-8", False: "iso-8859-1" if gaps else "windows-1252"}
    most = counts[True] > counts[False]
    strange = frozenset(places[not most])
    if not again and (len(strange) > MOST_STRANGE or 1 in strange):
        raise FormatError(
            f"{export.name} is in two encodings: line {places[most][0]} in {names[most]}, line "
            f"{places[not most][0]} in {names[not most]} ({counts[most]} and {counts[not most]} "
            "lines); nothing was loaded.\nExpected is one encoding, best UTF-8. Export it again, "
            "or take the parts apart and load each."
        )
    return names[most], strange


def _kinds(line: bytes) -> tuple[bool, ...]:
    """Say whether a line which is not ASCII is UTF-8; one in two encodings gets both answers."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return (False, True) if LIKE_UTF8.search(line) else (False,)
    # Two signs of windows-1252 may look like another one of UTF-8 that no Portuguese word has.
    return (True,) if LIKE_UTF8.search(line) else ()


def _lines(export: Export) -> Iterator[bytes]:
    """Yield the physical lines with their ends."""
    parts = list[bytes]()
    for chunk in export.chunks():
        first, *others = chunk.split(b"\n")
        parts.append(first)
        for line in others:
            yield b"".join(parts) + b"\n"
            parts = [line]
    if rest := b"".join(parts):
        yield rest


def recognise(facts: Facts, unit: str = "") -> Recognised:
    """Return the layout of a file.

    Args:
        facts: of the file.
        unit: CNES that the operator gives to a booking file, empty when none.

    Raises:
        LayoutError: no layout fits, or one fits but for some columns, or the unit is unknown or
            another one than the operator says.
        FormatError: there is nothing below the header.

    """
    found = _booking_txt(facts) or _by_header(facts)
    if found.records_lines - facts.blank <= 0 and not found.is_empty:
        raise failed_export(facts.name, "has a header and no record")
    if found.layout.name == AGENDAMENTO and UNIT not in found.columns:
        return _of_unit(found, unit)
    if unit:
        raise LayoutError(
            f"{facts.name} is a file of the `{found.layout.name}` layout, whose rows name their "
            "units; nothing was loaded.\nExpected with --unit is a booking file. Load this one "
            "without it:\n  mapa load export FILE"
        )
    return found


def _of_unit(found: Recognised, given: str) -> Recognised:
    """Return a booking file with its unit: from its first line, the operator, or its name.

    Raises:
        LayoutError: nobody says it, or two say different ones.

    """
    name = found.facts.name
    said = {found.unit} if found.unit else set[str]()
    said = said or set(re.findall(r"(?<!\d)\d{7}(?!\d)", found.facts.export.title))
    if given and said and said != {given}:
        where = "first line" if found.unit else "name"
        raise LayoutError(
            f"{name}: its {where} names another unit than --unit; nothing was loaded.\n"
            "Expected is one unit. Check which one exported the file, then correct --unit or "
            f"{'leave it out' if found.unit else 'rename the file'}."
        )
    said = said or ({given} if given else set())
    if len(said) != 1:
        raise LayoutError(
            f"{name}: the booking file does not name its executing unit, so the "
            "file name must, or you; nothing was loaded.\nGive the CNES of the unit:\n"
            "  mapa load export --unit CNES FILE\n"
            "or name the file with it in 7 digits, such as agendamento_0010456_2026-04.csv, or "
            "export it as TXT."
        )
    return replace(found, unit=said.pop(), is_named=bool(found.unit))


def normalise(name: str) -> str:
    """Return a column name in lower case, without accents and dots, blanks as underscores."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    # The dump of CNES names its dates by the expression that wrote them.
    plain = re.sub(r"^\s*to_char\(\s*(?:\w+\.)?(\w+)\s*,.*$", r"\1", plain)
    return re.sub(r"[^a-z0-9]+", "_", plain.replace(".", "")).strip("_")


def failed_export(name: str, what: str) -> FormatError:
    """Return the error for a file without records: an export that failed is no empty offer."""
    return FormatError(
        f"{name} {what}: the export failed. Nothing was loaded.\n"
        "Export it again; search first, then export, outside the blocked hours."
    )


def expected_columns(layout: Layout) -> tuple[str, ...]:
    """Return the columns that a file of this layout must have."""
    return tuple(c for c in _possible_columns(layout) if c not in layout.optional)


def _possible_columns(layout: Layout) -> tuple[str, ...]:
    """Return the columns that a file of this layout may have."""
    return tuple(c for c in layout.columns if layout.name != AGENDAMENTO or c != UNIT)


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _names(line: str, delimiter: str) -> tuple[str, ...]:
    """Return the normalised names of a header; a delimiter at its end opens no column."""
    names = [normalise(cell) for cell in _split(line.rstrip(delimiter), delimiter)]
    return tuple(names)


def _booking_txt(facts: Facts) -> Recognised | None:
    """Recognise the first line `CNES;Nome;dt_ini;dt_fim;total` of the booking file's TXT form."""
    number, day, count = TXT_LINE
    line = facts.first_line
    # The name of the unit may begin with a quotation mark that is text.
    ways = [(d, cut) for d in DELIMITERS for cut in (_split(line, d), line.split(d))]
    for delimiter, cut in ways:
        cells = [cell.strip() for cell in cut]
        if (
            len(cells) == 5
            and number.fullmatch(cells[0])
            and day.fullmatch(cells[2])
            and day.fullmatch(cells[3])
            and count.fullmatch(cells[4])
        ):
            layout = layouts.named(AGENDAMENTO)
            columns = expected_columns(layout)
            return Recognised(facts, layout, delimiter, columns, cells[0].zfill(7), int(cells[4]))
    return None


def _by_header(facts: Facts) -> Recognised:
    score, delimiter, columns, layout = max(
        (
            (_likeness(names, layout), delimiter, names, layout)
            for delimiter in DELIMITERS
            for names in [_names(facts.first_line, delimiter)]
            for layout in layouts.of_files()
        ),
        key=lambda found: found[0],
    )
    _refuse_look_alike(facts)
    if score < CERTAIN:
        known = ", ".join(layout.name for layout in layouts.of_files())
        raise LayoutError(
            f"{facts.name}: the header fits no known layout.\nKnown are {known}.\n"
            "See the columns of one with\n  mapa load export --describe escala"
        )
    missing = [c for c in expected_columns(layout) if c not in columns]
    repeated = sorted({c for c in columns if columns.count(c) > 1})
    if missing or repeated:
        problem = f"column `{(missing or repeated)[0]}` is {'missing' if missing else 'repeated'}"
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise HeaderError(
            f"{facts.name}: {problem}{more} (line 1).\n"
            f"Expected {len(expected_columns(layout))} columns of the `{layout.name}` layout; "
            f"found {len(columns)}.\nCheck that everything was exported, or list the columns with\n"
            f"  mapa load export --describe {layout.name}",
            layout,
            columns,
        )
    return Recognised(facts, layout, delimiter, columns)


def _likeness(names: tuple[str, ...], layout: Layout) -> float:
    """Return the share of names in common (Jaccard), so that the most specific layout wins."""
    theirs = {name for name in names if not layout.withholds(name)}
    ours = {*_possible_columns(layout)}
    return len(ours & theirs) / len(set(expected_columns(layout)) | theirs)


LOOK_ALIKES = (
    (
        "the 12-column file of the agenda screen",
        (
            "unidade_executante",
            "cod_solic",
            "data_hora",
            "cns",
            "nome",
            "nome_social",
            "nascimento",
            "idade",
            "origem",
            "unidade_solicitante",
            "vaga_solicitada",
            "cid_10",
        ),
        "It lacks the procedure and the professional: export the booking file (arquivo de "
        "agendamento) of the unit instead.",
        AGENDAMENTO,
    ),
    (
        "the public base's table of hours (tbCargaHorariaSus)",
        tuple(
            """
            co_unidade co_profissional_sus co_cbo tp_sus_nao_sus ind_vinculacao tp_terceiro_sih
            qt_carga_horaria_ambulatorial co_conselho_classe nu_registro sg_uf_crm tp_preceptor
            tp_residente nu_cnpj_detalhamento_vinculo dt_atualizacao co_usuario
            dt_atualizacao_origem qt_carga_horaria_outros qt_carga_hor_hosp_sus
            """.split()  # noqa: SIM905 - they read better as a block of words
        ),
        "It numbers the professionals and has no CPF, so nobody in it can be found in SISREG: "
        "write the hours from the manager's own base of CNES (LFCES021 with LFCES018) instead.",
        "carga_horaria",
    ),
    (
        "the register of establishments of the open-data portal (cnes_estabelecimentos.csv)",
        # What it shares with the table of the base does not tell them apart.
        ("co_cnes", "no_fantasia", "co_uf", "co_ibge"),
        "It says where a unit is, not which municipality and health region manage it, and it has "
        "no date: take tbEstabelecimentoAAAAMM.csv out of BASE_DE_DADOS_CNES_AAAAMM.ZIP "
        "(cnes.datasus.gov.br, downloads) and load it with\n"
        "  mapa load cnes tbEstabelecimentoAAAAMM.csv",
        "cnes_estabelecimento",
    ),
)
"""Files that are easily taken for a layout: what they are, their columns, what to do instead, and
the layout to look at."""


def _refuse_look_alike(facts: Facts) -> None:
    for delimiter in DELIMITERS:
        names = {normalise(cell) for cell in _split(facts.first_line, delimiter)}
        for title, columns, instead, layout in LOOK_ALIKES:
            if len(names & set(columns)) > len(columns) * CERTAIN:
                raise LayoutError(
                    f"{facts.name} is {title} and is not loaded.\n{instead}\n"
                    f"See the columns expected with\n  mapa load export --describe {layout}"
                )
