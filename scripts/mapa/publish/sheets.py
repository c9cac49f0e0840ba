"""The published tables as people open them with a double click: CSV and Excel.

Both are written for a Brazilian spreadsheet, and in both no text is ever run as a formula. An Excel
file says on its own sheet `Procedência` where it comes from and what each column means; a CSV says
in its last column whether its numbers are simulated, because files travel alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from mapa.dictionary.entries import DATA
from mapa.publish import store
from mapa.publish.contents import NUMERIC, Published, reading
from mapa.publish.keys import order
from mapa.spreadsheets import harmless, write_text
from mapa.sql import literal, quoted

Codes = Mapping[tuple[str, str], Sequence[tuple[str, str]]]
"""Codes and their labels by table and column."""

MARK = "dados"
"""Last column of each CSV: one of `DATA`, as in the dictionary."""
MOST_CELLS = 500_000
"""Larger tables have no Excel file: a cell costs some 19 µs, so that this is ten seconds of CPU. No
table within it can pass the 1,048,576 rows of a sheet."""
SYNTHETIC = "DADOS SINTÉTICOS: os números são de uma cidade simulada, no todo ou em parte."
CREATOR = "Mapa Social da Saúde"


def write_csv(
    file: Path, tables: Sequence[Published], folder: Path, *, synthetic: bool | None
) -> None:
    """Write one CSV per table: UTF-8 with a byte order mark, semicolons, decimal commas, ISO dates.

    An unknown value is an empty cell, an empty text is `""`.

    Args:
        file: the published database.
        tables: what is in it.
        folder: where the files go; it is made.
        synthetic: whether the numbers are simulated; None: not known.
    """
    folder.mkdir()
    with reading(file) as con:
        con.execute("create temp table perigosos (texto varchar)")
        for published in tables:
            dangerous = [[text] for text in _texts(con, published) if harmless(text) != text]
            con.execute("delete from perigosos")
            if dangerous:
                con.executemany("insert into perigosos values (?)", dangerous)
            path = literal(str(folder / f"{published.table.name}.csv"))
            con.execute(
                f"copy (select {_cells(published)}, {literal(DATA[synthetic])} as {MARK} "
                f"from {published.table.name} {order(published.table)}) to {path} "
                "(format csv, header, delimiter ';', timestampformat '%Y-%m-%dT%H:%M:%S')"
            )


def write_xlsx(
    file: Path,
    tables: Sequence[Published],
    folder: Path,
    manifest: Mapping[str, Any],
    codes: Codes,
) -> None:
    """Write one Excel file per table that is not too large for it (`fits`).

    Args:
        file: the published database.
        tables: what is in it.
        folder: where the files go; it is made.
        manifest: what the version says of itself.
        codes: allowed values of columns.
    """
    folder.mkdir()
    described = {table["name"]: table for table in manifest["tables"]}
    with reading(file) as con:
        for published in filter(fits, tables):
            name = published.table.name
            book = Workbook(write_only=True)
            book.properties.title = f"{CREATOR} — {name}"
            book.properties.creator = CREATOR
            rows = con.execute(f"select * from {name} {order(published.table)}")
            _fill(book, published, rows)
            _explain(book, published, described[name], manifest, codes)
            book.save(folder / f"{name}.xlsx")


def fits(published: Published) -> bool:
    """Say whether a table is small enough for an Excel file."""
    return published.rows * len(published.types) <= MOST_CELLS


def _texts(con: duckdb.DuckDBPyConnection, published: Published) -> set[str]:
    """Return the texts of a table that do not begin with a plain letter or digit.

    Only those can be taken for a formula.
    """
    found: set[str] = set()
    for column, kind in zip(published.table.columns, published.types, strict=True):
        if kind == "VARCHAR":
            name = quoted(column.name)
            found |= {
                text
                for (text,) in con.execute(
                    f"select distinct {name} from {published.table.name} "
                    f"where not regexp_matches({name}, '^[0-9A-Za-z]')"
                ).fetchall()
            }
    return found


def _cells(published: Published) -> str:
    """Return the columns of a CSV; the byte order mark stands before the first name."""
    cells = []
    for position, (column, kind) in enumerate(
        zip(published.table.columns, published.types, strict=True)
    ):
        name = quoted(column.name)
        heading = quoted(("\N{ZERO WIDTH NO-BREAK SPACE}" if position == 0 else "") + column.name)
        if kind == "VARCHAR":
            safe = f"{literal(chr(39))} || {name}"
            cell = f"case when {name} in (from perigosos) then {safe} else {name} end"
        elif NUMERIC.match(kind):
            cell = f"replace(cast({name} as varchar), '.', ',')"
        else:
            cell = name
        cells.append(f"{cell} as {heading}")
    return ", ".join(cells)


def _fill(book: Workbook, published: Published, rows: duckdb.DuckDBPyConnection) -> None:
    """Write the sheet of data: numbers as numbers, dates as dates, codes as text."""
    sheet = book.create_sheet("Dados")
    sheet.freeze_panes = "A2"
    last = get_column_letter(len(published.types))
    sheet.auto_filter.ref = f"A1:{last}{published.rows + 1}"
    for index, column in enumerate(published.table.columns, start=1):
        sheet.column_dimensions[get_column_letter(index)].width = max(12, len(column.name) + 4)
    sheet.append([_bold(sheet, column.name) for column in published.table.columns])
    while batch := rows.fetchmany(10_000):
        for row in batch:
            sheet.append([_cell(sheet, value) for value in row])


def _explain(
    book: Workbook,
    published: Published,
    about: Mapping[str, Any],
    manifest: Mapping[str, Any],
    codes: Codes,
) -> None:
    """Write the sheet that says where the data come from and what the columns mean."""
    sheet = book.create_sheet("Procedência")
    for letter, width in zip("ABCDE", (34, 80, 14, 44, 60), strict=True):
        sheet.column_dimensions[letter].width = width
    table = published.table
    stale = "sim: a última construção deste assunto falhou" if about["stale"] else "não"
    facts = {
        "Tabela": table.name,
        "O que é": table.description,
        "Dados": SYNTHETIC if manifest["synthetic"] else DATA[manifest["synthetic"]],
        "Fonte": manifest["source"],
        "Licença": f"{manifest['licence']} ({manifest['licence_url']})",
        "Data de referência": about["data_referencia"],
        "Desatualizada": stale,
        "Versão": manifest["version"],
        "Feita em": manifest["created_at"],
        "Linhas": published.rows,
    }
    for name, value in facts.items():
        sheet.append([_bold(sheet, name), _wrapped(sheet, value)])
    sheet.append([])
    headings = ("Coluna", "Definição", "Na chave", "Refere-se a", "Valores")
    sheet.append([_bold(sheet, heading) for heading in headings])
    targets = {key.column: f"{key.table}.{key.field}" for key in published.keys.foreign}
    for column in table.columns:
        values = codes.get((table.name, column.name), ())
        cells = (
            column.name,
            column.description,
            "sim" if column.name in published.keys.primary else "",
            targets.get(column.name, ""),
            "; ".join(f"{code} = {label}" for code, label in values),
        )
        sheet.append([_wrapped(sheet, cell) for cell in cells])


def _cell(sheet: Any, value: Any) -> Any:
    """Return what a cell holds; text that could be run is marked as text."""
    if isinstance(value, str):
        value = ILLEGAL_CHARACTERS_RE.sub("", value)
        if harmless(value) != value:
            cell = WriteOnlyCell(sheet, value)
            write_text(cell)
            return cell
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, list | dict) else value


def _wrapped(sheet: Any, value: Any) -> Any:
    """Return a cell of several lines."""
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", str(value)))
    cell.alignment = Alignment(vertical="top", wrap_text=True)
    write_text(cell)
    return cell


def _bold(sheet: Any, text: str) -> Any:
    """Return a cell of a heading."""
    cell = WriteOnlyCell(sheet, text)
    cell.font = Font(bold=True)
    return cell


def files(published: Published) -> dict[str, str | None]:
    """Return where a table stands in a version, by kind; None: it is too large for that kind."""
    name = published.table.name
    return {
        "parquet": f"{store.PARQUET}/{name}.parquet",
        "csv": f"{store.CSV}/{name}.csv",
        "xlsx": f"{store.XLSX}/{name}.xlsx" if fits(published) else None,
    }
