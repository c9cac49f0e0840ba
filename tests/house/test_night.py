"""The nightly job: one bad thing does not stop it, two do not meet, and nothing outlives it."""

from __future__ import annotations

import ctypes
import fcntl
import gzip
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from conftest import PROJECT, environment, house_environment
from mapa import dbt, identity, publish, signals, waiting, warehouse
from mapa.audit import Summary, Tally
from mapa.cli import cli
from mapa.errors import FormatError, LockedError
from mapa.load import cadsus, exports, inbox, sisreg
from mapa.settings import Settings
from mirror import INDICES, PASSWORD, USER, Mirror, document, mirroring

FIXTURES = PROJECT / "tests" / "fixtures" / "load"
MAPA = (sys.executable, "-c", "from mapa.cli import main; main()")
ESCALA, PPI = ((FIXTURES / f"{name}.csv").read_bytes() for name in ("escala", "ppi"))


def zipped(**members: bytes) -> bytes:
    """Return a zip with members, each named by its key and `.csv`."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.csv", content)
    return stream.getvalue()


def spreadsheet() -> bytes:
    """Return what begins like an XLSX."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
    return stream.getvalue()


def closed(path: Path) -> None:
    """Write a file that its own owner may not read."""
    path.write_bytes(ESCALA)
    path.chmod(0)


def listen(path: Path) -> None:
    """Leave a socket, by a short way because its address has a limit."""
    with socket.socket(socket.AF_UNIX) as door:
        before = Path.cwd()
        os.chdir(path.parent)
        try:
            door.bind(path.name)
        finally:
            os.chdir(before)


LOADED, REFUSED, PASSED = "loaded", "refused", "passed over"
Make = bytes | Callable[[Path], object]
INBOX: list[tuple[str, Make, str, str]] = [
    ("a_escala.csv", ESCALA, LOADED, "escala: a_escala.csv: 4 received = 4 loaded"),
    ("b_de_novo.csv", ESCALA, LOADED, "escala: b_de_novo.csv: already loaded, skipped"),
    ("z_ppi.csv", PPI, LOADED, "ppi: z_ppi.csv: "),
    ("dois.zip", zipped(teto=(FIXTURES / "teto.csv").read_bytes()), LOADED, "teto: dois.zip/teto"),
    ("LEIAME.txt", b"Estes arquivos sao de junho.\n", REFUSED, "LEIAME.txt: the header fits no"),
    ("fechado.csv", closed, REFUSED, "fechado.csv cannot be read (Permission denied)"),
    ("cortado.zip", zipped(ppi=PPI)[:-30], REFUSED, "cortado.zip: the archive is damaged"),
    ("cortado.csv.gz", gzip.compress(ESCALA)[:-9], REFUSED, "cortado.csv.gz: the archive is dam"),
    ("vazio.csv", b"", REFUSED, "vazio.csv is empty"),
    ("so_cabecalho.csv", ESCALA.splitlines(keepends=True)[0], REFUSED, "no record"),
    ("sem_coluna.csv", ESCALA.replace(b"STATUS", b"ESTADO"), REFUSED, "column `status` is missing"),
    ("planilha.xlsx", spreadsheet(), REFUSED, "planilha.xlsx is a spreadsheet"),
    ("relatorio.pdf", b"%PDF-1.7\n\0\0\0", REFUSED, "relatorio.pdf is not a text file"),
    ("dentro.zip", zipped(x=zipped(ppi=PPI)), REFUSED, "is an archive inside an archive"),
    ("metade.zip", zipped(cota=(FIXTURES / "cota.csv").read_bytes(), leia=b"nada\n"), REFUSED,
     "cota: metade.zip/cota.csv: "),
    ("junho", lambda path: path.mkdir(), REFUSED, "junho is a folder"),
    ("cano.csv", os.mkfifo, REFUSED, "cano.csv is a pipe, a socket"),
    ("tomada", listen, REFUSED, "tomada is a pipe, a socket"),
    ("atalho.csv", lambda p: p.symlink_to("nada"), REFUSED, "a link that leads nowhere"),
    ("laco.csv", lambda p: p.symlink_to("laco.csv"), REFUSED, "laco.csv is a link"),
    ("disco.csv", lambda p: p.symlink_to("/proc/self/mem"), REFUSED, "disco.csv cannot be read"),
    ("apito\x07\x1b[2J.csv", b"nada\n", REFUSED, r"apito\x07\x1b[2J.csv"),
    (os.fsdecode(b"inv\xe1lido.csv"), b"nada\n", REFUSED, "inv?lido.csv"),
    (".DS_Store", b"\0\0\0\1Bud1", PASSED, "passed over: "),
    ("~$escala.xlsx", b"\x05Maria", PASSED, "~$escala.xlsx"),
    ("Thumbs.db", b"\xd0\xcf", PASSED, "Thumbs.db"),
    ("escala.csv.filepart", ESCALA[:100], PASSED, "escala.csv.filepart"),
]  # fmt: skip
"""Name, content, fate and what is said of each thing in the inbox."""


