"""`mapa load` and `mapa status` as a person types them: output, messages and exit codes."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from conftest import PROJECT
from mapa import identity, pseudonyms, warehouse
from mapa.cli import cli
from mapa.layouts import every, named
from mirror import PASSWORD, USER, Mirror, mirroring

FIXTURES = PROJECT / "tests" / "fixtures" / "load"
PYTHON_MAPA = (sys.executable, "-c", "from mapa.cli import main; main()")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let each test have a folder without settings of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAPA_DIR", str(tmp_path / "data"))
    for name in ("SISREG_USER", "SISREG_PASSWORD", "SISREG_URL"):
        monkeypatch.delenv(name, raising=False)
    yield


def mapa(*arguments: str) -> Result:
    """Run the command line."""
    return CliRunner().invoke(cli, arguments)


def test_files_are_loaded_and_the_status_shows_them(tmp_path: Path) -> None:
    result = mapa("load", "export", str(FIXTURES / "escala.csv"), str(FIXTURES / "ppi.csv"))
    assert result.exit_code == 0
    line = "escala: escala.csv: 4 received = 4 loaded + 0 identical + 0 rejected"
    assert line in result.stderr.replace("\n", " ")
    assert result.stdout == ""
    again = mapa("load", "export", str(FIXTURES / "escala.csv"))
    assert (again.exit_code, "already loaded, skipped" in again.stderr) == (0, True)
    assert mapa("load", "cnes", str(FIXTURES / "tbEstabelecimento202604.csv")).exit_code == 0
    published = tmp_path / "data" / "published"
    (published / "versions" / "v1").mkdir(parents=True)
    (published / "versions" / "v1" / "manifest.json").write_text(
        '{"data_referencia": "2026-06-30"}'
    )
    (published / "current").symlink_to("versions/v1")
    assert "bruto_cnes.estabelecimento" in mapa("status").stdout
    sections = json.loads(mapa("status", "--json").stdout)
    assert [load["entity"] for load in sections["loads"]] == [
        "cnes_estabelecimento", "ppi", "escala",
    ]  # fmt: skip
    counts = {row["table"]: (row["records"], row["versions"]) for row in sections["tables"]}
    assert counts["bruto_sisreg.escala_ambulatorial"] == (4, 4)
    assert sections["published"] == [
        {"version": "v1", "current": True, "data_referencia": "2026-06-30", "created_at": None}
    ]
    assert sections["watermarks"] == sections["absences"] == []


def test_status_says_when_scores_were_made_last_or_why_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> str:
        (line,) = [x for x in mapa("status").stdout.splitlines() if x.startswith("Scores of")]
        return line

    assert mapa("load", "export", str(FIXTURES / "ppi.csv")).exit_code == 0
    assert said().startswith("Scores of identity: none: nothing is built yet")
    with warehouse.connect(tmp_path / "data" / "mapa.duckdb") as con:
        con.execute("create schema intermediario")
        con.execute("create table intermediario.int_pessoas__identidade (pessoa_id varchar)")
    assert "none: they were not made since the first build" in said()
    with warehouse.connect(tmp_path / "data" / "mapa.duckdb") as con:
        con.execute(pseudonyms.DDL)
        con.execute("insert into controle.pareamentos values ('2026-07-01 03:04:05', 9, 3, 4)")
    assert said() == (
        "Scores of identity: 2026-07-01 03:04 UTC, 9 requests without a link scored: "
        "3 resemble 4 records."
    )
    scores = json.loads(mapa("status", "--json").stdout)["verdict"]["scores"]
    assert (scores["requests"], scores["reason"]) == (9, None)
    with warehouse.connect(tmp_path / "data" / "mapa.duckdb") as con:
        con.execute("delete from controle.pareamentos")
    monkeypatch.setattr(identity, "find_spec", lambda _: None)
    assert said() == (
        "Scores of identity: none: splink is not installed; pip install -e '.[identidade]'"
    )


def test_status_before_any_load_says_what_to_do() -> None:
    result = mapa("status")
    assert (result.exit_code, "mapa load --help" in result.stdout) == (0, True)
    assert "Verdict: unknown" in result.stdout
    assert mapa("status", "--check").exit_code == 13
    assert json.loads(mapa("status", "--json").stdout)["verdict"]["verdict"] == "unknown"


def test_status_while_the_warehouse_is_in_use_says_so_and_waits_for_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAPA_WAIT_LOCK_SECONDS", "600")
    with warehouse.connect(tmp_path / "data" / "mapa.duckdb"):
        codes = {}
        for option in ("--json", "--check"):
            done = subprocess.run(
                [*PYTHON_MAPA, "status", option], capture_output=True, text=True, check=False,
                timeout=60,
            )  # fmt: skip
            codes[option] = done.returncode
            assert f"in use by another process ({os.getpid()})" in done.stdout
    assert codes == {"--json": 0, "--check": 6}


def test_the_verdict_says_what_is_stale_not_built_and_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def verdict() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(mapa("status", "--json").stdout)["verdict"]
        return found

    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "target"))
    assert mapa("load", "export", str(FIXTURES / "ppi.csv")).exit_code == 0
    assert mapa("load", "cnes", str(FIXTURES / "tbEstabelecimento202604.csv")).exit_code == 0
    first = verdict()
    assert {(row["source"], row["state"]) for row in first["sources"]} == {
        ("arquivo", "fresh"), ("cnes", "fresh"),
    }  # fmt: skip
    assert (first["unpublished"]["loads"], first["last_build"]) == (2, None)
    assert first["unpublished"]["state"] == "loaded and not built"
    # dbt built since, and then it was published.
    (tmp_path / "target").mkdir()
    later = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    results: dict[str, Any] = {"args": {"which": "build"}, "metadata": {"generated_at": later}}
    for statuses, green in ((["success", "fail"], False), (["success", "pass"], True)):
        results["results"] = [{"status": status} for status in statuses]
        (tmp_path / "target" / "run_results.json").write_text(json.dumps(results))
        assert verdict()["last_build"]["green"] is green
    assert verdict()["unpublished"]["state"].startswith("built and not published")
    assert mapa("status", "--check").exit_code == 13
    version = tmp_path / "data" / "published" / "versions" / "v1"
    version.mkdir(parents=True)
    (version / "manifest.json").write_text(json.dumps({"version": "v1", "created_at": later}))
    (version.parent.parent / "current").symlink_to("versions/v1")
    assert (verdict()["verdict"], verdict()["problems"]) == ("fresh", [])
    assert mapa("status", "--check").exit_code == 0
    # Days go by: the register of units may be older than a file.
    with warehouse.connect(tmp_path / "data" / "mapa.duckdb") as con:
        con.execute("update controle.cargas set janela_fim = janela_fim - interval 20 day")
    assert {row["source"]: row["state"] for row in verdict()["sources"]} == {
        "arquivo": "stale", "cnes": "fresh",
    }  # fmt: skip
    assert verdict()["verdict"] == "stale"
    monkeypatch.setenv("MAPA_STALE_DAYS", "30, cnes=10")
    assert {row["source"]: row["state"] for row in verdict()["sources"]} == {
        "arquivo": "fresh", "cnes": "stale",
    }  # fmt: skip
    assert "MAPA_STALE_DAYS" in mapa("status").stdout


@pytest.mark.parametrize("value", ["", "soon", "7,cnes", "-1", "7;cnes=3", "7,CNES=3"])
def test_a_limit_of_age_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("MAPA_STALE_DAYS", value)
    result = mapa("status")
    assert (result.exit_code, "MAPA_STALE_DAYS" in result.stderr) == (7, True)


@pytest.mark.parametrize("layout", every(), ids=lambda layout: layout.name)
def test_describe_lists_the_columns(layout: object) -> None:
    name = layout.name  # type: ignore[attr-defined]
    result = mapa("load", "export", "--describe", name)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{name}: raw table bruto_")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["load", "sisreg"], 7, "SISREG_USER and SISREG_PASSWORD are not set"),
        (["load", "sisreg", "--index", "outro"], 2, "is not one of"),
        (["load", "sisreg", "--since", "2026-02-01", "--until", "2026-01-01"], 2, "before"),
        (["load", "export"], 2, "Missing argument"),
        (["load", "export", "x.csv"], 2, "does not exist"),
        (["load", "export", "--partial", "--complete", str(FIXTURES)], 2, "exclude"),
        (["load", "export", str(FIXTURES / "desconhecido.csv")], 3, "no known layout"),
        (["load", "cnes", str(FIXTURES / "ppi.csv")], 3, "expected `cnes_estabelecimento` or"),
        (["load", "cadsus", "--file", str(FIXTURES / "ppi.csv")], 3, "expected `cadsus_pessoa`"),
        (["load", "cadsus", "--limit", "0"], 2, "range"),
    ],
)
def test_mistakes_have_a_clear_line_and_their_exit_code(
    arguments: list[str], code: int, words: str
) -> None:
    result = mapa(*arguments)
    assert result.exit_code == code
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_an_empty_file_is_a_failed_export(tmp_path: Path) -> None:
    (tmp_path / "vazio.csv").write_text("")
    result = mapa("load", "export", "vazio.csv")
    assert (result.exit_code, "the export failed" in result.stderr) == (4, True)


def test_a_second_writer_is_told_to_wait(tmp_path: Path) -> None:
    path = tmp_path / "data" / "mapa.duckdb"
    with warehouse.connect(path):
        for arguments in (
            ["load", "export", str(FIXTURES / "ppi.csv")],
            ["load", "cnes", str(FIXTURES / "tbEstabelecimento202604.csv")],
        ):
            other = subprocess.run(
                [*PYTHON_MAPA, *arguments],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert other.returncode == 6
            assert "one writer at a time" in other.stderr


def test_another_file_in_the_warehouse_s_place(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mapa.duckdb").write_text("this is no database, however long it may be")
    result = mapa("load", "export", str(FIXTURES / "ppi.csv"))
    assert (result.exit_code, "is not a database" in result.stderr) == (4, True)


def test_a_full_disk_leaves_nothing_half_loaded(tmp_path: Path) -> None:
    assert mapa("load", "export", str(FIXTURES / "ppi.csv")).exit_code == 0
    header, *rows = (FIXTURES / "escala.csv").read_text().splitlines()
    noise = "".join(f"{n:x}" for n in range(300_000))
    rows = [
        rows[0].replace("5000001", str(n)) + noise[n * 500 : n * 500 + 500] for n in range(3000)
    ]
    (tmp_path / "grande.csv").write_text("\n".join([header, *rows]))

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    process = subprocess.run(
        [*PYTHON_MAPA, "load", "export", "grande.csv"],
        capture_output=True, text=True, check=False, preexec_fn=no_room,
    )  # fmt: skip
    assert process.returncode == 10, process.stderr
    assert "no room left" in process.stderr
    sections = json.loads(mapa("status", "--json").stdout)
    counts = {row["table"]: row["versions"] for row in sections["tables"]}
    assert counts["bruto_sisreg.escala_ambulatorial"] == 0
    assert {load["outcome"] for load in sections["loads"]} <= {"completa", "falhou"}


def test_ctrl_c_leaves_nothing_half_loaded(tmp_path: Path) -> None:
    index = "solicitacao-ambulatorial"
    sample = json.loads((FIXTURES / f"{index}.json").read_text())
    documents = [sample | {"codigo_solicitacao": str(n)} for n in range(5)]
    reached = threading.Event()

    def slow(answer: dict[str, Any]) -> Any:
        reached.set()
        time.sleep(2)
        return answer

    with mirroring(Mirror({index: documents}, spoil=[None, slow])) as mirror:
        environment = os.environ | {
            "SISREG_URL": mirror.url,
            "SISREG_USER": USER,
            "SISREG_PASSWORD": PASSWORD,
            "SISREG_PAGE": "2",
        }
        # A shell in the background lets its children ignore Ctrl-C.
        heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        process = subprocess.Popen(
            [sys.executable, "-c", heed + PYTHON_MAPA[2], "load", "sisreg", "--index", index],
            env=environment, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert reached.wait(30)
        process.send_signal(signal.SIGINT)
        _, message = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in message
    sections = json.loads(mapa("status", "--json").stdout)
    assert {row["versions"] for row in sections["tables"]} == {0}
    assert [load["outcome"] for load in sections["loads"]] == ["falhou"]
    assert sections["watermarks"] == []
    assert list((tmp_path / "data" / "landing").rglob("*.json.gz"))


def test_a_warehouse_of_an_older_version_is_read_and_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "data" / "mapa.duckdb"
    with warehouse.connect(path) as con:
        con.execute("drop table bruto_sisreg.teto")
        con.execute("insert into bruto_sisreg.ppi (competencia) values ('202603')")
        con.execute("alter table bruto_sisreg.ppi drop column qtd_ppi")
    tables = json.loads(mapa("status", "--json").stdout)["tables"]
    assert "bruto_sisreg.teto" not in {row["table"] for row in tables}
    with warehouse.connect(path) as con:
        assert con.execute("select count(*) from bruto_sisreg.teto").fetchone() == (0,)
        row = con.execute("select competencia, qtd_ppi from bruto_sisreg.ppi").fetchone()
    assert row == ("202603", None)


def test_hashes_of_an_older_version_are_made_anew_and_outlive_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "data" / "mapa.duckdb"
    with warehouse.connect(path) as con:
        con.execute("alter table bruto_sisreg.ppi alter column _hash set data type varchar")
        con.execute("insert into bruto_sisreg.ppi (competencia, _hash) values ('202603', 'a')")
        con.execute("insert into bruto_sisreg.ppi (competencia, _hash) values ('202604', 'b')")
        con.execute("alter table bruto_sisreg.teto alter column _hash set data type varchar")
        con.execute("insert into bruto_sisreg.feriado (data, _hash) values ('01/01/2026', 1)")
    killed = (
        "import os, pathlib; from mapa import warehouse\n"
        f"with warehouse.connect(pathlib.Path({str(path)!r})): os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", killed], check=False).returncode == 9
    with warehouse.connect(path) as con:
        fresh = f"select competencia, {named('ppi').content_hash()} from bruto_sisreg.ppi"
        stored = con.execute("select competencia, _hash from bruto_sisreg.ppi").fetchall()
        assert stored == con.execute(fresh).fetchall()
        assert len({value for _, value in stored}) == 2
        kinds = con.execute(
            "select distinct data_type from duckdb_columns() "
            "where column_name = '_hash' and schema_name like 'bruto%'"
        ).fetchall()
    assert kinds == [("UBIGINT",)]


def test_a_day_of_export_in_the_future_is_a_usage_error() -> None:
    result = mapa("load", "export", "--seen-on", "2999-01-01", str(FIXTURES / "teto.csv"))
    assert result.exit_code == 2
    assert "has not come yet" in result.output


def test_an_archived_export_is_loaded_as_seen_on_its_day() -> None:
    result = mapa("load", "export", "--seen-on", "2026-05-02", str(FIXTURES / "teto.csv"))
    assert result.exit_code == 0
    older = mapa("load", "export", "--seen-on", "2026-05-01", str(FIXTURES / "teto.csv"))
    assert older.exit_code == 2
    assert "oldest first" in older.output.replace("\n", " ")
