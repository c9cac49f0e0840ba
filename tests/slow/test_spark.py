"""The same models on Spark: every cell is DuckDB's, on this machine and on a cluster of two."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from conftest import PROJECT, TEST_KEY, House, environment, house_environment
from mapa import export
from spark_compare import differences

IS_HERE = find_spec("pyspark") is not None and shutil.which("java") is not None
pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(5400),
    pytest.mark.skipif(not IS_HERE and "CI" not in os.environ, reason="Spark or Java is missing"),
]
NOT_YET: dict[str, str] = {}
"""Models that do not run on Spark, or not to the same cells, and why; also in `docs/escala.md`."""
UNIT_NOT_YET = {
    "int_fila__laudos__historicos_se_reunem": "its rows are lists as DuckDB writes them",
    "stg_sisreg__solicitacoes_ambulatoriais__codigos_zeros_e_listas": "likewise",
    "int_oferta__alertas_queda__no_limite": "likewise",
    "int_oferta__alertas_sobreposicao__no_limite": "its rows call `isodow`",
    "qualidade_fontes__ultima_carga_e_a_habitual": "the last digit of a double",
}
"""Unit tests that say only of DuckDB what they say."""
TABLES = {"table", "view", "seed", "by_load"}
WORKERS = 2
PATIENCE = 60.0
"""Seconds that a master or a worker may take to say that it is there."""


@dataclass(frozen=True)
class Built:
    """What a build on Spark left."""

    folder: Path
    nodes: dict[str, dict[str, Any]]
    results: dict[str, dict[str, Any]]
    said: str

    def tables(self, *, known: bool = False) -> list[str]:
        """Return the tables and views that were built, or that the project has, with schemas."""
        return [
            f"{node['schema']}.{node['name']}"
            for name, node in self.nodes.items()
            if node["resource_type"] in {"model", "seed"}
            and node["config"]["materialized"] in TABLES
            and (known or name in self.results)
        ]

    def differences(self, house: House) -> dict[str, str]:
        """Return what differs from a house, by table."""
        places = (self.folder / "data" / "spark", self.folder / "views")
        found = differences(house.settings.warehouse, places, self.tables())
        return {table: text for table, text in found.items() if text}


def build(house: House, folder: Path, *arguments: str, **env: str) -> Built:
    """Export the raw tables of a house and build on Spark over them, as a user would."""
    raw = folder / "raw"
    with environment(house.env):
        export.write(house.settings, raw, "DF")
    program = [sys.executable, str(PROJECT / "tests" / "spark_build.py")]
    run = subprocess.run(
        [*program, str(raw), str(folder / "views"), *arguments],
        env=os.environ | house_environment(folder) | env,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    said = run.stdout + run.stderr
    assert (folder / "target" / "run_results.json").exists(), said[-2000:]
    results = json.loads((folder / "target" / "run_results.json").read_bytes())["results"]
    manifest = json.loads((folder / "target" / "manifest.json").read_bytes())
    return Built(
        folder, manifest["nodes"], {result["unique_id"]: result for result in results}, said
    )


@pytest.fixture(scope="module")
def built(city_house: House, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Return everything of the small city, built and tested on Spark on this machine."""
    return build(city_house, tmp_path_factory.mktemp("spark"))


def test_every_table_and_view_is_equal_cell_by_cell(city_house: House, built: Built) -> None:
    assert built.tables() == built.tables(known=True)
    different = built.differences(city_house)
    assert {table.partition(".")[2] for table in different} == {*NOT_YET}, different


def test_what_does_not_run_is_named_where_people_read(built: Built) -> None:
    told = (PROJECT / "docs" / "escala.md").read_text()
    assert not [name for name in (*NOT_YET, *UNIT_NOT_YET) if f"`{name}`" not in told]
    named = {node["name"] for node in built.nodes.values()}
    assert {*NOT_YET} <= named


def test_data_tests_end_as_on_duckdb(city_house: House, built: Built) -> None:
    path = city_house.settings.dbt_target_path / "run_results.json"
    on_duckdb = {
        result["unique_id"]: (result["status"], result["failures"])
        for result in json.loads(path.read_bytes())["results"]
        if result["unique_id"].startswith("test.")
    }
    on_spark = {
        name: (result["status"], result["failures"])
        for name, result in built.results.items()
        if name.startswith("test.")
    }
    assert len(on_duckdb) > 800
    assert on_spark == on_duckdb


def test_unit_tests_pass(city_house: House, tmp_path: Path) -> None:
    # They bring their own rows, and of the tables they ask no more than the columns.
    left_out = [f"unit_test:{name}" for name in UNIT_NOT_YET]
    only = ("--empty", "--exclude-resource-type", "test", "--exclude", *left_out)
    made = build(city_house, tmp_path, "build", *only)
    found = {n: r["status"] for n, r in made.results.items() if n.startswith("unit_test.")}
    assert len(found) > 200
    assert [name for name, status in found.items() if status != "pass"] == []


def test_the_key_stands_in_nothing_that_was_written_or_said(built: Built) -> None:
    assert TEST_KEY not in built.said
    files = [path for path in built.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if TEST_KEY.encode() in path.read_bytes()]


def test_nobody_else_may_read_what_is_written(built: Built) -> None:
    open_to_others = [
        path for path in (built.folder / "raw").rglob("*") if path.stat().st_mode & 0o077
    ]
    assert open_to_others == []
    assert (built.folder / "data" / "spark").stat().st_mode & 0o077 == 0


@contextmanager
def server(kind: str, log: Path, said: str, *arguments: str) -> Iterator[str]:
    """Run a master or a worker of Spark until the block ends; yield what its log says it is."""
    import pyspark  # noqa: PLC0415 - an extra

    program = Path(pyspark.__file__).parent / "bin" / "spark-class"
    name = f"org.apache.spark.deploy.{kind.lower()}.{kind}"
    with log.open("w") as file:
        process = subprocess.Popen(
            [program, name, "--host", "127.0.0.1", "--webui-port", "0", *arguments],
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        yield wait_for(log, said)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def wait_for(log: Path, pattern: str) -> str:
    """Return what a log says, when it says it."""
    end = time.monotonic() + PATIENCE
    while not (found := re.search(pattern, log.read_text())):
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.2)
    return found[0]


def test_a_cluster_of_two_workers_gives_the_same_cells(city_house: House, tmp_path: Path) -> None:
    logs = [tmp_path / f"worker-{number}.log" for number in range(WORKERS)]
    with ExitStack() as cluster:
        start = cluster.enter_context
        master = start(
            server("Master", tmp_path / "master.log", r"spark://127\.0\.0\.1:\d+", "--port", "0")
        )
        for log in logs:
            folder = str(tmp_path / log.stem)
            size = ("--cores", "1", "--memory", "1g", "--work-dir", folder)
            start(server("Worker", log, "Successfully registered with master", *size, master))
        made = build(
            city_house,
            tmp_path / "build",
            *("build", "--select", "+fila_por_mes", "--exclude-resource-type", "test", "unit_test"),
            MAPA_SPARK_MASTER=master,
        )
    assert {result["status"] for result in made.results.values()} == {"success"}, made.said[-2000:]
    assert "fila.fila_por_mes" in made.tables()
    assert made.differences(city_house) == {}
    assert all("Asked to launch executor" in log.read_text() for log in logs)
