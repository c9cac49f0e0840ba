"""The map of a report without a published header: which of its columns is which of ours.

A small file of the operator's says it (`docs/oferta_real.exemplo.toml`). What the report was asked
for and therefore does not repeat in its rows (month, procedure, kind of agenda) comes as constants
of that file or of the command line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mapa import landing
from mapa.errors import ConfigError, LayoutError
from mapa.layouts import Layout, named
from mapa.load.archives import refuse_no_file
from mapa.load.recognise import normalise

Where = str | int
Cells = dict[str, str | None]
BLANK = {"", "-", "---"}
SECTIONS = {
    "formato": {"separador", "linhas_antes", "milhar"},
    "totais": {"coluna", "valores"},
}
OF_COLUMNS = ("constantes", "colunas", "valores")
"""Sections whose keys are columns of ours."""
ENTITY = "oferta_real"
MONTH = re.compile(
    r"(?P<ano>\d{4})-?(?P<mes>0[1-9]|1[0-2])|(?P<mes2>0?[1-9]|1[0-2])/(?P<ano2>\d{4})"
)
AGENDAS = {"TODAS", "REDE", "LOCAL"}
DAY = re.compile(r"(0[1-9]|[12]\d|3[01])/(0[1-9]|1[0-2])/\d{4}")


class Wrong(ValueError):  # noqa: N818 - a finding about one row, not a failure
    """A row cannot be loaded: which column, and why."""

    def __init__(self, column: str | None, reason: str) -> None:
        """Keep both apart; neither quotes a cell."""
        super().__init__(reason)
        self.column, self.reason = column, reason


@dataclass(frozen=True)
class ReportMap:
    """How a report is written, and what its columns are.

    Attributes:
        columns: our column, and its name in the header or its number from 1.
        constants: our column, and its value in all rows.
        delimiter: between cells; empty is found out.
        above: lines above the header.
        thousands: separator inside quantities, nothing when there is none.
        totals: column and texts (upper case) by which a line of totals is told from a record.
        words: our column, and what its values mean.

    """

    columns: dict[str, Where]
    constants: dict[str, str] = field(default_factory=dict)
    delimiter: str = ""
    above: int = 0
    thousands: str = ""
    totals: tuple[Where, frozenset[str]] | None = None
    words: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, constants: Mapping[str, str]) -> ReportMap:
        """Read the operator's file; constants of the command line go before those of the file.

        Raises:
            ConfigError: it is no TOML, knows a key that we do not, or lacks something.
            FormatError: it is no file.

        """
        refuse_no_file(path)
        try:
            content = tomllib.loads(landing.read(path).decode())
        except ValueError:
            raise _unfit(path, "it is not a TOML file in UTF-8") from None
        _check_keys(path, content, constants)
        given, totals = content.get("formato", {}), content.get("totais")
        found = cls(
            columns=content["colunas"],
            constants={**content.get("constantes", {}), **constants},
            delimiter=given.get("separador", ""),
            above=given.get("linhas_antes", 0),
            thousands=given.get("milhar", ""),
            words=content.get("valores", {}),
        )
        found._check(path)
        if totals is None:
            return found
        texts = frozenset(text.strip().upper() for text in totals["valores"])
        return replace(found, totals=(totals["coluna"], texts))

    def _check(self, path: Path) -> None:
        missing = [c for c in _layout().required if c not in {*self.columns, *self.constants}]
        if missing:
            raise _unfit(
                path,
                f"the mandatory `{missing[0]}` is neither a column nor a constant; map it, or give "
                f"it with --set {missing[0]}=VALUE",
            )
        twice = sorted({*self.columns} & {*self.constants})
        if twice:
            raise _unfit(path, f"`{twice[0]}` is a column and a constant at once")
        if len(self.delimiter) > 1 or self.above < 0:
            raise _unfit(path, "`separador` must be one character and `linhas_antes` 0 or more")
        try:
            for name, text in self.constants.items():
                self._value(name, text)
        except Wrong as wrong:
            raise _unfit(
                path, f"the constant `{wrong.column}` is not fit: {wrong.reason}"
            ) from None

    def reader_of(self, header: list[str], name: str) -> Callable[[list[str]], Cells]:
        """Return what turns a row below this header into our columns.

        Raises:
            LayoutError: the header lacks a column of the map, or has it twice.

        """
        names = [normalise(cell) for cell in header]
        places = {ours: _place(names, where, name) for ours, where in self.columns.items()}

        def read(cells: list[str]) -> Cells:
            row: Cells = dict.fromkeys(_layout().columns)
            for ours, place in places.items():
                row[ours] = self._value(ours, cells[place])
            return row | {ours: self._value(ours, text) for ours, text in self.constants.items()}

        return read

    def totals_of(self, header: list[str], name: str) -> Callable[[list[str]], bool]:
        """Return what tells a line of totals from a record.

        Raises:
            LayoutError: the header lacks the column.

        """
        if self.totals is None:
            return lambda cells: False
        place = _place([normalise(cell) for cell in header], self.totals[0], name)
        texts = self.totals[1]
        return lambda cells: place < len(cells) and cells[place].strip().upper() in texts

    def likeness(self, cells: list[str]) -> tuple[int, int]:
        """Return how many names of the map a header has, and how many cells."""
        names = {normalise(cell) for cell in cells}
        wanted = [normalise(w) for w in self.columns.values() if isinstance(w, str)]
        return sum(w in names for w in wanted), len(cells)

    def _value(self, column: str, text: str) -> str | None:
        """Return the value of a cell as raw keeps it.

        Raises:
            Wrong: it is not what the column holds.

        """
        text = self.words.get(column, {}).get(text.strip(), text)
        if text.strip() in BLANK:
            if column in _layout().required:
                raise Wrong(column, "coluna obrigatória ausente ou vazia")
            return text
        form = ReportMap._quantity if column.startswith("qtd_") else FORMS.get(column)
        return form(self, column, text.strip()) if form else text

    def _month(self, column: str, text: str) -> str:
        found = MONTH.fullmatch(text)
        if not found:
            raise Wrong(column, "competência ilegível")
        year, month = found["ano"] or found["ano2"], found["mes"] or found["mes2"]
        return f"{year}{int(month):02}"

    def _quantity(self, column: str, text: str) -> str:
        if self.thousands and re.fullmatch(
            rf"\d{{1,3}}({re.escape(self.thousands)}\d{{3}})+", text
        ):
            text = text.replace(self.thousands, "")
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
            raise Wrong(column, "quantidade ilegível")
        return text

    def _agenda(self, column: str, text: str) -> str:
        if text.upper() not in AGENDAS:
            raise Wrong(column, "tipo de agenda desconhecido")
        return text.upper()

    def _day(self, column: str, text: str) -> str:
        if not DAY.fullmatch(text):
            raise Wrong(column, "data ilegível")
        return text


Form = Callable[[ReportMap, str, str], str]
FORMS: dict[str, Form] = {
    "competencia": ReportMap._month,
    "tipo_agenda": ReportMap._agenda,
    "data_extracao": ReportMap._day,
}


def _layout() -> Layout:
    return named(ENTITY)


def _known() -> dict[str, set[str]]:
    """Return the keys of each section of a map."""
    return SECTIONS | {section: {*_layout().columns} for section in OF_COLUMNS}


def _place(names: list[str], where: Where, file: str) -> int:
    if isinstance(where, int):
        if not 1 <= where <= len(names):
            raise LayoutError(
                f"{file}: the map names column number {where} and the header has {len(names)}; "
                "nothing was loaded.\nCheck [colunas] in the file given with --map."
            )
        return where - 1
    count = names.count(normalise(where))
    if count != 1:
        problem = "is not in the header" if not count else f"is {count} times in the header"
        raise LayoutError(
            f"{file}: the column `{where}` of the map {problem}; nothing was loaded.\n"
            "Check [colunas] in the file given with --map (a number, from 1, names a column by "
            "its place), `separador` and `linhas_antes`."
        )
    return names.index(normalise(where))


def _check_keys(path: Path, content: dict[str, Any], constants: Iterable[str]) -> None:
    """Refuse keys that nothing reads, and values of another kind than is read."""
    for name in constants:
        if name not in _layout().columns:
            raise _unfit(path, f"`{name}` of --set is not a column of `{ENTITY}`")
    known = _known()
    for section, keys in content.items():
        if section not in known:
            raise _unfit(path, f"it has an unknown key `{section}`")
        unknown = sorted({*keys} - known[section]) if isinstance(keys, dict) else ["(a value)"]
        if unknown:
            raise _unfit(path, f"[{section}] has an unknown key `{unknown[0]}`")
    if not content.get("colunas"):
        raise _unfit(path, "[colunas] is missing")
    for section, key, kinds in _kinds(content):
        value = content[section].get(key)
        if value is not None and (not isinstance(value, kinds) or isinstance(value, bool)):
            raise _unfit(path, f"`{key}` of [{section}] is not of the kind expected there")
    totals = content.get("totais")
    if totals is not None and (
        {*totals} != SECTIONS["totais"] or not all(isinstance(v, str) for v in totals["valores"])
    ):
        raise _unfit(path, "[totais] needs `coluna` and a list of texts `valores`")
    for table in content.get("valores", {}).values():
        if not all(isinstance(text, str) for text in table.values()):
            raise _unfit(path, "[valores] maps texts to texts")


def _kinds(content: dict[str, Any]) -> Iterable[tuple[str, str, Any]]:
    """Yield section, key and kind of value of everything the file may hold."""
    fixed: dict[str, Any] = {"separador": str, "linhas_antes": int, "milhar": str, "valores": list}
    of_section: dict[str, Any] = {"colunas": str | int, "constantes": str, "valores": dict}
    for section in content:
        for key in _known()[section]:
            yield section, key, of_section.get(section, fixed.get(key, str | int))


def _unfit(path: Path, problem: str) -> ConfigError:
    return ConfigError(
        f"{path.name} cannot be used: {problem}.\nCompare with docs/oferta_real.exemplo.toml and "
        f"mapa load export --describe {ENTITY}."
    )
