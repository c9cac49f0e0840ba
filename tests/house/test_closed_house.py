"""What another user of the machine sees at each moment of the work: only what is published.

A spy with the rights of nobody is told every path by us, who are root, and tries to open each; so a
mode is found out also where the spy could not have listed the folder. The processes are real ones,
started as cron starts them, with umask 022.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

from conftest import PROJECT, environment, house_environment
from mapa import modes, warehouse
from mapa.dbt_plugin import FUNCTION, Plugin, without_values
from mapa.layouts import named
from mapa.publish import store
from mapa.settings import Settings
from mirror import INDICES, PASSWORD, USER, Mirror, document, mirroring

NOBODY = 65534
CANARY = "MARIA FICTICIA DOS SANTOS"
MAPA = (sys.executable, "-c", "from mapa.cli import main; main()")
DBT = str(Path(sys.executable).parent / "dbt")
pytestmark = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="only root may look with another user's eyes"
)

# --- the spy and the house ------------------------------------------------------------------------


@dataclass
class Spy:
    """Another user, who tries what we name; keeps what was there and what opened."""

    root: Path
    seen: set[str] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Try every path below the root once."""
        paths = [self.root]
        for folder, folders, files in os.walk(self.root):
            paths += [Path(folder, name) for name in (*folders, *files)]
        self.seen |= {path.relative_to(self.root).as_posix() for path in paths}
        ours, theirs = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
                found = [str(path.relative_to(self.root)) for path in paths if _opens(path)]
                with os.fdopen(theirs, "w") as out:
                    json.dump(found, out)
            finally:
                os._exit(0)
        os.close(theirs)
        with os.fdopen(ours) as answer:
            self.opened |= set(json.load(answer))
        os.waitpid(child, 0)

    def watch(
        self, process: subprocess.Popen[str], until: Callable[[], bool] = lambda: False
    ) -> str:
        """Look until a process ends, or is killed at an instant; return what it said."""
        while process.poll() is None:
            self.look()
            if until():
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.03)
        said = process.communicate()[0]
        self.look()
        return said


def _opens(path: Path) -> bool:
    try:
        if path.is_dir():
            list(path.iterdir())
        else:
            os.close(os.open(path, os.O_RDONLY))
    except OSError:
        return False
    return True


