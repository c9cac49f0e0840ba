"""A week of nights, each with a fault of another kind, and a twin that only sees what is good.

`mapa bench nights` runs `mapa run` as cron does: a process of its own, the sources of a small city
over HTTP, files in the inbox. Whatever a night meets, it must end with its exit code, name what is
bad, publish what is good and leave the next night a sound house. When the week is over, everything
published, every mart and every raw row must be what the twin has, cell by cell: it was given the
good extracts by hand, in the same order, and built once.
"""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import click
import duckdb
from rich.console import Console
from rich.table import Table

from mapa import compare
from mapa.load import cadsus, exports, sisreg
from mapa.load.window import BRASILIA
from mapa.publish import store
from mapa.settings import Settings
from mapa.ui import say
from mapa_city import city as simulated
from mapa_city.doors import documents, files
from mapa_city.doors.faults import Plan
from mapa_city.doors.server import Server, opening

KEY = "only-for-these-nights-" * 2
COMMAND = (sys.executable, "-c", "from mapa.cli import main; main()")
RUN = (*COMMAND, "run")
OF_A_LOAD = (
    *("_carga_id", "_carregado_em", "_arquivo", "_carga_ordem", "_linha", "_hash"),
    *("momento_consulta", "data_consulta"),
)
"""Raw columns that say when and how a row came, not what it says."""
DEFECT = "select m.competencia from {{ ref('fila_por_mes') }} as m limit 1"
PARTS = ("models", "macros", "seeds", "tests/generic", "tests/singular", "docs")
NODE = "START sql table model publicacao."
DBT = str(Path(sys.executable).with_name("dbt"))
BY_HAND = (DBT, "build", "--exclude-resource-type", "unit_test")
LAYER = (*BY_HAND, "--select", "models/publicacao")
KILLED = (BY_HAND, RUN, LAYER, LAYER, LAYER)
"""What is killed at a published table: a build by hand, the night, the publication layer alone."""
PATIENCE = 900.0
"""Seconds in which a night must reach the node at which it is killed."""
MOMENTS = 10
"""A table is killed at its beginning and up to so many twentieths of a second later."""

Spoil = Callable[[Path], None]


@dataclass(frozen=True)
class Night:
    """One night: what is wrong, and how it must end.

    Attributes:
        name: the fault, in a word.
        code: exit code of `mapa run`.
        said: what it must say.
        source: what SISREG does: `good`, `silent`, `ahead` (its clock) or `empty`.
        spoil: what is done to the inbox, beside what is good in it.
        killed: whether it is killed at a node of publication, and runs again.
        defect: whether a test of the queue fails.

    """

    name: str
    code: int
    said: tuple[str, ...] = ()
    source: str = "good"
    spoil: Spoil | None = None
    killed: bool = False
    defect: bool = False


def _bad_files(inbox: Path) -> None:
    (inbox / "LEIAME.txt").write_text("Os arquivos desta semana.\n")
    (inbox / "cortado.zip").write_bytes(b"PK\x03\x04 cut")
    (inbox / "outro.csv").write_text("a;b\n1;2\n")
    (inbox / "vazio.csv").write_text("")
    os.mkfifo(inbox / "tubo.csv")


def _impossible(inbox: Path) -> None:
    """Add a schedule that begins in the year 2202 and has two thousand million slots."""
    (path,) = inbox.glob("SISREG_ESCALAS_*.csv")
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, delimiter=";")
    impossible = dict(zip(header, rows[-1], strict=True)) | {
        "COD. ESCALA AMBULATORIAL": "99999901",
        "QTD VAGAS PRIM. VEZ": "2000000000",
        "DATA DE VIGENCIA INICIAL": "01/01/2202",
        "DATA DE VIGENCIA FINAL": "31/12/2202",
        "STATUS": "ATIVA",
    }
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";", lineterminator="\n").writerow(impossible.values())


