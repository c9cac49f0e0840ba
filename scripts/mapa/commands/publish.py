"""`mapa publish`: publish what is green of what the last build made."""

from __future__ import annotations

import click

from mapa.publish import KEEP
from mapa.publish import publish as publish_build
from mapa.settings import Settings
from mapa.ui import say


@click.command(short_help="Publish what is green of what the last build made.")
@click.option(
    "--keep",
    default=KEEP,
    show_default=True,
    type=click.IntRange(1),
    help="How many versions to keep, the new one included.",
)
def publish(keep: int) -> None:
    """Copy the published tables to fresh files, check them and make them current in one step.

    Only a `dbt build` of everything loaded so far that ran to its end is published. A subject in
    which something failed keeps its tables of before, is marked stale, and the exit code is 9. When
    nothing has changed since the current version, no new one is made. Readers may stay connected.
    """
    outcome = publish_build(Settings.load(), keep)
    say(str(outcome))
    click.echo(outcome.folder)
    outcome.require_fresh()