@dataclass
class Closed:
    """A house on a path that others may walk, like /srv."""

    folder: Path
    env: dict[str, str]

    @property
    def data(self) -> Path:
        """Where everything is kept."""
        return Path(self.env["MAPA_DIR"])

    def start(self, *command: str, limit: int = 0, **settings: str) -> subprocess.Popen[str]:
        """Start a command as cron does; `limit` is the size at which a file is full."""
        return subprocess.Popen(
            command,
            env=os.environ | self.env | settings,
            cwd=self.folder / "project",
            umask=0o022,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=(  # noqa: PLW1509 - our tests start no thread that holds a lock
                (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
                if limit
                else None
            ),
        )

    def spy(self) -> Spy:
        """Return a spy on all of it."""
        return Spy(self.folder)


# A project of three models: what dbt writes does not depend on how many there are.
PROJECT_FILE = """
name: fechada
version: "1.0.0"
profile: mapa
model-paths: [modelos]
flags: {send_anonymous_usage_stats: false}
models: {+materialized: table}
"""
MODELS = {
    "longa": "select no_usuario || i as nome, hash(i) as h "
    "from bruto_sisreg.solicitacao_ambulatorial cross join range(400000) as r(i) order by h",
}
# Each fails among the rows, and DuckDB's own words quote one.
BROKEN = {
    name: f"select {expression} as x from bruto_sisreg.solicitacao_ambulatorial"
    for name, expression in {
        "inteiro": "cast(no_usuario as integer)",
        "data": "strptime(no_usuario, '%d/%m/%Y')",
        "booleano": "cast(no_usuario as boolean)",
        "lista": "cast(no_usuario as integer[])",
        "estouro": "cast(cns_usuario as bigint) * 987654321",
        "decimal": "cast(cast(cns_usuario as bigint) as decimal(5, 2))",
        "estreito": "cast(cast(cns_usuario as bigint) as tinyint)",
        "json": "cast(no_usuario as json)",
        "dito": "error(no_usuario)",
    }.items()
}


@pytest.fixture(scope="module")
def house() -> Iterator[Closed]:
    """Make a house with one person in it, and a small dbt project that reads it."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    env = house_environment(folder)
    for profile in (Path(env["DBT_PROFILES_DIR"]) / "profiles.yml",):
        profile.write_text(profile.read_text().replace("memory_limit: 3GB", "memory_limit: 60MB"))
    project = folder / "project"
    (project / "modelos").mkdir(parents=True)
    (project / "models").symlink_to(PROJECT / "models")  # what sources deliver, for the loads
    (project / "dbt_project.yml").write_text(PROJECT_FILE)
    for name, sql in MODELS.items():
        (project / "modelos" / f"{name}.sql").write_text(sql)
    env |= {"DBT_PROJECT_DIR": str(project)}
    env |= {"SISREG_SUFFIX": "df-brasilia", "SISREG_CENTRAL": "530010", "SISREG_UF": "DF"}
    for path in (project, folder / "profiles"):
        path.chmod(0o700)  # ours, and no matter of this test
    try:
        yield Closed(folder, env)
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def filled(house: Closed) -> Closed:
    """Load some requests from a mirror while the spy looks."""
    documents = [document(n, no_usuario=CANARY) for n in range(3)]
    with mirroring(Mirror({INDICES[0]: documents})) as mirror:
        spy = house.spy()
        said = spy.watch(
            house.start(
                *MAPA, "load", "sisreg", "--index", INDICES[0],
                SISREG_URL=mirror.url, SISREG_USER=USER, SISREG_PASSWORD=PASSWORD,
            )
        )  # fmt: skip
    assert "3 loaded" in said, said
    check(spy, "data/mapa.duckdb", "data/mapa.duckdb.wal", "data/landing/sisreg")
    return house


def check(spy: Spy, *there: str) -> None:
    """Fail when anything opened; what must have been there shows that the spy looked in time."""
    assert spy.opened - {"."} == set()
    for name in there:
        assert any(path.startswith(name) for path in spy.seen), (name, sorted(spy.seen))


def export(text: str) -> Path:
    """Write a file of bookings outside of what is looked at; each text makes them others."""
    folder = Path(tempfile.mkdtemp())
    path = folder / "agenda.csv"
    person = dict.fromkeys(named("agendamento").columns, CANARY) | {
        "data_agendamento": "20.04.2026", "cod_cnes_exec": "0000010",
        "complemento": text,
    }  # fmt: skip
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, named("agendamento").columns, delimiter=";")
        writer.writeheader()
        writer.writerows(person | {"solicitacao": str(n)} for n in range(20_000))
    return path


# --- eight moments --------------------------------------------------------------------------------


def test_nobody_reads_while_an_api_is_loaded(filled: Closed) -> None:
    assert stat.S_IMODE(filled.data.stat().st_mode) == modes.PASSAGE


def test_nobody_reads_while_an_export_is_loaded(filled: Closed) -> None:
    spy = filled.spy()
    said = spy.watch(filled.start(*MAPA, "load", "export", str(export("inteiro"))))
    assert "20000 loaded" in said, said
    check(spy, "data/mapa.duckdb.wal", "data/landing/arquivo")


def test_nobody_reads_what_a_killed_load_left(filled: Closed) -> None:
    spy = filled.spy()
    begun = len(list((filled.data / "landing").rglob("*.gz")))
    process = filled.start(*MAPA, "load", "export", str(export("morto")))
    spy.watch(process, lambda: len(list((filled.data / "landing").rglob("*.gz"))) > begun)
    assert process.returncode == -signal.SIGKILL
    check(spy, "data/mapa.duckdb", "data/landing")


def test_nobody_reads_what_a_full_disk_stopped_in_a_load(filled: Closed) -> None:
    spy = filled.spy()
    process = filled.start(*MAPA, "load", "export", str(export("cheio")), limit=400_000)
    said = spy.watch(process)
    assert process.returncode == 10, said
    check(spy, "data/mapa.duckdb")


def test_nobody_reads_while_dbt_builds_and_spills(filled: Closed) -> None:
    spy = filled.spy()
    process = filled.start(DBT, "build")
    said = spy.watch(process)
    assert process.returncode == 0, said
    check(spy, "data/mapa.duckdb.tmp/", "logs/dbt.log", "target/run_results.json")


def test_nobody_reads_what_a_killed_build_left(filled: Closed) -> None:
    spy = filled.spy()
    process = filled.start(DBT, "build")
    spill = filled.data / "mapa.duckdb.tmp"
    spy.watch(process, lambda: spill.is_dir() and any(spill.iterdir()))
    assert process.returncode == -signal.SIGKILL
    check(spy, "data/mapa.duckdb.tmp/")


def test_nobody_reads_what_a_full_disk_stopped_in_a_build(filled: Closed) -> None:
    spy = filled.spy()
    process = filled.start(DBT, "build", limit=2_000_000)
    said = spy.watch(process)
    assert process.returncode == 1, said
    check(spy, "data/mapa.duckdb", "logs/dbt.log")


def test_everybody_reads_what_is_published_and_nothing_else(filled: Closed) -> None:
    with environment(filled.env):
        published = Settings.load().published
    with store.locked(published), store.preparing(published) as folder:
        (folder / store.DATABASE).write_text("publico")
        (folder / store.PARQUET).mkdir()
        (folder / store.PARQUET / "pub.parquet").write_text("publico")
        spy = filled.spy()
        spy.look()
        assert not [name for name in spy.opened if ".preparing" in name]
        store.install(published, folder, "v1")
    spy = filled.spy()
    spy.look()
    inside = {name for name in spy.opened if name != "."}
    assert {name.split("/")[1] for name in inside} == {"published"}
    assert {"data/published", "data/published/versions/v1/mapa_publico.duckdb",
            "data/published/versions/v1/parquet/pub.parquet",
            "data/published/mapa_publico.duckdb"} <= inside  # fmt: skip


# --- what earlier versions left open --------------------------------------------------------------


def test_what_stands_open_is_closed_by_the_next_load(filled: Closed) -> None:
    wide = {"mapa.duckdb": 0o644, "landing": 0o755, "city": 0o755, "inbox": 0o775, ".": 0o755}
    for name, mode in wide.items():
        path = filled.data / name
        if not path.exists():
            path.mkdir()
        path.chmod(mode)
    with warehouse.connect(filled.data / "mapa.duckdb"):
        pass
    after = {name: stat.S_IMODE((filled.data / name).stat().st_mode) for name in wide}
    assert after == {
        "mapa.duckdb": 0o600, "landing": 0o700, "city": 0o700, "inbox": 0o770, ".": 0o711,
    }  # fmt: skip


def test_a_folder_that_belongs_to_everybody_stays_so(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    modes.make_house(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777
    tmp_path.chmod(0o700)
    modes.make_house(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_a_new_folder_lets_others_pass_to_what_is_published(tmp_path: Path) -> None:
    modes.make_house(tmp_path / "srv" / "mapa")
    for path in (tmp_path / "srv", tmp_path / "srv" / "mapa"):
        assert stat.S_IMODE(path.stat().st_mode) == modes.PASSAGE


def test_open_folders_of_dbt_are_closed_by_a_plain_build(filled: Closed) -> None:
    logs, target = (Path(filled.env[f"DBT_{name}_PATH"]) for name in ("LOG", "TARGET"))
    for path, mode in ((logs, 0o755), (logs / "dbt.log", 0o644), (target, 0o755)):
        path.chmod(mode)
    filled.start(DBT, "show", "--inline", "select 1 as um").communicate()
    assert stat.S_IMODE(logs.stat().st_mode) == stat.S_IMODE(target.stat().st_mode) == 0o700
    assert stat.S_IMODE((logs / "dbt.log").stat().st_mode) == 0o600


# --- what errors say ------------------------------------------------------------------------------


def test_no_error_of_the_database_quotes_a_cell(filled: Closed) -> None:
    models = filled.folder / "project" / "modelos"
    (models / "longa.sql").unlink()
    for name, sql in BROKEN.items():
        (models / f"{name}.sql").write_text(sql)
    build = filled.start(DBT, "--debug", "run")
    said = build.communicate()[0]
    said += filled.start(DBT, "show", "--inline", BROKEN["inteiro"]).communicate()[0]
    results = json.loads((Path(filled.env["DBT_TARGET_PATH"]) / "run_results.json").read_bytes())
    assert (build.returncode, said.count("what DuckDB says of it is withheld") > 0) == (1, False)
    assert {r["status"] for r in results["results"]} == {"error"}, results
    for folder in (filled.env["DBT_LOG_PATH"], filled.env["DBT_TARGET_PATH"]):
        said += "".join(
            p.read_text(errors="replace") for p in Path(folder).rglob("*") if p.is_file()
        )
    assert "What DuckDB says of it is withheld" in said
    assert "in column `no_usuario`" in said
    person = document(0)["cns_usuario"]
    assert not [word for word in (CANARY, "MARIA", person) if word in said]
    with duckdb.connect(str(filled.data / "mapa.duckdb"), read_only=True) as con:
        for sql in BROKEN.values():
            with pytest.raises(duckdb.Error) as caught:
                con.execute(sql).fetchall()
            # What would have been said: the test can fail.
            assert CANARY in str(caught.value) or person in str(caught.value)


def test_an_error_of_planning_is_told_whole() -> None:
    with pytest.raises(duckdb.Error) as caught, duckdb.connect() as con:
        con.execute("select inexistente from (select 1 as um)")
    assert without_values(caught.value) == str(caught.value)
    assert "inexistente" in without_values(caught.value)


# --- the key --------------------------------------------------------------------------------------


def test_no_query_reads_what_the_key_is_made_into(filled: Closed) -> None:
    with environment(filled.env):
        plugin = Plugin.create("mapa.dbt_plugin", config={})
    key = filled.env["MAPA_PSEUDONYM_KEY"].encode().ljust(64, b"\0")
    material = [key.rstrip(b"\0"), *(bytes(b ^ pad for b in key) for pad in (0x36, 0x5C))]
    with duckdb.connect() as con:
        plugin.configure_connection(con)
        con.execute(f"select {FUNCTION}('um')")
        told = str(
            [
                con.execute(f"select * from {name}()").fetchall()
                for name in ("duckdb_variables", "duckdb_settings", "duckdb_functions")
            ]
        )
        assert con.execute(
            "select getvariable('mapa_ipad'), getvariable('mapa_opad')"
        ).fetchone() == (None, None)
    for secret in material:
        assert secret.hex() not in told
        assert str(secret)[2:-1] not in told


def test_dbt_show_reads_no_pad(filled: Closed) -> None:
    query = "select getvariable('mapa_ipad') is null and getvariable('mapa_opad') is null as nada"
    said = filled.start(DBT, "show", "--inline", query).communicate()[0]
    assert "True" in said, said