@dataclass(frozen=True)
class Dropped:
    """An inbox after two nights.

    Attributes:
        first, second: code and messages of each.

    """

    folder: Path
    first: tuple[int, str]
    second: tuple[int, str]
    warehouse: Path


def obey_modes() -> None:
    """Let root be bound by the modes of files, as any other user is."""
    if hasattr(ctypes.CDLL(None), "prctl"):
        for capability in (1, 2):
            ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)


@pytest.fixture(scope="module")
def dropped(tmp_path_factory: pytest.TempPathFactory) -> Dropped:
    """Run two nights on an inbox with everything in it; there is nothing to build with."""
    directory = tmp_path_factory.mktemp("night")
    env = os.environ | house_environment(directory) | {"DBT_PROJECT_DIR": str(directory)}
    # What sources deliver stands among the models; dbt finds no project.
    (directory / "models").symlink_to(PROJECT / "models")
    folder = directory / "data" / "inbox"
    folder.mkdir(parents=True)
    for name, make, _, _ in INBOX:
        if isinstance(make, bytes):
            (folder / name).write_bytes(make)
        else:
            make(folder / name)

    def night() -> tuple[int, str]:
        done = subprocess.run(
            [*MAPA, "run"], cwd=directory, env=env, text=True, capture_output=True, check=False,
            preexec_fn=obey_modes, timeout=120,
        )  # fmt: skip
        assert not done.stdout
        return done.returncode, done.stderr

    return Dropped(folder, night(), night(), directory / "data" / "mapa.duckdb")


@pytest.mark.parametrize(("name", "make", "fate", "words"), INBOX, ids=[repr(c[0]) for c in INBOX])
def test_each_thing_in_the_inbox_is_named_and_put_where_it_belongs(
    dropped: Dropped, name: str, make: Make, fate: str, words: str
) -> None:
    assert words in dropped.first[1].replace("\n", " ")
    place = {
        LOADED: dropped.folder / inbox.LOADED, REFUSED: dropped.folder / inbox.REFUSED,
    }.get(fate)  # fmt: skip
    found = list(place.glob("*/*")) if place else list(dropped.folder.iterdir())
    (kept,) = [path for path in found if path.name == name]
    # Nothing is lost, whatever it is.
    if isinstance(make, bytes):
        assert kept.read_bytes() == make
    assert (name in {p.name for p in dropped.folder.iterdir()}) is (fate == PASSED)


def test_what_is_refused_ends_the_night_with_its_code_and_says_how_to_try_again(
    dropped: Dropped,
) -> None:
    code, said = dropped.first
    assert code == 12, said
    count = sum(fate == REFUSED for _, _, fate, _ in INBOX)
    files = sum(fate != PASSED for _, _, fate, _ in INBOX)
    assert f"{count} of {files} files were refused; the others are loaded." in said
    assert "Traceback" not in said and "\x07" not in said and "\x1b" not in said
    summary = said[said.index("Summary:") :].splitlines()
    assert sum(line.startswith("Refused: ") for line in summary) == count
    (folder,) = (dropped.folder / inbox.REFUSED).iterdir()
    assert f"  mv {folder}/* {dropped.folder}/" in summary
    assert summary[-1] == "Ended with exit code 12: some files were refused; the others are loaded."
    assert "Build:" in said and "Publication:" in said


def test_the_next_night_does_not_try_the_refused_again_and_still_says_that_they_are_there(
    dropped: Dropped,
) -> None:
    code, said = dropped.second
    # Nothing of the inbox fails any more; what is left is that there is nothing to build with.
    assert code == 7, said
    assert "were refused" not in said
    count = sum(fate == REFUSED for _, _, fate, _ in INBOX)
    assert f"Refused before: {count} files in {dropped.folder / inbox.REFUSED}." in said


