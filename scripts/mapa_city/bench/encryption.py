"""What encryption costs: the same city loaded and built without a key and with one.

The sources are served by this process; each load and each build is a process of its own. Both ways
take turns, and of each the best run counts. Read the ratios, not the seconds.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from mapa import dbt, warehouse
from mapa.load import cadsus, exports, sisreg
from mapa.settings import Settings
from mapa_city import city as simulated
from mapa_city.bench.cost import Cost, measure
from mapa_city.doors import files
from mapa_city.doors.server import serving

UNTIL = date(2026, 6, 30)
MOST_RATIO = 1.3
"""CPU of an encrypted house, of that of a plain one."""
WAYS = ("plain", "encrypted")
STEPS = ("load", "build")


def load(settings: Settings, written: list[Path]) -> int:
    """Load everything that the city has, as an operator would; return how many records."""
    summaries = [*sisreg.load(settings, "all"), cadsus.load(settings)]
    whole = exports.Completeness(confirmed=True, tables=True)
    summaries += exports.load(settings, written, whole)
    return sum(summary.tally.received for summary in summaries)


def build(settings: Settings) -> int:
    """Build and test everything; return how many rows raw has."""
    dbt.build(settings)
    with warehouse.connect(settings.warehouse, read_only=True) as con:
        rows = con.execute(
            "select coalesce(sum(estimated_size), 0) from duckdb_tables() "
            "where schema_name like 'bruto%'"
        ).fetchone()
    return int(rows[0]) if rows else 0


@contextmanager
def _key(way: str) -> Iterator[None]:
    """Let the processes that are begun have a key, or none."""
    before = {n: os.environ.pop(n, None) for n in ("MAPA_WAREHOUSE_KEY", "MAPA_WAREHOUSE_KEY_FILE")}
    if way == "encrypted":
        os.environ["MAPA_WAREHOUSE_KEY"] = secrets.token_hex(32)
    try:
        yield
    finally:
        os.environ.pop("MAPA_WAREHOUSE_KEY", None)
        os.environ.update({name: value for name, value in before.items() if value})


def compare(people: int, days: int, runs: int) -> dict[str, dict[str, Cost]]:
    """Return the cost of each step, by way."""
    best: dict[str, dict[str, Cost]] = {step: {} for step in STEPS}
    city = simulated.build(people, days, 1, UNTIL)
    with tempfile.TemporaryDirectory() as name, serving(city, as_of=UNTIL) as server:
        folder = Path(name)
        if Settings.load().mapa_pseudonym_key is None:
            os.environ["MAPA_PSEUDONYM_KEY"] = secrets.token_hex(32)
        written = files.write(city, folder / "files", as_of=UNTIL)
        for run in range(runs):
            for way in WAYS:
                place = folder / f"{way}{run}"
                settings = Settings.load().model_copy(
                    update=server.settings()
                    | {
                        "mapa_dir": place,
                        "dbt_target_path": place / "target",
                        "dbt_log_path": place / "logs",
                    }
                )
                with _key(way):
                    found = {
                        "load": measure(load, settings, written),
                        "build": measure(build, settings),
                    }
                for step, cost in found.items():
                    before = best[step].get(way, cost)
                    best[step][way] = min(before, cost, key=lambda one: one.cpu)
    return best


@click.command()
@click.option(
    "--people",
    default=3000,
    show_default=True,
    type=click.IntRange(500),
    help="People of the city.",
)
@click.option(
    "--days", default=150, show_default=True, type=click.IntRange(30), help="Days that it lasts."
)
@click.option(
    "--runs",
    default=2,
    show_default=True,
    type=click.IntRange(1, 20),
    help="How often; the best run counts.",
)
def main(people: int, days: int, runs: int) -> None:
    """Measure what a city costs with encryption, beside what it costs without.

    More than 1.3 times the CPU of load and build together is an error.
    """
    best = compare(people, days, runs)
    shown = Table(title=f"A city of {people} people over {days} days", title_justify="left")
    for name in ("step", "way", "count", "CPU s", "wall s", "peak MB", "ratio"):
        shown.add_column(name, justify="left" if name in ("step", "way") else "right")
    for step, costs in best.items():
        for way, cost in costs.items():
            ratio = cost.cpu / costs["plain"].cpu
            shown.add_row(
                step, way, str(cost.count), f"{cost.cpu:.1f}", f"{cost.wall:.0f}",
                f"{cost.rss:.0f}", f"{ratio:.2f}",
            )  # fmt: skip
    Console(width=100).print(shown)
    plain, encrypted = (sum(costs[way].cpu for costs in best.values()) for way in WAYS)
    click.echo(f"Load and build together: {encrypted / plain:.2f} times the CPU.")
    if encrypted > MOST_RATIO * plain:
        raise click.ClickException(f"That is more than {MOST_RATIO} times.")
