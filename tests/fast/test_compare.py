"""`mapa compare`: two warehouses are equal when every cell of every table is."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from mapa.cli import cli

MADE = """
create schema oferta;
create schema bruto_sisreg;
create table oferta.vagas (unidade varchar, dia date, qtd_vagas integer, construcao_id varchar);
insert into oferta.vagas values
    ('1', '2026-01-01', 5, 'primeira'), ('1', '2026-01-02', null, 'primeira'),
    ('2', '2026-01-01', 7, 'primeira'), ('2', '2026-01-01', 7, 'primeira');
create table bruto_sisreg.escala (nome varchar);
insert into bruto_sisreg.escala values ('PESSOA FICTICIA');
"""


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Make two warehouses with the same content, and a manifest that knows the grain."""
    paths = (tmp_path / "before.duckdb", tmp_path / "after.duckdb")
    for path in paths:
        with duckdb.connect(str(path)) as con:
            con.execute(MADE)
    nodes = {"m": {"name": "vagas", "config": {"meta": {"grao": ["unidade", "dia"]}}}}
    (tmp_path / "manifest.json").write_text(json.dumps({"nodes": nodes}))
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path))
    return paths


def compared(pair: tuple[Path, Path], change: str, *options: str) -> Result:
    """Change the second warehouse and compare."""
    with duckdb.connect(str(pair[1])) as con:
        con.execute(change)
    return CliRunner().invoke(cli, ["compare", *map(str, pair), *options])


@pytest.mark.parametrize(
    "change",
    [
        "select 1",
        "update oferta.vagas set construcao_id = 'segunda'",
        "create or replace table oferta.vagas as select * from oferta.vagas order by dia desc",
        "update bruto_sisreg.escala set nome = 'OUTRA'",
    ],
)
def test_the_same_cells_are_equal_whatever_their_order_and_build(
    pair: tuple[Path, Path], change: str
) -> None:
    result = compared(pair, change)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "All 1 tables are equal" in result.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("update oferta.vagas set qtd_vagas = 6 where qtd_vagas = 5", "1 only before, 1 only"),
        ("update oferta.vagas set qtd_vagas = 6 where qtd_vagas = 5", "qtd_vagas in 1"),
        ("update oferta.vagas set qtd_vagas = 0 where qtd_vagas is null", "qtd_vagas in 1"),
        ("update oferta.vagas set dia = '2026-01-03' where dia = '2026-01-02'", "1 only before"),
        ("delete from oferta.vagas where rowid = 3", "4 rows before, 3 after"),
        ("insert into oferta.vagas select * from oferta.vagas limit 1", "5 after; 0 only before"),
        ("alter table oferta.vagas drop column qtd_vagas", "only in one of them: qtd_vagas"),
        ("alter table oferta.vagas add column nova int", "only in one of them: nova"),
        ("drop table oferta.vagas", "oferta.vagas: only before"),
        ("create table oferta.outra (a int)", "oferta.outra: only after"),
    ],
)
def test_each_difference_is_told_without_a_value(
    pair: tuple[Path, Path], change: str, said: str
) -> None:
    result = compared(pair, change)
    assert result.exit_code == 13
    assert said in result.stdout
    assert "FICTICIA" not in result.output


def test_a_column_can_be_left_out_and_inner_tables_asked_for(pair: tuple[Path, Path]) -> None:
    change = "update oferta.vagas set qtd_vagas = 6; update bruto_sisreg.escala set nome = 'OUTRA';"
    assert compared(pair, change, "--ignore", "qtd_vagas").exit_code == 0
    inner = compared(pair, "select 1", "--ignore", "qtd_vagas", "--inner")
    assert (inner.exit_code, "bruto_sisreg.escala: 1 rows" in inner.stdout) == (13, True)
    assert "OUTRA" not in inner.output


def test_what_is_no_pair_of_databases_is_refused(pair: tuple[Path, Path], tmp_path: Path) -> None:
    text = tmp_path / "manifest.json"
    same = CliRunner().invoke(cli, ["compare", str(pair[0]), str(pair[0])])
    assert (same.exit_code, "are one file" in same.stderr) == (2, True)
    other = CliRunner().invoke(cli, ["compare", str(pair[0]), str(text)])
    assert (other.exit_code, "is not a database" in other.stderr) == (4, True)
    absent = CliRunner().invoke(cli, ["compare", str(pair[0]), str(tmp_path / "none")])
    assert absent.exit_code == 2