def test_every_refusal_and_every_load_has_its_row(dropped: Dropped) -> None:
    with warehouse.connect(dropped.warehouse, read_only=True) as con:
        rows = con.execute(
            "select resultado, count(*) from controle.cargas group by all order by all"
        ).fetchall()
    # Of the half good zip there are both.
    count = sum(fate == REFUSED for _, _, fate, _ in INBOX)
    assert rows == [("completa", 4), ("recusada", count)]


def delivered(settings: Settings) -> inbox.Delivery:
    """Load the inbox."""
    delivery = inbox.Delivery()
    inbox.load(settings, delivery, print)
    return delivery


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda house: (house / "mapa.duckdb").write_text("no database " * 9), 4),
        (lambda house: (house / "mapa.duckdb").mkdir(), None),
    ],
)
def test_a_warehouse_that_cannot_be_used_is_no_fault_of_what_is_in_the_inbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], object], code: int
) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "ppi.csv").write_bytes(PPI)
    spoil(tmp_path)
    monkeypatch.setenv("MAPA_DIR", str(tmp_path))
    result = CliRunner().invoke(cli, ["run"])
    assert result.exit_code in {code or result.exit_code} - {0}
    assert (tmp_path / "inbox" / "ppi.csv").read_bytes() == PPI


def test_a_refused_file_that_is_mended_and_moved_back_is_loaded(tmp_path: Path) -> None:
    settings = Settings(mapa_dir=tmp_path)
    inbox.folder(settings).mkdir()
    (inbox.folder(settings) / "ppi.csv").write_bytes(b"")
    (name,) = [name for name, _ in delivered(settings).refused]
    (aside,) = (inbox.folder(settings) / inbox.REFUSED).glob("*/*")
    aside.write_bytes(PPI)
    aside.rename(inbox.folder(settings) / name)
    again = delivered(settings)
    assert (again.refused, [s.entity for s in again.loaded]) == ([], ["ppi"])


def test_what_looks_others_up_is_loaded_after_them_whatever_its_name(tmp_path: Path) -> None:
    settings = Settings(mapa_dir=tmp_path, mapa_max_rejected_share=0.5)
    inbox.folder(settings).mkdir()
    files = sorted(FIXTURES.glob("proadi_*.csv"))
    for path in files:
        (inbox.folder(settings) / path.name).write_bytes(path.read_bytes())
    # Goods are of a project, whose name comes later.
    assert files[0].name == "proadi_bens.csv"
    night = delivered(settings)
    assert (night.refused, len(night.loaded)) == ([], len(files))


def test_a_file_that_is_still_being_copied_stays_for_the_next_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(mapa_dir=tmp_path)
    inbox.folder(settings).mkdir()
    path = inbox.folder(settings) / "ppi.zip"
    path.write_bytes(zipped(ppi=PPI)[:-30])
    load = exports.load

    def growing(*arguments: Any, **options: Any) -> Any:
        try:
            return load(*arguments, **options)
        finally:
            path.write_bytes(zipped(ppi=PPI))

    with monkeypatch.context() as patch:
        patch.setattr(exports, "load", growing)
        assert len(delivered(settings).refused) == 1
    assert [s.entity for s in delivered(settings).loaded] == ["ppi"]


def test_an_error_of_ours_in_one_file_leaves_it_where_it_is_and_the_others_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(mapa_dir=tmp_path)
    inbox.folder(settings).mkdir()
    (inbox.folder(settings) / "a.csv").write_bytes(ESCALA)
    (inbox.folder(settings) / "b.csv").write_bytes(PPI)
    take = exports._take

    def broken(load: Any, file: Any, *rest: Any) -> None:
        if file.layout.name == "escala":
            raise KeyError("700000000000102")
        take(load, file, *rest)

    monkeypatch.setattr(exports, "_take", broken)
    found = delivered(settings)
    assert [s.entity for s in found.loaded] == ["ppi"]
    assert (inbox.folder(settings) / "a.csv").exists()
    assert found.error is not None and found.error.exit_code == 1
    assert "KeyError" in found.error.message and "700000000000102" not in found.error.message


# --- any error of one step -------------------------------------------------------------------

UNFORESEEN = [
    KeyError("700000000000102"),
    duckdb.ConversionException("Could not convert string '700000000000102' to INT32"),
    duckdb.FatalException("database has been invalidated: 700000000000102"),
    OSError(5, "700000000000102"),
    MemoryError("700000000000102"),
    RecursionError("700000000000102"),
    UnicodeDecodeError("utf-8", b"700000000000102", 0, 1, "700000000000102"),
    AssertionError("700000000000102"),
]


