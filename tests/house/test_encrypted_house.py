"""A whole encrypted house: loaded, built, equal to its truth, published, and nobody in it."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

import remains
from conftest import PROJECT, House, environment, make_house
from mapa import dbt, sealing, warehouse
from mapa.errors import ConfigError
from mapa.settings import Settings
from mapa_city.demo import CitySize

SECRET, OTHER = "segredo-da-casa-" * 3, "outro-segredo-da-casa-" * 2
SIZE = CitySize(people=500, days=40, seed=3, until=date(2026, 6, 30))
BIN = Path(sys.executable).parent
SIMULATED = "city"
"""Folder of what the sources would have; it is outside of the house."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Return a small encrypted house."""
    with environment({"MAPA_WAREHOUSE_KEY": SECRET}):
        made = make_house(tmp_path_factory.mktemp("encrypted"), SIZE)
    return replace(made, env=made.env | {"MAPA_WAREHOUSE_KEY": SECRET})


@pytest.fixture(scope="module")
def needles(house: House) -> set[str]:
    """Return numbers, names, mothers and telephones of persons: those the city wrote, and all."""
    found = set[str]()
    for path in (house.directory / SIMULATED / "files").glob("SISREG_AGENDAMENTO*.csv"):
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            for row in csv.DictReader(file, delimiter=";"):
                found |= {row[name] or "" for name in ("cns", "nome", "nome_mae", "telefone")}
    assert found
    with (
        environment(house.env),
        warehouse.connect(house.settings.warehouse, read_only=True) as con,
    ):
        rows = con.execute(
            "select nome, nome_mae, cpf from bruto_cadsus.pessoa "
            "union all select cns, null, null from bruto_cadsus.cns"
        ).fetchall()
    found |= {text or "" for row in rows for text in row}
    return {text for text in found if len(text) > 9 and re.search("[0-9A-Z]", text)}


def holding(folder: Path, needles: set[str]) -> set[str]:
    """Return where files hold one of the needles, by the first two parts of their paths."""
    return {"/".join(path.split("/")[:2]) for path in remains.holding(folder, needles)}


def run(house: House, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        env=os.environ | house.env | env,
        cwd=PROJECT,
        text=True,
        capture_output=True,
        check=False,
    )


def copy(house: House, folder: Path) -> House:
    """Return a copy of the house that may be spoilt."""
    root = house.directory.parent
    for name in ("data", "target", "profiles", "logs"):
        shutil.copytree(root / name, folder / name, symlinks=True)
    env = {
        name: value.replace(str(root), str(folder)) if name != "DBT_PROJECT_DIR" else value
        for name, value in house.env.items()
    }
    with environment(env):
        return replace(house, directory=folder / "data", env=env, settings=Settings.load())


def test_no_file_holds_a_person_and_a_plain_one_would(house: House, needles: set[str]) -> None:
    root = house.directory.parent
    assert len(needles) > 500
    assert warehouse.is_encrypted(house.settings.warehouse)
    assert {path.name for path in root.iterdir()} >= {"data", "target", "logs"}
    # The simulated sources show that they would be found.
    assert holding(root, needles) == {f"data/{SIMULATED}"}
    landed = [p for p in house.settings.landing.rglob("*") if p.is_file()]
    plain = {path.name for path in landed if not sealing.is_sealed(path)}
    assert len(landed) > 50
    assert plain == {"retiradas.ndjson"}


def test_no_key_stands_anywhere(house: House) -> None:
    debug = run(house, "dbt", "debug")
    assert debug.returncode == 0, debug.stdout
    keys = {SECRET, sealing.Key(SECRET.encode()).database, house.env["MAPA_PSEUDONYM_KEY"]}
    assert not any(key in debug.stdout + debug.stderr for key in keys)
    assert holding(house.directory.parent, keys) == set()


def test_dbt_says_what_is_wrong_with_the_key(house: House, tmp_path: Path) -> None:
    own = copy(house, tmp_path)
    none = {name: value for name, value in own.env.items() if name != "MAPA_WAREHOUSE_KEY"}
    for env, said in (
        (none | {"MAPA_WAREHOUSE_KEY": OTHER}, "encrypted with another key"),
        (none, "no key is set"),
        (
            own.env | {"MAPA_PSEUDONYM_KEY": "outra-chave-de-pseudonimos-" * 2},
            "they would be mixed",
        ),
    ):
        done = run(replace(own, env=env), "dbt", "run", "--select", "stg_cadsus__pessoas")
        assert done.returncode == 2, done.stdout
        assert said in done.stdout, done.stdout
        assert SECRET not in done.stdout


def test_another_key_of_the_warehouse_changes_no_cell(house: House, tmp_path: Path) -> None:
    own = copy(house, tmp_path)
    file = tmp_path / "chave"
    file.write_text(OTHER)
    file.chmod(0o600)
    done = run(own, "mapa", "key", "warehouse", "--new-file", str(file))
    assert done.returncode == 0, done.stderr
    compared = duckdb.connect()
    for name, path, secret in (
        ("a", house.settings.warehouse, SECRET), ("b", own.settings.warehouse, OTHER),
    ):  # fmt: skip
        key = sealing.Key(secret.encode())
        warehouse.attach(compared, path, key, read_only=True, name=name)
    tables = compared.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'a'"
    ).fetchall()
    assert len(tables) > 100
    for schema, table in tables:
        query = f"(select * from a.{schema}.{table} except all select * from b.{schema}.{table})"
        assert compared.execute(f"select count(*) from {query}").fetchall() == [(0,)], table
    compared.close()
    own.env.update(MAPA_WAREHOUSE_KEY=OTHER)
    assert run(own, "dbt", "run", "--select", "stg_cadsus__pessoas").returncode == 0
    done = run(own, "mapa", "load", "cadsus", "--replay")
    assert done.returncode == 0, done.stderr


def test_after_another_pseudonym_key_no_pseudonym_of_before_is_left(
    house: House, tmp_path: Path
) -> None:
    own = copy(house, tmp_path)
    query = "select distinct cadastro_id from intermediario.int_pessoas__cadastros order by 1"

    def pseudonyms() -> set[str]:
        with (
            environment(own.env),
            warehouse.connect(own.settings.warehouse, read_only=True) as con,
        ):
            return {row[0] for row in con.execute(query).fetchall()}

    before = pseudonyms()
    own.env.update(MAPA_PSEUDONYM_KEY="outra-chave-de-pseudonimos-" * 2)
    with environment(own.env), pytest.raises(ConfigError, match="they would be mixed"):
        dbt.build(Settings.load())
    done = run(own, "mapa", "key", "pseudonym")
    assert done.returncode == 0, done.stderr
    done = run(own, "dbt", "run", "--select", "+int_pessoas__cadastros")
    assert done.returncode == 0, done.stdout
    after = pseudonyms()
    assert len(after) == len(before) > 50
    assert not after & before


def test_everything_can_be_destroyed_and_nobody_is_left(
    house: House, needles: set[str], tmp_path: Path
) -> None:
    own = copy(house, tmp_path)
    done = run(own, "mapa", "destroy", "--all", "--requested-by", "teste", "--yes")
    assert done.returncode == 0, done.stderr
    assert holding(tmp_path, needles) == set()
    assert len(list((own.directory / "certificados").glob("*"))) == 2
    assert not list((own.settings.published / "versions").iterdir())
