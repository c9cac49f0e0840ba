"""`mapa publish`: publish what is green of what the last build made."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from mapa.publish import KEEP, changes, store
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
@click.option(
    "--rollback",
    is_flag=True,
    help="Publish nothing: make the version before the current one current again.",
)
@click.option(
    "--diff",
    is_flag=True,
    help="Publish nothing: write each number that changed since the version before, by how "
    "much and by which loads, as CSV.",
)
@click.option(
    "--accept-breaking",
    is_flag=True,
    help="Publish although readers of the last release lose something that its contract promised.",
)
def publish(  # noqa: PLR0913, PLR0917
    keep: int,
    to: str | None,
    schema: str,
    role: str,
    rollback: bool,
    diff: bool,
    accept_breaking: bool,
) -> None:
    """Copy the published tables to fresh files, check them and make them current in one step.

    Only a `dbt build` of everything loaded so far that ran to its end is published. A subject in
    which something failed keeps its tables of before, is marked stale, and the exit code is 9. When
    neither the data nor what the site is made of have changed since the current version, no new one
    is made. What breaks the contract with readers (`contrato.odcs.yaml`) is refused with a list,
    unless --accept-breaking says that they know. Readers may stay connected, to the files and to
    the PostgreSQL of --to, which gets the current version in one transaction.
    """
    if (rollback or diff) and (to or (rollback and diff)):
        raise click.UsageError("--rollback and --diff stand alone: each does one thing.")
    address = _address(to, schema, role) if to else None
    settings = Settings.load()
    if rollback:
        _roll_back(settings)
        return
    if diff:
        _diff(settings)
        return
    outcome = publish_build(settings, keep, accept_breaking=accept_breaking)
    say(str(outcome))
    click.echo(outcome.folder)
    if address:
        from mapa.publish import postgres  # noqa: PLC0415  # an extra

        say(str(postgres.load(settings, outcome.folder, address)))
    outcome.require_fresh()


def _roll_back(settings: Settings) -> None:
    """Go back one version."""
    with store.locked(settings.published):
        older, newer = store.roll_back(settings.published)
    say(f"Version {older} is current again, in place of {newer}, which is kept.")


def _diff(settings: Settings) -> None:
    """Write what changed since the version before: CSV on standard output, a summary beside it."""
    older, newer, found = changes.between(settings.published)
    loads = changes.loads_between(settings.published, older)
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(changes.HEADER)
    count: Counter[str] = Counter()
    for change in found:
        count[change.table] += 1
        ids = [load["carga"] for load in loads.get(change.table) or ()]
        table.writerow(changes.cells(change, ids))
    said = ", ".join(f"{number} in {name}" for name, number in sorted(count.items()))
    say(f"From {older} to {newer}: {count.total()} numbers changed{': ' if said else ''}{said}.")
    arrived = {load["carga"]: load for name in count for load in loads.get(name) or ()}
    for load in sorted(arrived.values(), key=lambda load: load["ordem"]):
        about = f"{load['fonte']} {load['entidade']}, seen {load['vista_em']}"
        say(f"  by load {load['carga']} ({about})")
    if unknown := sorted(name for name in count if loads.get(name) is None):
        say(f"  by which loads is not known of {', '.join(unknown)}")


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
