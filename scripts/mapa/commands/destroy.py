"""`mapa destroy`: dispose of what was received, and certify it."""

from __future__ import annotations

from datetime import date, datetime

import click

from mapa import clocks, destruction
from mapa.commands.run import only_one
from mapa.destruction import Request, Selection
from mapa.load import seen
from mapa.settings import Settings
from mapa.sources import SOURCES
from mapa.ui import say

DAY = click.DateTime(["%Y-%m-%d"])
NAMES = [source.name for source in SOURCES]


@click.command(short_help="Dispose of what was received, verify it, certify it.")
@click.option("--source", "sources", multiple=True, type=click.Choice(NAMES), help="Only of it.")
@click.option("--since", type=DAY, help="Only loads that began on this day or later.")
@click.option("--until", type=DAY, help="Only loads that began on this day or before.")
@click.option("--all", "everything", is_flag=True, help="All that was ever received.")
@click.option("--requested-by", help="Who asked for it; stands in the certificate.")
@click.option("--received-on", type=DAY, help="Day of the request.  [default: today]")
@click.option("--yes", is_flag=True, help="Destroy; without it only say what would be.")
def destroy(  # noqa: PLR0913 - all that a request may say
    *,
    sources: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    everything: bool,
    requested_by: str | None,
    received_on: datetime | None,
    yes: bool,
) -> None:
    """Dispose of the loads of a source, of a period (days in Brasília) or of all.

    With them goes all that was made of them: what dbt built, its records and logs, and the releases
    since the first of these loads. What stays is rebuilt from landing; then build and publish. A
    certificate as JSON and PDF is written to MAPA_DIR/certificados. An interrupted destruction is
    finished by `mapa destroy --yes`. Copies elsewhere, such as backups, are not reached.
    """
    settings = Settings.load()
    chosen = bool(sources or since or until)
    if destruction.pending(settings) and yes and not (chosen or everything):
        with only_one(settings):
            _tell(settings)
        return
    if chosen == everything:
        raise click.UsageError("Give --source, --since and --until, or --all.")
    if not (requested_by or "").strip():
        raise click.UsageError("Give --requested-by: the certificate says on whose request it was.")
    selection = Selection(tuple(sorted(set(sources))), _day(since), _day(until))
    received = _day(received_on) or seen.local_clock(clocks.now()).date()
    request = Request((requested_by or "").strip(), received)
    with only_one(settings):
        if yes:
            for path in destruction.destroy(settings, selection, request):
                click.echo(path)
            return
        facts = destruction.plan(settings, selection, request)
    files = [file for load in facts["cargas"] for file in load["arquivos"]]
    say(
        f"{len(facts['cargas'])} loads with {len(files)} files of "
        f"{sum(file['bytes'] for file in files)} bytes and {sum(facts['linhas'].values())} rows "
        f"would be destroyed, and {len(facts['versoes'])} releases."
    )
    if facts["refazer"]:
        say(f"Rebuilt from landing without them: {', '.join(facts['refazer'])}.")
    say("Nothing was changed; add --yes.")


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _tell(settings: Settings) -> None:
    for path in destruction.finish(settings):
        click.echo(path)
