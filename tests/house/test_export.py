"""Raw tables for another engine: all of them, every cell, and for nobody else to read."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from conftest import House, environment
from mapa import export
from mapa.cli import cli
from mapa.errors import ConfigError
from mapa.sql import literal, quoted


def run(house: House, *arguments: str, **env: str) -> Result:
    with environment(house.env | env):
        return CliRunner().invoke(cli, ["export", "raw", "--to", *arguments])


@pytest.fixture(scope="module")
def exported(city_house: House, tmp_path_factory: pytest.TempPathFactory) -> export.Export:
    folder = tmp_path_factory.mktemp("export") / "bruto"
    assert run(city_house, str(folder)).exit_code == 0
    return export.read(folder)


def test_every_cell_of_every_raw_and_control_table_is_there(
    city_house: House, exported: export.Export
) -> None:
    with duckdb.connect(str(city_house.settings.warehouse), read_only=True) as con:
        names = con.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where schema_name like 'bruto%' or schema_name = 'controle'"
        ).fetchall()
        assert {name for (name,) in names} == {table.name for table in exported.tables}
        for table in exported.tables:
            count = con.execute(f"select count(*) from {table.name}").fetchall()[0][0]
            assert table.rows == count
            if not count:
                continue
            files = literal(str(exported.location(table) / "**" / "*.parquet"))
            cells = ", ".join(map(quoted, table.columns))
            gone = con.execute(
                f"select count(*) from (select {cells} from {table.name} except all "
                f"select {cells} from read_parquet({files}, hive_partitioning = false))"
            ).fetchall()
            assert gone == [(0,)], table.name


def test_raw_lies_by_state_and_by_the_month_that_was_seen(exported: export.Export) -> None:
    place = exported.folder / "bruto_sisreg" / "solicitacao_ambulatorial"
    assert [path.name for path in place.iterdir()] == ["particao_uf=DF"]
    months = {path.name for path in (place / "particao_uf=DF").iterdir()}
    assert months == {"particao_mes=2026-05", "particao_mes=2026-06", "particao_mes=2026-07"}


def test_nobody_else_reads_it_and_a_new_one_takes_its_place(
    city_house: House, exported: export.Export
) -> None:
    for path in (exported.folder, *exported.folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path
    (exported.folder / "bruto_sisreg" / "velho.parquet").touch()
    done = run(city_house, str(exported.folder))
    assert "personal data in the clear" in done.output
    assert not (exported.folder / "bruto_sisreg" / "velho.parquet").exists()
    assert [path.name for path in exported.folder.parent.iterdir()] == [exported.folder.name]


def test_what_is_published_and_what_is_something_else_is_left_alone(
    city_house: House, tmp_path: Path
) -> None:
    published = city_house.settings.published
    for folder in (published / "bruto", published / "current", published.parent):
        assert run(city_house, str(folder)).exit_code == 7
    (tmp_path / "carta.txt").touch()
    assert run(city_house, str(tmp_path)).exit_code == 7
    assert [path.name for path in tmp_path.iterdir()] == ["carta.txt"]


def test_an_encrypted_house_is_exported_only_when_that_is_said(
    city_house: House, tmp_path: Path
) -> None:
    done = run(city_house, str(tmp_path / "bruto"), MAPA_WAREHOUSE_KEY="only-for-tests-" * 4)
    assert done.exit_code == 7
    assert "--plain" in str(done.output)
    assert not (tmp_path / "bruto").exists()


def test_what_is_no_export_is_refused(exported: export.Export, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="mapa export raw"):
        export.read(tmp_path)
    shutil.copytree(exported.folder, tmp_path / "copia")
    assert export.read(tmp_path / "copia").tables == exported.tables


def test_types_are_those_that_every_engine_reads() -> None:
    with duckdb.connect() as con:
        kinds = con.execute(
            "select null::uuid, null::time, null::interval, null::ubigint, null::hugeint, "
            "null::decimal(18, 2), null::struct(a varchar, b bigint[])[], null::timestamp"
        ).description
    assert [export.spark_type(kind[1]) for kind in kinds or ()] == [
        "string", "string", "string", "decimal(20,0)", "decimal(38,0)",
        "decimal(18,2)", "array<struct<a:string,b:array<bigint>>>", "timestamp",
    ]  # fmt: skip