WORK = {
    sisreg: "load", cadsus: "load", identity: "score", dbt: "build", publish: "publish",
}  # fmt: skip
"""What does each step of a night, in their order."""


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let each step of a night only note that it came; a test breaks one of them."""
    steps: list[str] = []
    for name, value in (
        ("MAPA_DIR", str(tmp_path / "data")),
        ("SISREG_USER", "u"),
        ("SISREG_PASSWORD", "p"),
        ("CADSUS_SYSTEM", "s"),
        ("MAPA_WAIT_LOCK_SECONDS", "0"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "inbox").mkdir(parents=True)
    for module, name in WORK.items():
        monkeypatch.setattr(module, name, noting(steps, module.__name__))
    return steps


def noting(steps: list[str], step: str, error: BaseException | None = None) -> Any:
    """Return what notes that a step came, and fails as told."""

    def come(*_: object) -> Any:
        steps.append(step)
        if error:
            raise error
        return Summary("pdq", "host", Tally()) if step == cadsus.__name__ else []

    return come


ALL_STEPS = [module.__name__ for module in WORK]


@pytest.mark.parametrize("module", WORK, ids=lambda m: m.__name__)
@pytest.mark.parametrize("error", UNFORESEEN, ids=lambda e: type(e).__name__)
def test_an_error_that_nobody_foresaw_is_told_by_its_class_and_the_rest_goes_on(
    night: list[str], monkeypatch: pytest.MonkeyPatch, module: Any, error: Exception
) -> None:
    monkeypatch.setattr(module, WORK[module], noting(night, module.__name__, error))
    result = CliRunner().invoke(cli, ["run"])
    assert night == ALL_STEPS
    assert result.exit_code == 1, result.output
    assert f"Unexpected error ({type(error).__name__}" in result.stderr
    assert "700000000000102" not in result.output
    assert result.stderr.splitlines()[-1].startswith("Ended with exit code 1: ")


def test_the_exit_code_is_that_of_the_first_failure(
    night: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sisreg, "load", noting(night, "mapa.load.sisreg", FormatError("page 3")))
    monkeypatch.setattr(dbt, "build", noting(night, "mapa.dbt", KeyError()))
    result = CliRunner().invoke(cli, ["run"])
    assert (result.exit_code, night) == (4, ALL_STEPS), result.output
    assert "Failed: SISREG: page 3" in result.stderr
    assert "Failed: Build: Unexpected error (KeyError" in result.stderr


def test_what_cannot_be_scored_is_said_once_and_is_no_failure(
    night: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = identity.UnreadyError("splink is not installed.\nInstall it")
    monkeypatch.setattr(identity, "score", noting(night, "mapa.identity", missing))
    result = CliRunner().invoke(cli, ["run"])
    assert night == ALL_STEPS
    assert result.stderr.count("splink") == 1
    assert "Failed: Identity" not in result.stderr
    assert "    not scored: splink is not installed.\n" in result.stderr


def test_a_signal_is_no_failure_of_a_step(
    night: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # DuckDB makes an error of its own of a signal that comes during a query.
    echo = RuntimeError("Query interrupted")
    echo.__context__ = KeyboardInterrupt()
    monkeypatch.setattr(sisreg, "load", noting(night, "mapa.load.sisreg", echo))
    result = CliRunner().invoke(cli, ["run"])
    assert night == ["mapa.load.sisreg"]
    assert signals.is_stop(result.exception)


# --- waiting ---------------------------------------------------------------------------------

HOLD = """
import sys, time, duckdb
with duckdb.connect(sys.argv[1], read_only=sys.argv[3] == 'reader'):
    print('open', flush=True)
    time.sleep(float(sys.argv[2]))
"""


def hold(path: Path, seconds: float, role: str = "writer") -> subprocess.Popen[str]:
    """Hold a warehouse in another process for a while."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), str(seconds), role],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None and holder.stdout.readline() == "open\n"
    return holder


