"""`mapa publish --diff` and `--rollback`: what changed between two versions, and the way back."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result

from mapa.cli import cli
from mapa.publish import store

OLD, NEW = "20260101T000000Z-aaaaaaaa", "20260201T000000Z-bbbbbbbb"
TABLE = (
    "create table pub_fila (mes date, codigo varchar, qtd bigint, dias double, construcao_id "
    "varchar, primary key (mes, codigo))"
)


def version(published: Path, name: str, statements: list[str]) -> None:
    folder = published / "versions" / name
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / store.DATABASE)) as con:
        for statement in statements:
            con.execute(statement)


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAPA_DIR", str(tmp_path))
    folder = tmp_path / "published"
    first = "('2026-01-01', 'a', 10, 1.5, 'x'), ('2026-01-01', 'b', 7, null, 'x')"
    rows = f"insert into pub_fila values {first}"
    version(folder, OLD, [TABLE, rows, "create table pub_velha (a int primary key)"])
    changed = "update pub_fila set qtd = 12, construcao_id = 'y' where codigo = 'a'"
    more = "insert into pub_fila values ('2026-02-01', 'a', null, 3, 'y')"
    gone = "delete from pub_fila where codigo = 'b'"
    version(folder, NEW, [TABLE, rows, changed, more, gone])
    (folder / "current").symlink_to(Path("versions") / NEW)
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["publish", *arguments])


def test_exactly_the_numbers_that_changed_are_named(published: Path) -> None:
    result = run("--diff")
    assert result.exit_code == 0
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [tuple(row.values()) for row in rows] == [
        ("pub_fila", "mes=2026-01-01; codigo=a", "qtd", "10", "12", "2", ""),
        ("pub_fila", "mes=2026-01-01; codigo=b", "qtd", "7", "", "", ""),
        ("pub_fila", "mes=2026-02-01; codigo=a", "dias", "", "3.0", "", ""),
    ]
    assert f"From {OLD} to {NEW}: 3 numbers changed: 3 in pub_fila." in result.stderr
    assert "by which loads is not known of pub_fila" in result.stderr


def entry(version: str, *loads: tuple[str, int]) -> dict[str, Any]:
    """An entry of the log by which loads came to the queue."""
    known = [
        {"carga": name, "ordem": order, "fonte": "sisreg", "entidade": "marcacao",
         "vista_em": "2026-01-31 00:05:00", "linhas": 3}
        for name, order in loads
    ]  # fmt: skip
    return {"versao": version, "tabelas": [{"tabela": "pub_fila", "mudancas": 1, "cargas": known}]}


def log(published: Path, *entries: dict[str, Any]) -> None:
    path = published / "versions" / NEW / store.LOG
    path.write_text(json.dumps({"versoes": entries}))


def test_the_loads_between_two_versions_are_named_and_no_others(published: Path) -> None:
    between = "20260115T000000Z-cccccccc"
    log(published, entry(NEW, ("nova", 9)), entry(between, ("outra", 5)), entry(OLD, ("velha", 4)))
    result = run("--diff")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert {row["cargas"] for row in rows} == {"outra nova"}
    said = [line for line in result.stderr.splitlines() if "by load" in line]
    assert said == [
        "  by load outra (sisreg marcacao, seen 2026-01-31 00:05:00)",
        "  by load nova (sisreg marcacao, seen 2026-01-31 00:05:00)",
    ]
    unknown = entry(between) | {"tabelas": [{"tabela": "pub_fila", "mudancas": 1, "cargas": None}]}
    log(published, entry(NEW, ("nova", 9)), unknown)
    assert "by which loads is not known of pub_fila" in run("--diff").stderr


def test_rows_without_a_key_are_counted(published: Path) -> None:
    for name, rows in ((OLD, "(1), (1)"), (NEW, "(1)")):
        with duckdb.connect(str(published / "versions" / name / store.DATABASE)) as con:
            con.execute("create table pub_sem_chave (n int)")
            con.execute(f"insert into pub_sem_chave values {rows}")
    assert "pub_sem_chave,,linhas,2,1,-1," in run("--diff").stdout


def test_the_version_before_is_current_again_and_the_newer_one_is_kept(published: Path) -> None:
    result = run("--rollback")
    assert result.exit_code == 0, result.stderr
    assert (published / "current").resolve().name == OLD
    assert (published / store.DATABASE).resolve() == published / "versions" / OLD / store.DATABASE
    assert {path.name for path in store.versions(published)} == {OLD, NEW}
    assert f"Version {OLD} is current again" in result.stderr
    again = run("--rollback")
    assert again.exit_code != 0
    assert f"There is no version before {OLD}" in again.stderr


@pytest.mark.parametrize("option", ["--diff", "--rollback"])
def test_nothing_published_is_said(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAPA_DIR", str(tmp_path))
    result = run(option)
    assert result.exit_code == 9
    assert "There is no version before the first one" in result.stderr


def test_each_stands_alone(published: Path) -> None:
    assert run("--rollback", "--diff").exit_code == 2
    assert (published / "current").resolve().name == NEW
