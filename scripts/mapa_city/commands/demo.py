"""`mapa demo`: the whole house on a synthetic city."""

from __future__ import annotations

from datetime import datetime

import click

from mapa.errors import ConfigError
from mapa.settings import Settings
from mapa.ui import say
from mapa_city.demo import CitySize, build_house, fresh_directory, prepare_checkout

DEFAULT = CitySize()


@click.command(short_help="Build the whole house on a synthetic city, in one go.")
@click.option(
    "--people",
    default=DEFAULT.people,
    show_default=True,
    type=click.IntRange(1000),
    help="Inhabitants of the city.",
)
@click.option(
    "--days",
    default=DEFAULT.days,
    show_default=True,
    type=click.IntRange(60),
    help="Days that are simulated.",
)
@click.option(
    "--seed",
    default=DEFAULT.seed,
    show_default=True,
    help="Which city; the same seed gives the same numbers.",
)
@click.option(
    "--until",
    default=str(DEFAULT.until),
    show_default=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="Last simulated day.",
)
def demo(people: int, days: int, seed: int, until: datetime) -> None:
    """Simulate a city, load it over HTTP, build and test the models, publish the result.

    It can be repeated: it replaces what an earlier demo left in MAPA_DIR, and nothing else.
    """
    settings = Settings.load()
    if not (settings.dbt_project_dir / "dbt_project.yml").exists():
        raise ConfigError("There is no dbt project here. Run mapa demo in the project's folder.")
    for made in prepare_checkout(settings.dbt_project_dir):
        say(f"Made {made}.")
    fresh_directory(settings)
    settings = Settings.load()
    build_house(settings, CitySize(people, days, seed, until.date()))
    published = settings.published
    say(
        f"""
Everything agrees with what really happened in the city. Look at it:
    site         {published}/site/index.html (opens by double click)
    dictionary   {published}/site/dicionario/index.html
    data         {published}/mapa_publico.duckdb and {published}/parquet/
    warehouse    {settings.warehouse} (restricted side; `dbt build` works on it)
    city         {settings.mapa_dir}/city/ (export files and truth.json)"""
    )
