"""`mapa publish`: publish what is green of what the last build made."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from mapa.publish import KEEP
from mapa.publish import publish as publish_build
from mapa.settings import Settings
from mapa.ui import say

if TYPE_CHECKING:
    from mapa.publish.postgres import Address


@click.command(short_help="Publish what is green of what the last build made.")
@click.option(
    "--keep",
    default=KEEP,
    show_default=True,
    type=click.IntRange(1),
    help="How many versions to keep, the new one included.",
)
@click.option(
    "--to",
    metavar="URL",
    help="Also load the current version into a PostgreSQL, as postgresql://user@host/database. The "
    "password comes from MAPA_POSTGRES_PASSWORD, PGPASSWORD or ~/.pgpass.",
)
@click.option(
    "--schema",
    default="mapa_publico",
    show_default=True,
    help="Schema of --to that holds the release and nothing else.",
)
@click.option(
    "--role",
    default="mapa_leitura",
    show_default=True,
    help="Role of --to that may read it; made when it is missing.",
)
def publish(keep: int, to: str | None, schema: str, role: str) -> None:
    """Copy the published tables to fresh files, check them and make them current in one step.

    Only a `dbt build` of everything loaded so far that ran to its end is published. A subject in
    which something failed keeps its tables of before, is marked stale, and the exit code is 9. When
    neither the data nor what the site is made of have changed since the current version, no new one
    is made. Readers may stay connected, to the files and to the PostgreSQL of --to, which gets the
    current version in one transaction.
    """
    address = _address(to, schema, role) if to else None
    settings = Settings.load()
    outcome = publish_build(settings, keep)
    say(str(outcome))
    click.echo(outcome.folder)
    if address:
        from mapa.publish import postgres  # noqa: PLC0415  # an extra

        say(str(postgres.load(settings, outcome.folder, address)))
    outcome.require_fresh()


def _address(url: str, schema: str, role: str) -> Address:
    """Read --to before anything is done.

    Raises:
        BadParameter: it is no address, holds a password, or what speaks to a PostgreSQL is missing.
    """
    if find_spec("psycopg") is None:
        raise click.BadParameter(
            "psycopg is not installed. Type: pip install 'mapa-social-da-saude[postgres]'",
            param_hint="--to",
        )
    from mapa.publish.postgres import Address  # noqa: PLC0415  # an extra

    try:
        return Address.of(url, schema, role)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--to") from None