def released_when_waited_for(
    holder: subprocess.Popen[str], command: list[str], env: dict[str, str]
) -> tuple[int, str]:
    """Run a command, end the holder once the command says that it waits; return code and words."""
    process = subprocess.Popen(
        command, env=env | {"MAPA_WAIT_LOCK_SECONDS": "600"}, cwd=env["DBT_PROJECT_DIR"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if "Waiting up to" in line:
            holder.terminate()
    return process.wait(), said


@pytest.fixture
def house(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a house with something loaded, and a tiny project to build."""
    env = os.environ | house_environment(tmp_path) | {"DBT_PROJECT_DIR": str(tmp_path / "project")}
    project = tmp_path / "project"
    (project / "modelos").mkdir(parents=True)
    (project / "models").symlink_to(PROJECT / "models")  # what sources deliver, for the loads
    (project / "dbt_project.yml").write_text(
        "name: pequeno\nversion: '1.0.0'\nprofile: mapa\nmodel-paths: [modelos]\n"
        "flags: {send_anonymous_usage_stats: false}\n"
    )
    (project / "modelos" / "eterno.sql").write_text(
        "{{ config(materialized='table') }} select count(*) as n "
        "from range({{ var('n', 10) }}) as a, range({{ var('n', 10) }}) as b "
        "where (a.range * b.range) % 7 = 3"
    )
    settings = Settings(mapa_dir=tmp_path / "data")
    exports.load(settings, [FIXTURES / "ppi.csv"])
    return env


@pytest.mark.parametrize(
    ("holder", "command"),
    [
        ("writer", ["load", "export", str(FIXTURES / "teto.csv")]),
        ("reader", ["load", "export", str(FIXTURES / "teto.csv")]),
        ("writer", ["load", "cnes", str(FIXTURES / "tbEstabelecimento202604.csv")]),
    ],
)
def test_a_command_waits_for_the_warehouse_and_says_so(
    house: dict[str, str], holder: str, command: list[str]
) -> None:
    with hold(Path(house["MAPA_DIR"], "mapa.duckdb"), 600, holder) as other:
        code, said = released_when_waited_for(other, [*MAPA, *command], house)
    assert code == 0, said
    assert said.count("Waiting up to 600 seconds (MAPA_WAIT_LOCK_SECONDS)") == 1
    assert f"in use by another process ({other.pid})" in said


def test_the_wait_has_an_end(house: dict[str, str]) -> None:
    path = Path(house["MAPA_DIR"], "mapa.duckdb")
    with hold(path, 60) as other:
        begun = time.monotonic()
        with environment({"MAPA_WAIT_LOCK_SECONDS": "1"}), pytest.raises(LockedError):
            warehouse.connect(path).__enter__()
        assert 1 <= time.monotonic() - begun < 10
        other.terminate()


def test_a_folder_whose_name_speaks_of_locks_is_no_locked_warehouse(tmp_path: Path) -> None:
    path = tmp_path / "blocked" / "could not lock.duckdb"
    path.parent.mkdir()
    path.write_text("this is no database, however long it may be")
    with pytest.raises(FormatError, match="is not a database"):
        warehouse.connect(path).__enter__()


def test_a_publication_waits_for_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "POLL", 0.05)
    (tmp_path / "published").mkdir()
    handle = os.open(tmp_path / "published" / ".lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with environment({"MAPA_WAIT_LOCK_SECONDS": "0.3"}), pytest.raises(LockedError):
        publish.store.locked(tmp_path / "published").__enter__()
    threading.Timer(1, os.close, (handle,)).start()
    with (
        environment({"MAPA_WAIT_LOCK_SECONDS": "60"}),
        publish.store.locked(tmp_path / "published"),
    ):
        pass


def test_dbt_waits_too_and_says_it_in_a_line(house: dict[str, str]) -> None:
    path = Path(house["MAPA_DIR"], "mapa.duckdb")
    command = [str(Path(sys.executable).parent / "dbt"), "build"]
    with hold(path, 60) as other:
        refused = subprocess.run(
            command, env=house | {"MAPA_WAIT_LOCK_SECONDS": "1"}, cwd=house["DBT_PROJECT_DIR"],
            text=True, capture_output=True, check=False,
        )  # fmt: skip
        other.terminate()
    assert refused.returncode == 2
    assert f"in use by another process ({other.pid})" in refused.stdout
    assert "Traceback" not in refused.stdout + refused.stderr
    with hold(path, 600) as other:
        code, said = released_when_waited_for(other, command, house)
    assert code == 0, said
    assert said.count("Waiting up to 600 seconds") == 1


def test_two_nights_at_once_do_not_meet(house: dict[str, str]) -> None:
    (Path(house["MAPA_DIR"]) / "inbox").mkdir()
    with (Path(house["MAPA_DIR"]) / ".run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711\n")
        lock.flush()
        second = subprocess.run(
            [*MAPA, "run"], env=house, text=True, capture_output=True, check=False
        )
    assert second.returncode == 6
    assert "Another `mapa run` is at work" in second.stderr and "4711" in second.stderr
    # The lock ends with its process; what is written in the file does not hold anybody.
    third = subprocess.run([*MAPA, "run"], env=house, text=True, capture_output=True, check=False)
    assert third.returncode != 6


# --- signals ---------------------------------------------------------------------------------

BUILD = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from mapa import dbt, signals
from mapa.settings import Settings
signals.heed()
dbt.run_dbt(Settings.load(), 'run', '--vars', '{n: 10000000}', title='dbt run')
"""


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], text=True, capture_output=True, check=False
    )
    return [int(word) for word in found.stdout.split()]


def is_held(path: Path) -> bool:
    """Say whether another process has the warehouse open."""
    try:
        with warehouse.connect(path, wait=0):
            return False
    except LockedError:
        return True


@pytest.fixture
def building(house: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], int, Path]]:
    """Give a mapa in whose name dbt works on a model that never ends, and the number of dbt."""
    path = Path(house["MAPA_DIR"], "mapa.duckdb")
    process = subprocess.Popen(
        [sys.executable, "-c", BUILD], env=house, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    results = Path(house["DBT_LOG_PATH"], "dbt.log")
    end = time.monotonic() + 300
    while not (results.exists() and "START sql table" in results.read_text()):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.2)
    time.sleep(1)
    (child,) = children(process.pid)
    yield process, child, path
    process.kill()
    process.wait()
    if process.stderr:
        process.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_dbt_does_not_outlive_mapa_and_its_lock_is_free_at_once(
    building: tuple[subprocess.Popen[str], int, Path], number: int
) -> None:
    process, child, path = building
    assert is_held(path)
    process.send_signal(number)
    process.wait(timeout=60)
    # After a signal that can be heeded it is free when mapa has ended, else a moment later.
    end = time.monotonic() + (15 if number == signal.SIGKILL else 0)
    while is_held(path):
        assert time.monotonic() < end, "dbt holds the warehouse although mapa has ended"
        time.sleep(0.1)
    assert not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text()


