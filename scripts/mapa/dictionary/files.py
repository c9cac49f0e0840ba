"""The dictionary as files: a spreadsheet for people, CSV for programs; its pages are the site's."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from mapa.dictionary import entries
from mapa.spreadsheets import harmless, write_text

TITLE = "Mapa Social da Saúde — dicionário de dados"
WIDTHS = {
    "camada": 14,
    "schema": 14,
    "tabela": 30,
    "tabela_descricao": 50,
    "coluna": 34,
    "tipo": 14,
    "descricao": 80,
    "classe_lgpd": 12,
    "no_grao": 9,
    "origem": 40,
    "testes": 50,
    "grao": 40,
    "colunas": 9,
    "arquivo": 50,
    "situacao": 16,
    "dados": 14,
}


def write_csv(rows: Iterable[entries.Entry], target: Path) -> None:
    """Write one row per column, so that a Brazilian spreadsheet opens it with a double click.

    UTF-8 with a byte order mark, semicolons, CRLF, heading in the first line. Every cell is text on
    one line.
    """
    with target.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow(entries.HEADINGS)
        writer.writerows([harmless(cell) for cell in astuple(row)] for row in rows)


def write_xlsx(
    rows: Iterable[entries.Entry], tables: Iterable[entries.TableEntry], target: Path
) -> None:
    """Write a workbook with a sheet of columns and a sheet of tables."""
    book = Workbook()
    book.remove(book.worksheets[0])
    fill(book.create_sheet("Colunas"), entries.HEADINGS, (astuple(row) for row in rows))
    fill(
        book.create_sheet("Tabelas"),
        entries.TABLE_HEADINGS,
        (astuple(table) for table in tables),
    )
    book.properties.title = TITLE
    book.properties.creator = "Mapa Social da Saúde"
    book.save(target)


def fill(sheet: Worksheet, headings: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    """Write headings and rows, frozen, filtered, wide enough, as text and never as formula."""
    sheet.append(headings)
    for row in rows:
        sheet.append(row)
    for cell in sheet[1]:
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor="1B4965")
    wrap = Alignment(vertical="top", wrap_text=True)
    for line in sheet.iter_rows(min_row=2):
        for cell in line:
            cell.alignment = wrap
            write_text(cell)
    for index, heading in enumerate(headings, start=1):
        sheet.column_dimensions[get_column_letter(index)].width = WIDTHS.get(heading, 30)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
