"""Readers who never wait while versions come and go, and publications that die at any moment."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from mapa.publish import publish, store
from mapa.settings import Settings
from test_publish import MAPA, require_whole

READER = """
import json, sys, time
from pathlib import Path

import duckdb

published, stop = Path(sys.argv[1]), Path(sys.argv[2])
MARKS = (
    "select min(mosaico_linha), max(mosaico_linha) from {}",
    "select min(qtd_escalas_sem_quantidade), max(qtd_escalas_sem_quantidade) from {}",
)
TABLES = ("pub_dim_territorio", "pub_oferta_por_dia")
reads, mixed, errors, seen = 0, 0, [], set()


def marks(con, places):
    return {n for q, place in zip(MARKS, places) for n in con.execute(q.format(place)).fetchone()}


while not stop.exists():
    try:
        with duckdb.connect(str(published / "mapa_publico.duckdb"), read_only=True) as con:
            told = marks(con, TABLES)
            time.sleep(0.05)
            told |= marks(con, TABLES)
        folder = (published / "current").resolve()
        manifest = json.loads((folder / "manifest.json").read_bytes())
        files = [f"read_parquet('{folder}/parquet/{name}.parquet')" for name in TABLES]
        with duckdb.connect() as con:
            copied = marks(con, files)
        mixed += len(told) != 1 or len(copied) != 1 or manifest["version"] != folder.name
        seen |= told
        reads += 1
    except Exception as error:
        errors.append(type(error).__name__ + ": " + str(error)[:200])
print(json.dumps({"reads": reads, "mixed": mixed, "errors": errors, "seen": sorted(seen)}))
"""


def mark(settings: Settings, number: int) -> None:
    """Write a number into two tables, so that a mixed release would be seen."""
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute(f"update publicacao.pub_dim_territorio set mosaico_linha = {number}")
        con.execute(
            f"update publicacao.pub_oferta_por_dia set qtd_escalas_sem_quantidade = {number}"
        )


@pytest.mark.timeout(5400)
@pytest.mark.parametrize(
    ("publications", "readers"),
    [(4, 4), pytest.param(100, 20, marks=pytest.mark.long)],
    ids=["few", "many"],
)
def test_readers_who_never_wait_see_one_release_each_and_no_error(
    copied: Settings, tmp_path: Path, publications: int, readers: int
) -> None:
    mark(copied, 1000)
    publish(copied)
    script, stop = tmp_path / "reader.py", tmp_path / "stop"
    script.write_text(READER)
    processes = [
        subprocess.Popen(
            # They leave the processor to the one who publishes, whenever he wants it.
            ["nice", "-n", "15", sys.executable, script, copied.published, stop],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(readers)
    ]
    try:
        versions = set()
        for number in range(1001, 1001 + publications):
            mark(copied, number)
            versions.add(publish(copied).version)
    finally:
        stop.touch()
        told = [json.loads(process.communicate(timeout=120)[0]) for process in processes]
    assert [one["errors"] for one in told if one["errors"]] == []
    assert sum(one["mixed"] for one in told) == 0
    assert all(one["reads"] for one in told)
    assert len(versions) == publications
    # They read while versions changed.
    seen = {number for one in told for number in one["seen"]}
    assert len(seen) > publications // 2


@pytest.mark.timeout(5400)
@pytest.mark.parametrize("kills", [3, pytest.param(100, marks=pytest.mark.long)])
def test_a_publication_that_is_killed_at_any_moment_leaves_a_whole_version(
    copied: Settings, kills: int
) -> None:
    mark(copied, 999)
    begun = time.monotonic()
    subprocess.run([MAPA, "publish"], check=True, capture_output=True)
    span = time.monotonic() - begun
    chance = random.Random(kills)
    died = 0
    for number in range(1000, 1000 + kills):
        mark(copied, number)
        process = subprocess.Popen(
            [MAPA, "publish"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(chance.uniform(0, span))
        died += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        require_whole(copied.published)
        # What stands under the names of versions is whole, and the stable names lead to it.
        for folder in store.versions(copied.published):
            assert (folder / store.MANIFEST).exists()
        for name in set(store.STABLE) - {store.SITE}:
            assert (copied.published / name).exists(), name
    assert died >= kills // 2
    mark(copied, 5000)
    assert publish(copied).new
    assert list((copied.published / "versions").glob(".*")) == []
