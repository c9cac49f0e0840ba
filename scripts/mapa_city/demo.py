"""The whole house on a synthetic city: simulate, load over HTTP, build, verify, publish."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from mapa import dbt, publish, warehouse
from mapa.audit import Summary
from mapa.errors import ConfigError, PublishError
from mapa.load import cadsus, exports, report, sisreg
from mapa.settings import Settings
from mapa.ui import say
from mapa_city import city as simulated
from mapa_city import past, verify
from mapa_city import report as simulated_report
from mapa_city.doors import documents, files
from mapa_city.doors.server import serving
from mapa_city.territory import FEDERAL_DISTRICT, Territory
from mapa_city.truth import answers

MARKER = ".made_by_demo"
DELIVERIES = (60, 30, 0)
"""Days before the last one on which the export files are delivered."""
READINGS = (60, 30, 7, 0)
"""Days before the last one as of whose end the API is read."""


@dataclass(frozen=True)
class CitySize:
    """How large the synthetic city is, and which one."""

    people: int = 9_000
    days: int = 400
    seed: int = 1
    until: date = date(2026, 6, 30)
    territory: Territory = FEDERAL_DISTRICT


def prepare_checkout(project: Path) -> list[str]:
    """Make `profiles.yml` and a development key when there are none; return what was made."""
    made = []
    profile = project / "profiles.yml"
    if not profile.exists() and "DBT_PROFILES_DIR" not in os.environ:
        shutil.copyfile(project / "profiles.yml.example", profile)
        made.append("profiles.yml, a copy of profiles.yml.example")
    if Settings.load().mapa_pseudonym_key is None:
        env = project / ".env"
        env.touch(mode=0o600)
        # One that was there before may be open to others.
        env.chmod(0o600)
        with env.open("a") as file:
            file.write(f"MAPA_PSEUDONYM_KEY={secrets.token_hex(32)}\n")
        made.append(".env with a development key; real data need a key kept apart from them")
    return made


def fresh_directory(settings: Settings) -> None:
    """Empty the demo's folder; refuse one that holds anything the demo did not make.

    Raises:
        ConfigError: the folder holds something else.
    """
    directory = settings.mapa_dir
    if directory.exists() and any(directory.iterdir()) and not (directory / MARKER).exists():
        raise ConfigError(
            f"{directory}/ holds data that the demo did not make, and it would be replaced.\n"
            "Choose another folder: MAPA_DIR=demo make demo"
        )
    shutil.rmtree(directory, ignore_errors=True)
    settings.make_directory()
    (directory / MARKER).touch()


def build_house(settings: Settings, size: CitySize) -> list[verify.Comparison]:
    """Run the main job on a synthetic city and compare the marts with the truth.

    The API is read four times, so that the later reads are incremental ones over versions of the
    same requests, and what vanished may come back. The export files come three times.

    Raises:
        PublishError: a mart differs from the truth; nothing is published then.
    """
    say(f"1/6 Simulating {size.people} people over {size.days} days until {size.until} ...")
    city = simulated.build(size.people, size.days, size.seed, size.until, size.territory)
    directory = settings.mapa_dir / "city"
    days = [size.until - timedelta(days=back) for back in DELIVERIES]
    reported = simulated_report.write(city, directory / "reports", days)
    habits = documents.Habits(centrals=size.territory.regulating)
    readings = [size.until - timedelta(days=back) for back in READINGS]
    answers.write(city, directory / "truth.json", days, readings)
    for as_of in readings:
        say(f"2/6 Loading SISREG over HTTP as of {as_of} ...")
        with serving(city, as_of=as_of, habits=habits) as server:
            pointed = settings.model_copy(update=server.settings())
            for summary in sisreg.load(pointed, "all"):
                say(f"    {summary}")
            if as_of == size.until:
                say("3/6 Loading CadSUS over HTTP, then the export files ...")
                say(f"    {cadsus.load(pointed)}")
    for day in days:
        for summary in deliver(settings, city, day):
            say(f"    {summary}")
    columns = settings.dbt_project_dir / "docs" / "oferta_real.exemplo.toml"
    own = {"cod_central_exec": size.territory.central}
    for summary in report.load(settings, [reported], columns, own):
        say(f"    {summary}")
    say("4/6 Building and testing the models with dbt ...")
    dbt.build(settings)
    say("5/6 Comparing the marts with what really happened in the city ...")
    comparisons = check(settings, directory / "truth.json")
    say("6/6 Publishing ...")
    outcome = publish.publish(settings)
    say(f"    {outcome}")
    outcome.require_fresh()
    return comparisons


def deliver(settings: Settings, city: simulated.City, day: date) -> list[Summary]:
    """Export the city's files as of a day and load them as seen when they were written.

    Operator tables are handed out whole, so that a leave that was cancelled is one that vanished.
    """
    last = day == city.until
    folder = settings.mapa_dir / "city" / ("files" if last else f"files_{day}")
    written = files.write(city, folder, as_of=day)
    (seen,) = past.seen_on([day])
    whole = exports.Completeness(confirmed=True, tables=True)
    return exports.load(settings, written, whole, seen_on=seen)


def check(settings: Settings, path: Path) -> list[verify.Comparison]:
    """Compare the marts with a `truth.json` and say the result line by line."""
    expected = json.loads(path.read_bytes())
    with warehouse.connect(settings.warehouse, read_only=True) as con:
        comparisons = verify.compare(con, expected)
    for comparison in comparisons:
        say(f"    {comparison}")
    if not all(comparison.equal for comparison in comparisons):
        raise PublishError("The marts differ from the simulated truth; nothing was published.")
    return comparisons
