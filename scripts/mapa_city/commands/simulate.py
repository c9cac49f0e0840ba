"""`mapa simulate`: the doors of a synthetic city."""

from __future__ import annotations

import signal
from datetime import date, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import click

from mapa.errors import MapaError
from mapa.settings import Settings
from mapa.ui import say
from mapa_city import city as simulated
from mapa_city import report
from mapa_city.doors import files
from mapa_city.doors.documents import Habits
from mapa_city.doors.faults import CLASSES, Plan
from mapa_city.doors.server import Server, listen, serving
from mapa_city.truth import answers

DAY = click.DateTime(["%Y-%m-%d"])
NO_SORT = "no-sort"


class _FaultNames(click.ParamType[tuple[str, ...]]):
    """A list of fault classes, separated by commas."""

    name = "classes"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Return the names, `all` written out."""
        if isinstance(value, tuple):
            return value
        names = CLASSES if value == "all" else tuple(value.split(","))
        for name in names:
            if name not in (*CLASSES, NO_SORT):
                self.fail(f"{name!r} is not one of {', '.join(CLASSES)}, all, no-sort.", param, ctx)
        return names


@click.command(short_help="Serve the SISREG and CadSUS APIs of a synthetic city.")
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the files go.  [default: MAPA_DIR/city]",
)
@click.option(
    "--people",
    default=30_000,
    show_default=True,
    type=click.IntRange(1),
    help="Inhabitants of the city.",
)
@click.option(
    "--days",
    default=400,
    show_default=True,
    type=click.IntRange(1),
    help="Days that are simulated.",
)
@click.option(
    "--seed",
    default=1,
    show_default=True,
    type=click.IntRange(0),
    help="Which city; the same seed gives the same bytes.",
)
@click.option(
    "--until", default="2026-06-30", show_default=True, type=DAY, help="Last simulated day."
)
@click.option(
    "--as-of", type=DAY, help="Last day whose events the APIs and exports show.  [default: --until]"
)
@click.option(
    "--port",
    default=9280,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port on 127.0.0.1; 0 takes any free one.",
)
@click.option(
    "--faults",
    type=_FaultNames(),
    default=(),
    metavar="CLASS[,CLASS...]",
    help="Spoil some answers of the search API: " + ", ".join(CLASSES) + ", all or no-sort.",
)
@click.option(
    "--fault-rate",
    default=0.2,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Share of the answers that are spoilt; --seed says which.",
)
@click.option("--fault-forever", is_flag=True, help="The first fault never heals.")
@click.option(
    "--centrals",
    default="",
    metavar="CODE[,CODE...]",
    help="Share the requests out among these regulating centrals, letters allowed.",
)
@click.option(
    "--changed",
    default="data_atualizacao",
    show_default=True,
    type=click.Choice(["data_atualizacao", "dt_atualizacao"]),
    help="What the search API calls the instant of change.",
)
@click.option("--files-only", is_flag=True, help="Write the files and truth.json, serve nothing.")
def simulate(  # noqa: PLR0913 - one parameter per option
    *,
    directory: Path | None,
    people: int,
    days: int,
    seed: int,
    until: datetime,
    as_of: datetime | None,
    port: int,
    faults: tuple[str, ...],
    fault_rate: float,
    fault_forever: bool,
    centrals: str,
    changed: str,
    files_only: bool,
) -> None:
    """Serve the SISREG search API and CadSUS of a synthetic city; write its export files.

    Prints the settings that point `mapa load` at it and serves until Ctrl-C. The answers that the
    marts must give at the end of the last day are in truth.json beside the files.
    """
    day = (as_of or until).date()
    first = until.date().toordinal() - days + 1
    if not first <= day.toordinal() <= until.date().toordinal():
        raise click.BadParameter(
            f"choose a day from {date.fromordinal(first)} to {until:%Y-%m-%d}, or change --days.",
            param_hint="--as-of",
        )
    target = directory or Settings.load().mapa_dir / "city"
    # The port is taken first: nobody wants to hear that it is busy after the city was built.
    listener = None if files_only else listen(port)
    say(f"Simulating {people} people over {days} days until {until:%Y-%m-%d} ...")
    city = simulated.build(people, days, seed, until.date())
    write(city, target, day)
    if listener is None:
        return
    say(f"Preparing the documents as of {day} ...")
    plan = Plan(
        tuple(name for name in faults if name != NO_SORT),
        fault_rate,
        seed,
        permanent=fault_forever,
        refuses_sort=NO_SORT in faults,
    )
    habits = Habits(tuple(code for code in centrals.split(",") if code), changed)
    spoilt = plan if faults else None
    with serving(city, day, listener=listener, faults=spoilt, habits=habits) as server:
        click.echo(f"# SISREG search API and CadSUS on {server.url}")
        for name, value in server.environment().items():
            click.echo(f"export {name}={value}")
        say("Serving until Ctrl-C.")
        _wait(server)


def write(city: simulated.City, directory: Path, as_of: date) -> None:
    """Write the export files and `truth.json` of a city."""
    written = files.write(city, directory / "files", as_of)
    reported = report.write(city, directory / "reports")
    answers.write(city, directory / "truth.json")
    say(f"Wrote {len(written)} files to {directory / 'files'} and {directory / 'truth.json'}.")
    say(f"SISREG's own report of the real offer is {reported}; load it with --map.")


def _wait(server: Server) -> None:
    """Wait for Ctrl-C or a polite kill; a server that ends by itself is an error."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        code = server.wait()
    except KeyboardInterrupt:
        say("Stopped.")
    else:
        raise MapaError(f"The simulator's server ended by itself (exit code {code}).")
    finally:
        signal.signal(signal.SIGTERM, before)
