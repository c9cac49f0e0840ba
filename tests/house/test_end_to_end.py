"""The finished house as its users meet it: numbers, dbt by hand, clear failures."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from duckdb.sqltypes import VARCHAR

from conftest import PROJECT, House, environment, house_environment
from mapa import dbt, warehouse
from mapa.dbt_plugin import FUNCTION, hmac_sha256
from mapa.dictionary import catalog
from mapa.settings import Settings
from mapa_city import verify

BIN = Path(sys.executable).parent


def run(house_env: dict[str, str], *command: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the virtual environment as a user would."""
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        env=os.environ | house_env | extra,
        cwd=house_env["DBT_PROJECT_DIR"],
        text=True,
        capture_output=True,
        timeout=600,
        check=False,
    )


@pytest.fixture
def empty(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a house in which nothing has been loaded."""
    return house_environment(tmp_path)


# --- numbers ---------------------------------------------------------------------------------


def test_every_cell_of_every_mart_equals_the_truth(city_house: House) -> None:
    with warehouse.connect(city_house.settings.warehouse, read_only=True) as con:
        results = verify.compare(con, city_house.truth)
    assert [str(result) for result in results if not result.equal] == []


def test_the_comparison_notices_a_single_wrong_cell(city_house: House) -> None:
    real = city_house.truth["oferta_real_por_mes"]
    rows = [list(row) for row in real["linhas"]]
    rows[0][-1] += 1
    truth = city_house.truth | {"oferta_real_por_mes": real | {"linhas": rows}}
    with warehouse.connect(city_house.settings.warehouse, read_only=True) as con:
        wrong = [result for result in verify.compare(con, truth) if not result.equal]
    assert [(result.mart, len(result.different)) for result in wrong] == [
        ("oferta_real_por_mes", 1)
    ]


def test_published_slots_reconcile_with_raw_schedules(city_house: House) -> None:
    with warehouse.connect(city_house.settings.warehouse, read_only=True) as con:
        raw, explained = con.execute(
            """
            select
                (select count(*) from bruto_sisreg.escala_ambulatorial),
                (select sum(qtd_linhas) from qualidade.qualidade_escalas)
            """
        ).fetchone() or (0, 0)
        (restricted,) = con.execute(
            "select sum(qtd_vagas_total) from oferta.oferta_por_dia"
        ).fetchone() or (0,)
    with duckdb.connect(city_house.settings.published / "mapa_publico.duckdb", read_only=True) as p:
        (by_day,) = p.execute("select sum(qtd_vagas_total) from pub_oferta_por_dia").fetchone() or (
            0,
        )
        (by_month,) = p.execute(
            "select sum(qtd_vagas_total) from pub_oferta_real_por_mes"
        ).fetchone() or (0,)
    assert raw == explained > 0
    assert restricted == by_day == by_month > 0


def test_every_load_reconciles(city_house: House) -> None:
    with warehouse.connect(city_house.settings.warehouse, read_only=True) as con:
        rows = con.execute(
            """
            select
                resultado,
                qtd_recebidas = qtd_carregadas + qtd_identicas + qtd_rejeitadas,
            from controle.cargas
            """
        ).fetchall()
    assert rows
    assert set(rows) == {("completa", True)}


def test_only_the_published_side_can_be_read_by_others(city_house: House) -> None:
    def mode(path: Path) -> int:
        return path.stat().st_mode & 0o777

    data = city_house.directory
    assert mode(data) == 0o711
    assert mode(data / "mapa.duckdb") == 0o600
    assert mode(data / "landing") == 0o700
    assert mode(Path(city_house.env["DBT_LOG_PATH"]) / "dbt.log") == 0o600
    for path in (data / "published").resolve().rglob("*"):
        if path.is_file() and not path.name.startswith("."):
            assert mode(path) & 0o044 == 0o044, path.name


# --- dbt by hand -----------------------------------------------------------------------------


def test_dbt_works_for_someone_who_never_heard_of_mapa(city_house: House, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    shutil.copyfile(city_house.settings.warehouse, data / "mapa.duckdb")
    env = house_environment(tmp_path)
    for command in (
        ("dbt", "build", "--select", "oferta_real_por_mes+"),
        ("dbt", "test", "--select", "oferta_real_por_mes"),
        ("dbt", "docs", "generate"),
    ):
        done = run(env, *command)
        assert done.returncode == 0, done.stdout[-2000:]
    told, manifest = (
        json.loads((tmp_path / "target" / f"{name}.json").read_bytes())
        for name in ("catalog", "manifest")
    )
    with duckdb.connect(str(data / "mapa.duckdb"), read_only=True) as con:
        ours = catalog.of(con, manifest)
    # What the dictionary is made of is what dbt itself would say.
    for part in ("nodes", "sources"):
        columns, expected = (
            {
                (table, name): (column["index"], column["type"])
                for table, described in content[part].items()
                for name, column in described["columns"].items()
            }
            for content in (ours, told)
        )
        assert columns == expected


def test_every_unit_test_of_the_models_passes(city_house: House, tmp_path: Path) -> None:
    # They depend on no data, so that `mapa` does not run them; they want the tables to be there.
    data = tmp_path / "data"
    data.mkdir()
    shutil.copyfile(city_house.settings.warehouse, data / "mapa.duckdb")
    with environment(house_environment(tmp_path)):
        settings = Settings.load()
        dbt.run_dbt(settings, "test", "--select", "test_type:unit", title="dbt test")
    target = settings.dbt_target_path
    written = json.loads((target / "manifest.json").read_bytes())["unit_tests"]
    results = json.loads((target / "run_results.json").read_bytes())["results"]
    assert len(written) > 100
    assert {r["unique_id"] for r in results if r["status"] == "pass"} == set(written)


def test_no_staging_view_joins_its_rows_with_constants(city_house: House, tmp_path: Path) -> None:
    # DuckDB makes such a join of `in` with many constants, one for each column, and never prunes
    # it: with them the SQL of a build cost four times as much. `array_contains` is the cheap form.
    shutil.copyfile(city_house.settings.warehouse, tmp_path / "mapa.duckdb")
    with duckdb.connect(str(tmp_path / "mapa.duckdb")) as con:
        con.create_function(FUNCTION, hmac_sha256(bytes(64)), [VARCHAR], VARCHAR)

        def joins(query: str) -> int:
            ((_, plan),) = con.execute(f"explain {query}").fetchall()
            return str(plan).count("MARK")

        views = [
            f"staging.{name}"
            for (name,) in con.execute(
                "select view_name from duckdb_views() where schema_name = 'staging'"
            ).fetchall()
        ]
        assert len(views) > 20
        assert {view: joins(f"select * from {view}") for view in views} == dict.fromkeys(views, 0)
        words = "'', '-', '---', 'null', 'none', 'n/a', 'na', 'nan', 'nat'"
        assert joins(f"select fonte not in ({words}) from controle.cargas") > 0  # one would be seen


def test_the_key_stands_in_no_compiled_file_and_no_log(city_house: House) -> None:
    key = city_house.env["MAPA_PSEUDONYM_KEY"].encode()
    for name in ("DBT_TARGET_PATH", "DBT_LOG_PATH", "MAPA_DIR"):
        for path in Path(city_house.env[name]).rglob("*"):
            if path.is_file():
                assert key not in path.read_bytes(), path.name


def test_dbt_before_any_load_says_what_to_do(empty: dict[str, str]) -> None:
    done = run(empty, "dbt", "build")
    assert done.returncode == 2
    assert "Nothing has been loaded" in done.stdout
    assert "mapa load --help" in done.stdout


@pytest.mark.parametrize(("key", "state"), [("", "is not set"), ("short", "fewer than 32")])
def test_a_missing_or_short_key_stops_dbt(empty: dict[str, str], key: str, state: str) -> None:
    done = run(empty, "dbt", "build", MAPA_PSEUDONYM_KEY=key)
    assert done.returncode != 0
    assert state in done.stdout + done.stderr


def test_a_second_writer_is_told_to_wait(empty: dict[str, str], city_house: House) -> None:
    with warehouse.connect(Path(empty["MAPA_DIR"]) / "mapa.duckdb"):
        done = run(empty, "mapa", "load", "export", str(city_house.directory / "city" / "files"))
    assert done.returncode == 6
    assert "in use by another process" in done.stderr


# --- clear failures --------------------------------------------------------------------------


# --- the daily job ---------------------------------------------------------------------------


def test_the_daily_job_publishes_what_is_there_and_says_what_is_old(
    empty: dict[str, str],
) -> None:
    inbox, fixtures = Path(empty["MAPA_DIR"]) / "inbox", PROJECT / "tests" / "fixtures" / "load"
    inbox.mkdir(parents=True)
    for name in ("tbEstabelecimento202604.csv", "agendamento.txt", "feriado.csv"):
        shutil.copyfile(fixtures / name, inbox / name)
    text = (fixtures / "escala.csv").read_text()
    (inbox / "b_escala.csv").write_text(text)
    (inbox / "c_escala.csv").write_text(text.replace("STATUS", "ESTADO"))
    (inbox / "z.csv").write_text("")
    done = run(empty, "mapa", "run")
    said = " ".join(done.stderr.split())
    assert done.returncode == 12, done.stderr
    assert "escala: b_escala.csv: 4 received = 4 loaded" in said
    assert "2 of 6 files were refused; the others are loaded." in said
    assert "z.csv is empty" in said and "column `status` is missing" in said
    assert "Old: c_escala.csv was not loaded; the newest of escala that is loaded is as of" in said
    assert "Old: z.csv was not loaded; what it should have brought stays as it was." in said
    assert said.index("Published version") < said.index("Old:")


@pytest.fixture
def busy_port() -> Iterator[int]:
    """Hold a port that a command will want."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_a_busy_port_is_named(empty: dict[str, str], busy_port: int) -> None:
    done = run(empty, "mapa", "simulate", "--people", "1000", "--port", str(busy_port))
    assert done.returncode == 11
    assert str(busy_port) in done.stderr


def test_a_stopped_source_is_named(empty: dict[str, str]) -> None:
    done = run(
        empty,
        "mapa",
        "load",
        "sisreg",
        SISREG_URL="http://127.0.0.1:9",
        SISREG_USER="u",
        SISREG_PASSWORD="p",
    )
    assert done.returncode == 5
    assert "127.0.0.1" in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_credentials_are_named(empty: dict[str, str]) -> None:
    done = run(empty, "mapa", "load", "sisreg")
    assert done.returncode == 7
    assert "SISREG_USER" in done.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    (disk / "filler").write_bytes(bytes(1000 * 1024))
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_named(city_house: House, empty: dict[str, str], small_disk: Path) -> None:
    files = city_house.directory / "city" / "files"
    done = run(empty, "mapa", "load", "export", str(files), MAPA_DIR=str(small_disk))
    assert done.returncode == 10, done.stderr
    assert "room" in done.stderr
    assert "Traceback" not in done.stderr


def test_demo_refuses_a_folder_it_did_not_make(empty: dict[str, str], tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "precious").touch()
    done = run(empty, "mapa", "demo")
    assert done.returncode == 7
    assert (data / "precious").exists()