def test_a_polite_kill_ends_a_load_in_the_middle_of_a_query(tmp_path: Path) -> None:
    code = (
        "import sys, threading, os, signal; from pathlib import Path\n"
        "import click; from mapa import warehouse, cli\n"
        "@click.command()\n"
        "def endless():\n"
        "    'Never end.'\n"
        "    with warehouse.connect(Path(sys.argv[1])) as con:\n"
        "        threading.Timer(1, os.kill, (os.getpid(), signal.SIGTERM)).start()\n"
        "        con.execute('select count(*) from range(10000000) a, range(10000000) b '\n"
        "                    'where (a.range * b.range) % 7 = 3')\n"
        "cli.cli.add_command(endless)\n"
        "cli.LazyGroup.get_command = lambda *a: endless\n"
        "cli.main(['endless'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "mapa.duckdb")],
        text=True, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 130, done.stderr
    assert "Interrupted" in done.stderr and "Traceback" not in done.stderr


def test_a_polite_kill_does_not_wait_for_questions_on_their_way(house: dict[str, str]) -> None:
    path = Path(house["MAPA_DIR"], "mapa.duckdb")
    with mirroring(Mirror({INDICES[0]: [document(n) for n in range(3)]})) as mirror:
        access: dict[str, Any] = {"sisreg_user": USER, "sisreg_password": SecretStr(PASSWORD)}
        settings = Settings(mapa_dir=path.parent, sisreg_url=mirror.url, **access)
        sisreg.load(settings, INDICES[0])
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            [*MAPA, "load", "cadsus"], stderr=subprocess.PIPE, text=True,
            env=house | {"CADSUS_URL": url, "CADSUS_TOKEN_URL": url, "CADSUS_SYSTEM": "S"},
        )  # fmt: skip
        silent.settimeout(60)
        peer, _ = silent.accept()
        with peer:
            peer.recv(100)
            assert is_held(path)
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=60)
    assert time.monotonic() - begun < 10
    assert process.returncode == 130, said
    assert "Interrupted" in said and not is_held(path)
