"""The dictionary as files: a page for the browser, a spreadsheet for people, CSV for programs."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path
from typing import Any

from dbt.task.docs import DOCS_INDEX_FILE_PATH
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
    "dados": 14,
}
# What is changed in the page of dbt-docs. It sends nothing when `send_anonymous_usage_stats` is
# off, as it is here; its collectors' addresses are taken out all the same, so that the file
# cannot call anyone. The icons' template and the favicon ask for files that do not exist.
REPLACED = {
    "fishtownanalytics.sinter-collect.com": "invalid",
    "https://fuzzed.getdbt.com/": "about:blank",
    '<use xlink:href="{{': '<use ng-attr-href="{{',
    "${require('./assets/favicons/favicon.ico')}": "data:,",
    'lang="en-US"': 'lang="pt-BR"',
    'content="en_US"': 'content="pt_BR"',
    "<title>dbt Docs</title>": f"<title>{TITLE}</title>",
    'content="dbt Docs"': f'content="{TITLE}"',
    "Search for models...": "Procurar tabela, coluna ou palavra…",
}


SYNTHETIC = (
    '<div role="note" style="position:fixed;bottom:0;left:0;right:0;z-index:9999;padding:6px 12px;'
    'background:#b00020;color:#fff;font:600 14px sans-serif;text-align:center">'
    "DADOS SINTÉTICOS: este dicionário acompanha os números de uma cidade simulada.</div>"
)
BODY = re.compile(r"(?<=</head>)<body[^>]*>")


def page(manifest: dict[str, Any], catalog: dict[str, Any]) -> str:
    """Return the one-file page of `dbt docs`, as `dbt docs generate --static` makes it."""
    text = Path(DOCS_INDEX_FILE_PATH).read_text(encoding="utf-8")
    for name, content in (("MANIFEST", manifest), ("CATALOG", catalog)):
        text = text.replace(f'"{name}.JSON INLINE DATA"', json.dumps(content))
    return text


def write_html(
    text: str, target: Path, machine: Iterable[Path], *, synthetic: bool | None = None
) -> None:
    """Write the one-file page of `dbt docs`, in Portuguese and without paths of this machine.

    Args:
        text: the page as dbt makes it.
        target: where it goes.
        machine: folders of this machine that dbt's records name.
        synthetic: whether the data are simulated; None: not known.

    Raises:
        ValueError: the page has no body to put the band on that says that the data are simulated.
    """
    if synthetic:
        text, places = BODY.subn(lambda found: found[0] + SYNTHETIC, text, count=1)
        if not places:
            raise ValueError("the page of dbt docs has no <body>")
    # The longest first: one folder may stand in another.
    folders = sorted({json.dumps(str(path))[1:-1] for path in machine}, key=len, reverse=True)
    paths = {f"{path}{end}": "" for path in folders for end in ("/", "")}
    for old, new in {**REPLACED, **paths}.items():
        text = text.replace(old, new)
    target.write_text(text, encoding="utf-8")


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
