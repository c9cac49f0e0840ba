"""The fault suite: the real loader against the simulator's worst days.

`mapa bench faults` prints a table. Each run loads a small city through answers that are
spoilt by a seeded plan, or is killed at random moments, from an empty warehouse or on top of an
older state. It must end complete, with the very content of a load without faults, or with one of
our errors and nothing half loaded; in both cases a load from the healthy source must then succeed.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from mapa import warehouse
from mapa.errors import MapaError
from mapa.layouts import Layout, of_indices
from mapa.load import sisreg
from mapa.settings import Settings
from mapa.ui import progress
from mapa_city import city as simulated
from mapa_city.doors import documents
from mapa_city.doors.faults import CLASSES, Plan
from mapa_city.doors.server import Server, opening

UNTIL = date(2026, 6, 30)
PAGE = 200
HEALTHY = Plan()
TIMEOUT, PAUSE = 0.5, 0.8
PERMANENT_EVERY = 5
MIXED = "mixed"
KILLED = "killed"
START_UP = 0.4
"""Seconds in which a new process has not read anything yet."""

Content = dict[str, tuple[int, str]]


@dataclass(frozen=True)
class Stage:
    """A state of a warehouse, before or after a load without faults."""

    data: Path
    content: Content


@dataclass(frozen=True)
class Scene:
    """A city, and what loading it without faults gives.

    Attributes:
        folder: scratch folder.
        server: serves the city.
        index: what is loaded: the name of an index, or `all`.
        pairs: what stands before and after a load: from nothing, and on top of an older state.

    """

    folder: Path
    server: Server
    index: str
    pairs: tuple[tuple[Stage, Stage], ...]

    def settings(self, data: Path) -> Settings:
        """Return settings that load the city into a folder."""
        base = Settings(
            mapa_dir=data,
            sisreg_page=PAGE,
            mapa_wait_seconds=0.005,
            mapa_timeout_seconds=TIMEOUT,
        )
        return base.model_copy(update=self.server.settings())


@dataclass(frozen=True)
class Result:
    """How one run ended; `problem` says what is wrong, empty when nothing is."""

    kind: str
    outcome: str
    problem: str
    retries: int
    seconds: float


def content(data: Path, index: str = "all", *, places: bool = False) -> Content:
    """Return rows and a checksum of each raw table; `places` counts position and page in."""
    hidden = "_carga_id, _carga_ordem, _carregado_em, _arquivo" + ("" if places else ", _linha")
    page = ", regexp_extract(_arquivo, 'pagina-.*') as pagina" if places else ""
    found = {}
    with warehouse.opened(data / "mapa.duckdb") as con:
        for layout in _layouts(index):
            row = con.execute(
                "select count(*), coalesce(md5(string_agg(texto, chr(10) order by texto)), '') "
                f"from (select cast(r as varchar) as texto from (select * exclude ({hidden}){page} "
                f"from {layout.table}) as r)"
            ).fetchone()
            found[layout.table] = (int(row[0]), str(row[1])) if row else (0, "")
    return found


def _layouts(index: str) -> list[Layout]:
    return [layout for layout in of_indices() if index in ("all", layout.name)]


@contextmanager
def scene(people: int = 1500, days: int = 90, seed: int = 1, index: str = "all") -> Iterator[Scene]:
    """Build a city and load it without faults, at once and in two steps."""
    city = simulated.build(people, days, seed, UNTIL)
    with tempfile.TemporaryDirectory(prefix="mapa-faults-") as name:
        folder = Path(name)
        older, newer = folder / "older.duckdb", folder / "newer.duckdb"
        documents.build(city, older, UNTIL - timedelta(days=days // 4))
        documents.build(city, newer)
        empty = Stage(folder / "empty", {layout.table: (0, "") for layout in _layouts(index)})
        empty.data.mkdir()
        with opening(older) as server:
            before = _loaded(Scene(folder, server, index, ()), empty.data, folder / "before")
        with opening(newer, HEALTHY) as server:
            plain = Scene(folder, server, index, ())
            first = _loaded(plain, empty.data, folder / "first")
            after = _loaded(plain, before.data, folder / "after")
            yield Scene(folder, server, index, ((empty, first), (before, after)))


def _loaded(scene: Scene, start: Path, data: Path) -> Stage:
    shutil.copytree(start, data)
    sisreg.load(scene.settings(data), scene.index)
    return Stage(data, content(data, scene.index))


def plans(runs: int, seed: int) -> list[tuple[str, Plan]]:
    """Return the plans of a suite: each class in turn, then all mixed, some of them permanent."""
    kinds = [*CLASSES, MIXED]
    return [
        (
            kind := kinds[number % len(kinds)],
            Plan(
                CLASSES if kind == MIXED else (kind,),
                rate=0.25,
                seed=seed + number,
                permanent=number % PERMANENT_EVERY == PERMANENT_EVERY - 1,
                pause=PAUSE,
                retry_after=0,
            ),
        )
        for number in range(runs)
    ]


def faulty(scene: Scene, kind: str, plan: Plan) -> Result:
    """Load through spoilt answers and look at what is there."""
    # Each kind of fault meets both states in turn.
    start, end = scene.pairs[plan.seed // (len(CLASSES) + 1) % len(scene.pairs)]
    started = time.monotonic()
    with _copy(scene, start) as data:
        outcome = "complete"
        scene.server.follow(plan)
        try:
            sisreg.load(scene.settings(data), scene.index)
        except MapaError:
            outcome = "refused"
        scene.server.follow(HEALTHY)
        problem = _difference(scene, data, (start, end), outcome)
        if outcome == "refused":
            sisreg.load(scene.settings(data), scene.index)
            if not problem and content(data, scene.index) != end.content:
                problem = "not complete after the source was healthy again"
        name = f"{kind}, for ever" if plan.permanent else kind
        return Result(name, outcome, problem, _retries(data), time.monotonic() - started)


def killed(scene: Scene, seed: int) -> Result:
    """Kill the loader up to three times at random moments, then let it finish."""
    draw = random.Random(seed)  # noqa: S311 - repeatable on purpose
    start, end = scene.pairs[seed % len(scene.pairs)]
    started = time.monotonic()
    scene.server.follow(Plan(("slow",), rate=0.5, seed=seed, pause=0.03))
    with _copy(scene, start) as data:
        environment = {**os.environ, **scene.server.environment(), "MAPA_DIR": str(data)}
        environment["SISREG_PAGE"] = str(PAGE)
        command = (*_COMMAND, "--index", scene.index)
        problem = ""
        for _ in range(draw.randint(1, 3)):
            _kill(command, environment, draw.uniform(START_UP, 2.5))
            problem = problem or _difference(scene, data, (start, end), KILLED)
        last = subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: S603
        if last.returncode:
            problem = problem or f"exit code {last.returncode} after a kill"
        # Exactly the rows of an uninterrupted run: also their positions and their pages.
        here, there = (content(d, scene.index, places=True) for d in (data, end.data))
        if not problem and here != there:
            problem = "rows differ from those of an uninterrupted run"
        resumed = b"interrupted load reused" in last.stderr.replace(b"\n", b" ")
        outcome = "resumed" if resumed else "complete"
        return Result(KILLED, outcome, problem, _retries(data), time.monotonic() - started)


_COMMAND = (sys.executable, "-c", "from mapa.cli import main; main()", "load", "sisreg")


def _kill(command: tuple[str, ...], environment: dict[str, str], after: float) -> None:
    """Start a load and kill it, unless it ends before."""
    process = subprocess.Popen(  # noqa: S603 - our own command, no shell
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _difference(scene: Scene, data: Path, pair: tuple[Stage, Stage], outcome: str) -> str:
    """Return what is wrong with a warehouse after a run; empty when nothing is."""
    if not (data / "mapa.duckdb").exists():
        return "" if outcome == KILLED else "there is no warehouse"
    with warehouse.opened(data / "mapa.duckdb") as con:
        if (
            outcome == KILLED
            and not con.execute(
                "select 1 from duckdb_tables() where table_name = 'solicitacao_hospitalar'"
            ).fetchone()
        ):
            return ""
        unbalanced = con.execute(
            "select 1 from controle.cargas where resultado = 'completa' and "
            "qtd_recebidas <> qtd_carregadas + qtd_identicas + qtd_rejeitadas"
        ).fetchone()
    if unbalanced:
        return "the audit does not balance"
    start, end = pair
    now = content(data, scene.index)
    if outcome == "complete" and now != end.content:
        return "complete, but not the content of a load without faults"
    if any(now[table] not in (start.content[table], end.content[table]) for table in now):
        return "half loaded"
    return ""


def _retries(data: Path) -> int:
    with warehouse.opened(data / "mapa.duckdb") as con:
        row = con.execute("select sum(qtd_novas_tentativas) from controle.cargas").fetchone()
    return int(row[0] or 0) if row else 0


@contextmanager
def _copy(scene: Scene, stage: Stage) -> Iterator[Path]:
    data = scene.folder / "run"
    shutil.copytree(stage.data, data)
    try:
        yield data
    finally:
        shutil.rmtree(data)


def suite(scene: Scene, runs: int, kills: int, seed: int) -> Iterator[Result]:
    """Yield the results of all runs."""
    for kind, plan in plans(runs, seed):
        yield faulty(scene, kind, plan)
    for number in range(kills):
        yield killed(scene, seed + number)


def table(results: list[Result]) -> Table:
    """Return the results by kind of fault."""
    shown = Table(title="Loads under faults", title_justify="left")
    shown.add_column("fault", no_wrap=True)
    for name in ("runs", "complete", "resumed", "refused", "wrong", "retries", "seconds"):
        shown.add_column(name, justify="right")
    kinds = sorted({result.kind for result in results})
    for kind in [*kinds, "all"]:
        rows = [result for result in results if kind in ("all", result.kind)]
        shown.add_row(
            kind,
            str(len(rows)),
            *(str(sum(r.outcome == o for r in rows)) for o in ("complete", "resumed", "refused")),
            str(sum(bool(row.problem) for row in rows)),
            str(sum(row.retries for row in rows)),
            f"{sum(row.seconds for row in rows):.0f}",
        )
    return shown


@click.command()
@click.option("--runs", default=200, show_default=True, help="Loads through spoilt answers.")
@click.option("--kills", default=100, show_default=True, help="Loads killed at random moments.")
@click.option("--people", default=1500, show_default=True, help="Inhabitants of the city.")
@click.option("--days", default=90, show_default=True, help="Days that are simulated.")
@click.option("--seed", default=1, show_default=True, help="Which city and which faults.")
def main(runs: int, kills: int, people: int, days: int, seed: int) -> None:
    """Drive the SISREG loader through faults and kills.

    A run that is neither complete nor refused whole is an error.
    """
    results = []
    with scene(people, days, seed) as built, progress() as display:
        task = display.add_task("faults", total=runs + kills)
        for result in suite(built, runs, kills, seed):
            results.append(result)
            display.advance(task)
            if result.problem:
                click.echo(f"{result.kind}: {result.problem} (run {len(results)})", err=True)
    Console(width=100).print(table(results))
    sys.exit(any(result.problem for result in results))
