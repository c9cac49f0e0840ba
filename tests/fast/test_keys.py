"""Keys of published tables: declared where the rows keep them, said where they do not."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from mapa.publish import keys
from mapa.publish.gate import Column, Reference, Table

UNITS = Table("unidades", "comum", "Unidades.", ("cnes",), (Column("cnes", "Número.", "publico"),))
OFFER = Table(
    "oferta",
    "oferta",
    "Vagas de d'Água.",
    ("cnes", "dia"),
    (Column("cnes", "Unidade.", "publico"), Column("dia", "Dia.", "publico")),
    (Reference("cnes", "unidades", "cnes"), Reference("cnes", "unidades", "cnes")),
)
GOOD = """
    create table unidades as select unnest(['1', '2']) as cnes;
    create table oferta as select unnest(['2', '1', '1']) as cnes, unnest([3, 2, 1]) as dia;
"""


def declared(directory: Path, script: str, *tables: Table) -> tuple[dict[str, keys.Keys], Path]:
    """Declare the keys of what a script makes."""
    copied, target = directory / "copia.duckdb", directory / "publico.duckdb"
    with duckdb.connect(str(copied)) as con:
        con.execute(script)
    return keys.declare(copied, target, tables), target


def constraints(file: Path) -> set[tuple[str, str, tuple[str, ...], str | None]]:
    """Return the keys that DuckDB itself knows of."""
    with duckdb.connect(str(file), read_only=True) as con:
        rows = con.execute(
            "select table_name, constraint_type, constraint_column_names, referenced_table "
            "from duckdb_constraints() where constraint_type in ('PRIMARY KEY', 'FOREIGN KEY')"
        ).fetchall()
    return {(table, kind, tuple(columns), target) for table, kind, columns, target in rows}


def test_grain_and_references_become_keys(tmp_path: Path) -> None:
    found, file = declared(tmp_path, GOOD, OFFER, UNITS)
    assert constraints(file) == {
        ("unidades", "PRIMARY KEY", ("cnes",), None),
        ("oferta", "PRIMARY KEY", ("cnes", "dia"), None),
        ("oferta", "FOREIGN KEY", ("cnes",), "unidades"),
    }
    assert found["oferta"].broken == ()
    with duckdb.connect(str(file), read_only=True) as con:
        rows = con.execute("select cnes, dia from oferta").fetchall()
        comments = con.execute("select comment from duckdb_tables() order by comment").fetchall()
    assert rows == [("1", 1), ("1", 2), ("2", 3)]
    assert comments == [("Unidades.",), ("Vagas de d'Água.",)]


@pytest.mark.parametrize(
    ("spoilt", "said", "kept"),
    [
        (
            "delete from unidades where cnes = '1'",
            "2 rows of oferta.cnes are not in unidades",
            {("unidades", "PRIMARY KEY"), ("oferta", "PRIMARY KEY")},
        ),
        (
            "insert into oferta values ('1', 1)",
            "1 keys of oferta are repeated or lack a part",
            {("unidades", "PRIMARY KEY"), ("oferta", "FOREIGN KEY")},
        ),
        (
            "insert into oferta values (null, 1)",
            "1 keys of oferta are repeated or lack a part",
            {("unidades", "PRIMARY KEY"), ("oferta", "FOREIGN KEY")},
        ),
        (
            "insert into unidades values ('1')",
            "1 keys of unidades are repeated or lack a part",
            {("oferta", "PRIMARY KEY")},
        ),
    ],
)
def test_a_key_that_rows_break_is_left_out_and_said(
    tmp_path: Path, spoilt: str, said: str, kept: set[tuple[str, str]]
) -> None:
    found, file = declared(tmp_path, f"{GOOD};{spoilt}", OFFER, UNITS)
    assert [text for table in found.values() for text in table.broken] == [said]
    assert {(table, kind) for table, kind, *_ in constraints(file)} == kept
    copied = tmp_path / "copia.duckdb"
    with duckdb.connect(str(copied), read_only=True) as before, duckdb.connect(str(file)) as after:
        for table in ("unidades", "oferta"):
            question = f"select * from {table} order by all"
            assert after.execute(question).fetchall() == before.execute(question).fetchall()


def test_only_a_reference_to_a_whole_key_is_one(tmp_path: Path) -> None:
    days = Table("dias", "comum", "Dias.", ("dia", "cnes"), UNITS.columns)
    toward = Table("oferta", "oferta", "", (), OFFER.columns, (Reference("dia", "dias", "dia"),))
    _, file = declared(tmp_path, f"{GOOD} create table dias as from oferta", toward, days)
    assert constraints(file) == {("dias", "PRIMARY KEY", ("dia", "cnes"), None)}


def test_tables_that_refer_to_each_other_come_out_all_the_same(tmp_path: Path) -> None:
    circle = Table("unidades", "", "", ("cnes",), (), (Reference("cnes", "oferta", "cnes"),))
    itself = Table("so", "", "", ("cnes",), (), (Reference("cnes", "so", "cnes"),))
    found, file = declared(
        tmp_path, f"{GOOD} create table so as from unidades", circle, OFFER, itself
    )
    assert [key for table in found.values() for key in table.broken] == []
    assert {(table, kind) for table, kind, *_ in constraints(file)} == {
        ("so", "PRIMARY KEY"),
        ("unidades", "PRIMARY KEY"),
        ("oferta", "PRIMARY KEY"),
    }
