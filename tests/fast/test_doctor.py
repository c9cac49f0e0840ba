"""`mapa doctor`: a fit house is ok, and each thing that is unfit is named with what to type."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from click.testing import CliRunner

from conftest import house_environment
from mapa import clocks, warehouse
from mapa.cli import cli
from mapa.http import Answer
from mapa.settings import Settings
from test_http import Listener, listening

Change = Callable[[Path, pytest.MonkeyPatch], object]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a house that is fit."""
    for name, value in house_environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    for name in ("SISREG_USER", "SISREG_PASSWORD", "CADSUS_SYSTEM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    with warehouse.connect(Settings.load().warehouse):
        pass
    return tmp_path


def examined() -> dict[str, Any]:
    """Return what the command says, by check."""
    result = CliRunner().invoke(cli, ["doctor", "--json"])
    found = json.loads(result.stdout)
    assert result.exit_code == (13 if found["verdict"] == "fail" else 0)
    return {check["name"]: check for check in found["checks"]}


def test_a_fit_house_is_ok(house: Path) -> None:
    checks = examined()
    assert {check["state"] for check in checks.values()} == {"ok"}
    assert {"duckdb", "dbt-core", "dbt-duckdb", "python", "disk", "modes"} <= checks.keys()
    said = CliRunner().invoke(cli, ["doctor"]).stdout
    assert said.splitlines()[-1] == "Verdict: ok"


def opened(name: str, mode: int = 0o644) -> Change:
    """Return what opens a file or folder of the house to others."""

    def change(house: Path, _: pytest.MonkeyPatch) -> None:
        path = house / name
        if not path.exists():
            (path if "." not in path.name else path.parent).mkdir(parents=True, exist_ok=True)
        if "." in path.name:
            path.touch()
        path.chmod(mode)

    return change


def environment(**values: str) -> Change:
    """Return what sets variables."""

    def change(_: Path, patch: pytest.MonkeyPatch) -> None:
        for name, value in values.items():
            patch.setenv(name, value)

    return change


def future_load(house: Path, _: pytest.MonkeyPatch) -> None:
    """Leave a load of next year."""
    with warehouse.connect(house / "data" / "mapa.duckdb") as con:
        con.execute(
            "insert into controle.cargas (carga_id, fonte, entidade, iniciada_em, versao_codigo, "
            "resultado) values ('x', 'arquivo', 'ppi', now()::timestamp + interval 1 year, '1', "
            "'completa')"
        )


class Case(NamedTuple):
    """What is wrong, by which check it is found, how badly, and what is said or to be typed."""

    change: Change
    check: str
    state: str
    words: str


UNFIT = {
    "no key": Case(environment(MAPA_PSEUDONYM_KEY=""), "keys", "fail", "secrets.token_hex(32)"),
    "a short key": Case(environment(MAPA_PSEUDONYM_KEY="curta"), "keys", "fail", "token_hex"),
    "a key of one letter": Case(environment(MAPA_PSEUDONYM_KEY="a" * 40), "key", "warn", "token"),
    "half an account": Case(environment(SISREG_USER="u"), "SISREG account", "fail", "PASSWORD"),
    "no certificate": Case(
        environment(CADSUS_SYSTEM="s"), "CadSUS certificate", "fail", "CADSUS_KEY"
    ),
    "a setting": Case(environment(MAPA_ATTEMPTS="many"), "settings", "fail", "MAPA_ATTEMPTS"),
    "an open warehouse": Case(opened("data/mapa.duckdb"), "modes", "fail", "chmod 600"),
    "an open log of it": Case(opened("data/mapa.duckdb.wal"), "modes", "fail", "chmod 600"),
    "open landing": Case(opened("data/landing", 0o755), "modes", "fail", "chmod 700"),
    # Whoever drops exports there may do so by way of a group.
    "an open inbox": Case(opened("data/inbox", 0o775), "modes", "fail", "chmod 770"),
    "an open dictionary": Case(opened("data/dicionario", 0o755), "modes", "fail", "chmod 700"),
    "an open dbt.log": Case(opened("logs/dbt.log"), "modes", "fail", "chmod 600"),
    "a listable house": Case(opened("data", 0o755), "folder", "warn", "chmod 711"),
    "no profile": Case(environment(DBT_PROFILES_DIR="nada"), "profile", "fail", "cp profiles.yml"),
    "no project": Case(environment(DBT_PROJECT_DIR="nada"), "project", "fail", "DBT_PROJECT_DIR"),
    "our clock was ahead": Case(future_load, "our clock", "fail", "timedatectl"),
    "no warehouse": Case(
        lambda house, _: (house / "data" / "mapa.duckdb").unlink(), "warehouse", "warn", "mapa load"
    ),
    "another file": Case(
        lambda house, _: (house / "data" / "mapa.duckdb").write_text("no database " * 9),
        "warehouse", "fail", "Move it away",
    ),
    "a full disk": Case(
        lambda _, patch: patch.setattr(
            shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 8, 1)
        ),
        "disk", "fail", "free some space",
    ),
    "a refused file": Case(
        opened("data/inbox/recusados/2026/x.csv", 0o600), "inbox", "warn", "ls -R"
    ),
    "a package": Case(
        lambda _, patch: patch.setattr(importlib.metadata, "version", lambda _: "9.9"),
        "packages", "fail", "pip install -r requirements.txt",
    ),
    "a source that is down": Case(
        environment(SISREG_USER="u", SISREG_PASSWORD="p", SISREG_URL="http://127.0.0.1:9"),
        "SISREG", "fail", "Check the address",
    ),
    "a proxy": Case(
        environment(SISREG_USER="u", SISREG_PASSWORD="p", HTTPS_PROXY="foo"),
        "SISREG", "fail", "http://proxy.example:3128",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNFIT)
def test_what_is_unfit_is_named_with_what_to_type(
    house: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    case = UNFIT[name]
    case.change(house, monkeypatch)
    found = examined()[case.check]
    assert found["state"] == case.state
    assert case.words in found["said"] + found["advice"]


def test_a_warehouse_in_use_is_a_warning_and_nobody_waits(house: Path) -> None:
    with warehouse.connect(house / "data" / "mapa.duckdb"):
        done = subprocess.run(
            [sys.executable, "-c", "from mapa.cli import main; main()", "doctor"],
            text=True, capture_output=True, check=False, timeout=60,
        )  # fmt: skip
    assert "warn  warehouse: " in done.stdout and done.returncode == 0


@pytest.mark.parametrize(
    ("status", "ahead", "states"),
    [
        (200, timedelta(), ("ok", "ok")),
        (404, timedelta(seconds=60), ("ok", "ok")),
        (401, timedelta(), ("fail", "ok")),
        (503, timedelta(), ("warn", "ok")),
        (200, timedelta(minutes=30), ("ok", "warn")),
        (200, timedelta(days=-2), ("ok", "fail")),
        (200, timedelta(days=900), ("ok", "fail")),
        (200, None, ("ok", "warn")),
    ],
)
def test_a_source_is_asked_for_its_headers_and_its_clock_is_compared(
    house: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    ahead: timedelta | None,
    states: tuple[str, str],
) -> None:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            asked.append(self.requestline)
            self.send_response_only(status)
            if ahead is not None:
                instant = datetime.now(UTC) + ahead
                self.send_header("Date", format_datetime(instant, usegmt=True))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with listening(lambda _: None) as server:
        assert isinstance(server, Listener)
        server.RequestHandlerClass = Handler
        for name, value in (("URL", server.url), ("USER", "u"), ("PASSWORD", "segredo")):
            monkeypatch.setenv(f"SISREG_{name}", value)
        monkeypatch.setenv("MAPA_MAX_CLOCK_HOURS", "6")
        checks = examined()
    assert (checks["SISREG"]["state"], checks["clock of SISREG"]["state"]) == states
    assert len(asked) == 1 and asked[0].startswith("HEAD / ")
    assert "segredo" not in str(checks)


def test_a_clock_without_a_zone_is_taken_for_utc() -> None:
    headers = httpx.Headers({"date": f"{datetime.now(UTC):%a, %d %b %Y %H:%M:%S} -0000"})
    instant = Answer(200, headers, b"").instant
    assert instant is not None and abs(clocks.ahead(instant)) < timedelta(seconds=5)