WEEK = (
    Night("healthy", 0),
    Night("source silent", 5, ("SISREG", "503"), source="silent"),
    Night(
        "bad files",
        12,
        ("LEIAME.txt", "cortado.zip", "outro.csv", "vazio.csv", "tubo.csv", "Refused"),
        spoil=_bad_files,
    ),
    Night("killed while building", 0, killed=True),
    Night("clock ahead", 7, ("The clock of",), source="ahead"),
    Night("source emptied", 5, ("fewer",), source="empty"),
    Night("impossible values", 0, spoil=_impossible),
    Night("defect of the queue", 8, ("defeito_da_fila",), defect=True),
    Night("healthy again", 0),
)


@dataclass(frozen=True)
class Result:
    """How a night ended; `problem` says what is wrong, empty when nothing is.

    Attributes:
        code: exit code of `mapa run`; None where it was not run to its end.

    """

    name: str
    code: int | None
    problem: str
    seconds: float


@dataclass(frozen=True)
class Week:
    """The house that lives through the nights, its twin, and the city they read."""

    folder: Path
    city: simulated.City

    @property
    def house(self) -> Path:
        """Where the house keeps everything."""
        return self.folder / "house"

    @property
    def twin(self) -> Path:
        """Where the twin keeps everything."""
        return self.folder / "twin"

    @property
    def inbox(self) -> Path:
        """Where the operator drops exports."""
        return self.house / "inbox"

    def environment(self, data: Path, server: Server | None = None) -> dict[str, str]:
        """Return an environment for one of the two, pointed at a server."""
        own = {
            "MAPA_DIR": str(data),
            "MAPA_PSEUDONYM_KEY": KEY,
            "DBT_PROJECT_DIR": str(self.folder / "project"),
            "DBT_PROFILES_DIR": str(self.folder / "project"),
            "DBT_TARGET_PATH": str(self.folder / f"target_{data.name}"),
            "DBT_LOG_PATH": str(self.folder / f"logs_{data.name}"),
            "MAPA_WAIT_SECONDS": "0.01",
            "MAPA_TIMEOUT_SECONDS": "20",
            "CADSUS_SYSTEM": "SIMULADOR",
        }
        return own | (server.environment() if server else {})

    def settings(self, data: Path, server: Server | None = None) -> Settings:
        """Return the same as settings."""
        before = dict(os.environ)
        os.environ.update(self.environment(data, server))
        try:
            return Settings()
        finally:
            os.environ.clear()
            os.environ.update(before)

    def copy_project(self, project: Path) -> None:
        """Copy the dbt project, so that a night may have a defect."""
        own = self.folder / "project"
        for part in PARTS:
            shutil.copytree(project / part, own / part)
        shutil.copyfile(project / "dbt_project.yml", own / "dbt_project.yml")
        shutil.copyfile(project / "profiles.yml.example", own / "profiles.yml")

    def live(self, night: Night, number: int, day: date) -> Result:
        """Let the house run through a night, and give the twin what was good of it."""
        began = time.monotonic()
        delivered = self.folder / f"files_{number}"
        exported = sorted(files.write(self.city, delivered, as_of=day))
        self.inbox.mkdir(parents=True, exist_ok=True)
        for path in exported:
            shutil.copyfile(path, self.inbox / path.name)
        if night.spoil:
            night.spoil(self.inbox)
        defect = self.folder / "project" / "tests" / "singular" / "fila" / "defeito_da_fila.sql"
        if night.defect:
            defect.write_text(DEFECT)
        documents.build(self.city, self.folder / "store.duckdb", day)
        with opening(self.folder / "store.duckdb", Plan()) as server:
            with self._source(night, server) as environment:
                problem = self.kill(environment) if night.killed else ""
                code, said = _run(environment)
            self._give(night, server, exported)
        defect.unlink(missing_ok=True)
        problem = problem or self._judge(night, code, said)
        return Result(night.name, code, problem, time.monotonic() - began)

    @contextmanager
    def _source(self, night: Night, server: Server) -> Iterator[dict[str, str]]:
        """Let the source do what it does in this night."""
        environment = self.environment(self.house, server)
        if night.source == "silent":
            server.follow(Plan(("unavailable",), rate=1, permanent=True))
            yield environment
            server.follow(Plan())
        elif night.source == "ahead":
            with _ahead() as url:
                yield environment | {"SISREG_URL": url}
        elif night.source == "empty":
            lost = self.folder / "lost.duckdb"
            shutil.copyfile(self.folder / "store.duckdb", lost)
            with duckdb.connect(str(lost)) as con:
                for index in ("solicitacao", "marcacao", "hospitalar"):
                    con.execute(
                        f"delete from {index} where try_cast(codigo_solicitacao as bigint) % 2 = 0"
                    )
            with opening(lost, Plan()) as other:
                yield environment | {"SISREG_URL": other.url}
        else:
            yield environment

    def _give(self, night: Night, server: Server, exported: list[Path]) -> None:
        """Give the twin what was good, in the order of `mapa run`."""
        settings = self.settings(self.twin, server)
        if night.source == "good":
            sisreg.load(settings, "all")
        exports.load(settings, exported)
        cadsus.load(settings)

    def kill(
        self,
        environment: dict[str, str],
        node: str = "",
        command: tuple[str, ...] = RUN,
        later: float = 0.0,
    ) -> str:
        """Kill a build `later` seconds after dbt has begun a table; return what is wrong then."""
        before = _digest(self.house / "published")
        log = Path(environment["DBT_LOG_PATH"]) / "dbt.log"
        seen = log.stat().st_size
        process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            command,
            env=os.environ | environment,
            cwd=self.folder / "project",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + PATIENCE
        begun = False
        while not begun and process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
            with log.open("rb") as file:
                # dbt begins a new log when the old one is large.
                file.seek(seen if seen <= log.stat().st_size else 0)
                begun = f"{NODE}{node}".encode() in file.read()
        time.sleep(later)
        ended = process.poll() is not None
        process.kill()
        process.wait()
        if ended:
            return "it ended before it could be killed"
        if not begun:
            return f"it did not begin {node or 'publication'} in {PATIENCE:.0f} s"
        code, _ = _run(environment, "publish")
        if code != 9:
            return f"what a killed build left was published (exit code {code})"
        return "" if _digest(self.house / "published") == before else "a half release was seen"

    def kills(self, count: int) -> Iterator[Result]:
        """Kill builds at each published table in turn, with each command of `KILLED`."""
        environment = self.environment(self.house)
        tables = sorted(
            path.stem for path in (self.folder / "project/models/publicacao").glob("*.sql")
        )
        for number in range(count):
            began = time.monotonic()
            node = tables[number % len(tables)]
            command = KILLED[number // len(tables) % len(KILLED)]
            later = number % MOMENTS * 0.05
            problem = self.kill(environment, node, command, later)
            yield Result(f"killed at {node}", None, problem, time.monotonic() - began)

    def _judge(self, night: Night, code: int, said: str) -> str:
        """Say what is wrong with how a night ended."""
        if code != night.code:
            return f"exit code {code}, not {night.code}: {said[-500:]}"
        silent = [word for word in night.said if word not in said]
        if silent:
            return f"it does not say {', '.join(silent)}"
        if "Traceback" in said:
            return "it shows where in the code it failed"
        current = store.current(self.house / "published")
        # Without the source a night may bring nothing new.
        told = ("Published version", "Nothing has changed since version")
        if current is None or not any(f"{words} {current.name}" in said for words in told):
            return "it does not say what is published"
        return ""

    def differences(self, impossible: int) -> Iterator[str]:
        """Build the twin, and yield what the house has otherwise, but for impossible raw rows."""
        environment = self.environment(self.twin)
        subprocess.run(  # noqa: S603 - our own interpreter, no shell
            BY_HAND,
            cwd=self.folder / "project",
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        _run(environment, "publish")
        public = [
            data / "published" / "current" / store.DATABASE for data in (self.twin, self.house)
        ]
        private = [data / "mapa.duckdb" for data in (self.twin, self.house)]
        for comparison in compare.compare(public[0], public[1], {}):
            if not comparison.equal:
                yield f"published {comparison}"
        for comparison in compare.compare(private[0], private[1], {}):
            # They count what was bad, which the twin never saw.
            counted = comparison.table == "qualidade.qualidade_valores" or (
                comparison.table == "qualidade.qualidade_escalas" and comparison.come <= impossible
            )
            if not comparison.equal and not counted:
                yield str(comparison)
        bad = 0
        for comparison in compare.compare(private[0], private[1], {}, OF_A_LOAD, inner=True):
            if comparison.table.startswith("bruto_"):
                bad += comparison.come
                if comparison.gone:
                    yield f"lost: {comparison}"
        # Schedules of the year 2202 are evidence, and stay in raw.
        if bad != impossible:
            yield f"{bad} raw rows that the twin does not have, not {impossible}"


def _run(environment: dict[str, str], command: str = "run") -> tuple[int, str]:
    """Run a command of ours in a process of its own; return its exit code and what it said."""
    done = subprocess.run(  # noqa: S603 - our own command, no shell
        (*COMMAND, command),
        env=os.environ | environment,
        capture_output=True,
        check=False,
        text=True,
    )
    return done.returncode, done.stderr


def _digest(published: Path) -> str:
    """Return a checksum of everything that readers see."""
    digest = hashlib.sha256()
    for path in sorted((published / "current").resolve().rglob("*")):
        digest.update(path.name.encode())
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


@contextmanager
def _ahead() -> Iterator[str]:
    """Serve a source that is no simulator and whose clock is five years ahead."""

    class Ahead(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(200)
            self.send_header("Date", format_datetime(later, usegmt=True))
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_POST = do_GET  # noqa: N815 - the name that the library asks for

        def log_message(self, format: str, *args: object) -> None:
            pass

    later = datetime.now(UTC) + timedelta(days=5 * 365)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Ahead)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()


def suite(  # noqa: PLR0913 - each one is a choice of its own
    project: Path,
    nights: Sequence[Night] = WEEK,
    *,
    people: int = 800,
    days: int = 60,
    seed: int = 1,
    kills: int = 0,
) -> Iterator[Result]:
    """Yield how each night ended, and how the house differs from its twin; then how kills ended."""
    # Exports are seen today, so that the city's last day is yesterday.
    until = datetime.now(BRASILIA).date() - timedelta(days=1)
    city = simulated.build(people, days, seed, until)
    with tempfile.TemporaryDirectory(prefix="mapa-nights-") as name:
        week = Week(Path(name), city)
        week.copy_project(project)
        for number, night in enumerate(nights):
            yield week.live(night, number, until - timedelta(days=len(nights) - 1 - number))
        began = time.monotonic()
        problem = "; ".join(week.differences(sum(n.spoil is _impossible for n in nights)))
        yield Result("twin", None, problem, time.monotonic() - began)
        yield from week.kills(kills)


@click.command()
@click.option("--kills", default=0, show_default=True, help="Builds killed after the week.")
@click.option("--people", default=800, show_default=True, help="Inhabitants of the city.")
@click.option("--days", default=60, show_default=True, help="Days that are simulated.")
@click.option("--seed", default=1, show_default=True, help="Which city.")
def main(kills: int, people: int, days: int, seed: int) -> None:
    """Live through a week of nights with a fault of each kind, and compare with a twin."""
    shown = Table(title="A week of nights", title_justify="left")
    for column in ("night", "exit code", "wrong", "seconds"):
        shown.add_column(column, justify="left" if column in ("night", "wrong") else "right")
    wrong = False
    project = Settings.load().dbt_project_dir
    for result in suite(project, people=people, days=days, seed=seed, kills=kills):
        wrong = wrong or bool(result.problem)
        say(f"{result.name}: {result.problem or 'as it should be'} ({result.seconds:.0f} s)")
        code = "-" if result.code is None else str(result.code)
        shown.add_row(result.name, code, result.problem or "-", f"{result.seconds:.0f}")
    Console(width=120).print(shown)
    sys.exit(wrong)
