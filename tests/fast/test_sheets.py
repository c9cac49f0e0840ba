"""CSV and Excel files of published tables: what stands in a cell, and that nothing in it runs."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from openpyxl import load_workbook

from mapa.publish import inspection, sheets
from mapa.publish.contents import Published
from mapa.publish.gate import Column, Reference, Table
from mapa.publish.identifiers import identifier_in
from mapa.publish.keys import Keys

NAMES = ("codigo", "nome", "qtd", "pct", "valor", "dia", "momento", "eh_bom", "lista")
TYPES = ("VARCHAR", "VARCHAR", "BIGINT", "DOUBLE", "DECIMAL(8,2)", "DATE", "TIMESTAMP", "BOOLEAN",
         "INTEGER[]")  # fmt: skip
TABLE = Table(
    "pub_exemplo",
    "oferta",
    "Exemplo.\n\n**Grão:** uma linha por código.",
    ("codigo",),
    tuple(Column(name, f"Define {name}.", "publico") for name in NAMES),
)
KEYS = Keys(("codigo",), (Reference("nome", "pub_nomes", "nome"),))
PUBLISHED = Published(TABLE, 4, TYPES, "", KEYS)
MANIFEST: dict[str, Any] = {
    "version": "20260630T000000Z-abcd",
    "created_at": "2026-06-30T00:00:00+00:00",
    "licence": "CC BY 4.0",
    "licence_url": "https://example.org/licenca",
    "source": "DADOS SINTÉTICOS: cidade simulada",
    "synthetic": True,
    "tables": [{"name": "pub_exemplo", "data_referencia": "2026-06-30", "stale": True}],
}
DANGEROUS = ("=1+1", "+55", "-x", "@soma", "\t=1", "＝1+1", "\u200b=1", '"=1')
ROWS = [
    ("0007", "Posto; \"d'Água\"\nao lado", 7, 12.5, 1.25, date(2026, 6, 30),
     datetime(2026, 6, 30, 8, 5), True, [1, 2]),
    ("0008", "", -5, -0.1, None, None, None, False, None),
    ("0009", None, None, None, None, None, None, None, None),
]  # fmt: skip


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return make(tmp_path / "publico.duckdb", [*ROWS, ("0010", "a\x0bb", *[None] * 7)])


def make(file: Path, rows: Sequence[tuple[object, ...]]) -> Path:
    """Make a published file with the table."""
    with duckdb.connect(str(file)) as con:
        types = ", ".join(f"{name} {kind}" for name, kind in zip(NAMES, TYPES, strict=True))
        con.execute(f"create table pub_exemplo ({types})")
        con.executemany(f"insert into pub_exemplo values ({', '.join('?' * len(NAMES))})", rows)
    return file


def test_a_csv_is_what_a_brazilian_spreadsheet_expects(database: Path, tmp_path: Path) -> None:
    sheets.write_csv(database, [PUBLISHED], tmp_path / "csv", synthetic=True)
    text = (tmp_path / "csv" / "pub_exemplo.csv").read_bytes().decode("utf-8")
    assert text.splitlines()[0] == f"\ufeff{';'.join(NAMES)};dados"
    assert text.partition("\n")[2] == (
        '0007;"Posto; ""d\'Água""\nao lado";7;12,5;1,25;2026-06-30;2026-06-30T08:05:00;true;'
        "[1, 2];sintéticos\n"
        '0008;"";-5;-0,1;;;;false;;sintéticos\n'
        "0009;;;;;;;;;sintéticos\n"
        "0010;a\x0bb;;;;;;;;sintéticos\n"
    )


@pytest.mark.parametrize(
    ("synthetic", "said"), [(False, "das fontes"), (None, "de origem não anotada")]
)
def test_a_csv_says_whose_its_numbers_are(
    database: Path, tmp_path: Path, synthetic: bool | None, said: str
) -> None:
    sheets.write_csv(database, [PUBLISHED], tmp_path / "csv", synthetic=synthetic)
    with (tmp_path / "csv" / "pub_exemplo.csv").open(encoding="utf-8-sig", newline="") as lines:
        assert {row["dados"] for row in csv.DictReader(lines, delimiter=";")} == {said}


def test_no_cell_is_run_as_a_formula(tmp_path: Path) -> None:
    rows = [(f"{i:04}", text, *[None] * 7) for i, text in enumerate(DANGEROUS)]
    database = make(tmp_path / "publico.duckdb", rows)
    sheets.write_csv(database, [PUBLISHED], tmp_path / "csv", synthetic=False)
    with (tmp_path / "csv" / "pub_exemplo.csv").open(encoding="utf-8-sig", newline="") as lines:
        found = [row["nome"] for row in csv.DictReader(lines, delimiter=";")]
    assert found == [f"'{text}" for text in DANGEROUS]
    sheets.write_xlsx(database, [PUBLISHED], tmp_path / "xlsx", MANIFEST, {})
    column = list(load_workbook(tmp_path / "xlsx" / "pub_exemplo.xlsx")["Dados"]["B"])[1:]
    assert [cell.value for cell in column] == list(DANGEROUS)
    assert {(cell.data_type, cell.quotePrefix) for cell in column} == {("s", True)}


def test_an_excel_file_has_numbers_dates_and_codes_as_what_they_are(
    database: Path, tmp_path: Path
) -> None:
    sheets.write_xlsx(database, [PUBLISHED], tmp_path / "xlsx", MANIFEST, {})
    book = load_workbook(tmp_path / "xlsx" / "pub_exemplo.xlsx")
    rows = list(book["Dados"].iter_rows(values_only=True))
    assert rows[0] == NAMES
    assert rows[1] == (
        *("0007", 'Posto; "d\'Água"\nao lado', 7, 12.5, 1.25, datetime(2026, 6, 30)),
        *(datetime(2026, 6, 30, 8, 5), True, "[1, 2]"),
    )
    assert rows[3] == ("0009", *[None] * 8)
    assert rows[4][1] == "ab"  # Excel has no such character
    assert book["Dados"].freeze_panes == "A2"


def test_an_excel_file_says_where_it_comes_from_and_what_its_columns_mean(
    database: Path, tmp_path: Path
) -> None:
    codes = {("pub_exemplo", "codigo"): [("0007", "Sete"), ("0008", "Oito")]}
    sheets.write_xlsx(database, [PUBLISHED], tmp_path / "xlsx", MANIFEST, codes)
    sheet = load_workbook(tmp_path / "xlsx" / "pub_exemplo.xlsx")["Procedência"]
    rows = [row[:5] for row in sheet.iter_rows(values_only=True)]
    facts = {row[0]: row[1] for row in rows[:10]}
    assert facts["Fonte"] == MANIFEST["source"]
    assert facts["Licença"] == "CC BY 4.0 (https://example.org/licenca)"
    assert facts["Versão"] == MANIFEST["version"]
    assert facts["Data de referência"] == "2026-06-30"
    assert str(facts["Dados"]).startswith("DADOS SINTÉTICOS")
    assert str(facts["Desatualizada"]).startswith("sim")
    assert facts["O que é"] == TABLE.description
    explained = {row[0]: row[1:] for row in rows[12:]}
    assert list(explained) == list(NAMES)
    assert explained["codigo"] == ("Define codigo.", "sim", None, "0007 = Sete; 0008 = Oito")
    assert explained["nome"] == ("Define nome.", None, "pub_nomes.nome", None)


def test_a_table_too_large_for_excel_is_left_to_the_others(database: Path, tmp_path: Path) -> None:
    large = replace(PUBLISHED, rows=sheets.MOST_CELLS // len(TYPES) + 1)
    sheets.write_xlsx(database, [large], tmp_path / "xlsx", MANIFEST, {})
    assert list((tmp_path / "xlsx").iterdir()) == []
    assert sheets.files(large)["xlsx"] is None
    assert sheets.files(PUBLISHED)["xlsx"] == "xlsx/pub_exemplo.xlsx"
    assert sheets.MOST_CELLS < 2**20


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("0001", "titular 000.000.001-91"), "CPF"),
        (("0001", None, 52998224725), "CPF"),
        (("0001", None, 700000000000005), "CNS"),
        (("0001", None, None, 52998224725.5), "CPF"),
        # As text a CPF, as a number 529.98…
        (("0001", None, None, 529.98224725), None),
        (("0001", None, None, 7000000000.00005), None),
    ],
)
def test_cells_are_looked_into_as_texts_and_as_numbers(
    tmp_path: Path, kind: str, row: tuple[object, ...], said: str | None
) -> None:
    database = make(tmp_path / "publico.duckdb", [(*row, *[None] * (len(NAMES) - len(row)))])
    if kind == "csv":
        sheets.write_csv(database, [PUBLISHED], tmp_path / kind, synthetic=True)
    else:
        sheets.write_xlsx(database, [PUBLISHED], tmp_path / kind, MANIFEST, {})
    found = {identifier_in(t) for t in inspection.texts(tmp_path / kind / f"pub_exemplo.{kind}")}
    assert found - {None} == ({said} if said else set())
