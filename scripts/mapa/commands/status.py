"""`mapa status`: loads, freshness, counts and published versions."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

import click
import orjson
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mapa import identity, warehouse
from mapa.errors import CheckError, ConfigError, DiskError, LockedError, MapaError, visible
from mapa.load import freshness
from mapa.load.overview import overview, without_warehouse
from mapa.settings import Settings

TITLES = {
    "loads": "Last loads (instants in UTC)",
    "tables": "Raw tables",
    "watermarks": "Read until (source's clock)",
    "unknown_fields": "Fields that the layouts do not know",
    "drift": "Drift: fields that changed since the load before (refused: that load was not taken)",
    "absences": "Vanished from complete files",
    "corrections": "Corrected days (mapa load redate)",
    "published": "Published",
    "sources": "Newest of each source (source's clock)",
}
# Too wide for a screen.
HIDDEN = {"load", "sha256", "version", "since", "until", "origin", "source"}
PIPED_WIDTH, WIDE = 160, 400


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with everything, for machines.")
@click.option("--wide", is_flag=True, help="Print all columns, however wide that is.")
@click.option(
    "--check", is_flag=True, help="End with exit code 13 unless all is fresh, built and published."
)
def status(as_json: bool, wide: bool, check: bool) -> None:
    """Show loads, freshness, counts, drift of the sources, published versions and a verdict.

    It waits for nobody: while the warehouse is in use, or before there is one, it says so, shows
    what can be known without it and ends with 0; with --check with 6 while it is in use.
    MAPA_STALE_DAYS says from which age on a source is stale.
    """
    settings = Settings.load()
    trouble: MapaError | None = None
    try:
        with warehouse.connect(settings.warehouse, read_only=True, wait=0) as con:
            sections = overview(con, settings)
    except (LockedError, DiskError, ConfigError) as error:
        trouble = error
        sections = without_warehouse(settings)
    found = sections["verdict"]
    if trouble:
        found["problems"].insert(0, trouble.message)
    if as_json:
        click.echo(orjson.dumps(sections, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(sections, wide=wide)
    if check and isinstance(trouble, LockedError):
        raise trouble
    if check and found["verdict"] != freshness.FRESH:
        raise CheckError("Not all is fresh, built and published; the verdict says what is not.")


def _show(sections: dict[str, Any], *, wide: bool) -> None:
    width = WIDE if wide else None if sys.stdout.isatty() else PIPED_WIDTH
    console = Console(highlight=False, width=width)
    verdict = sections.pop("verdict")
    sections["sources"] = verdict["sources"]
    for name, rows in sections.items():
        hidden = HIDDEN if name == "loads" else set() if name == "corrections" else {"load"}
        hidden = set() if wide else hidden - ({"source"} if name == "sources" else set())
        title = TITLES[name]
        console.print(_table(title, rows, hidden) if rows else f"{title}: none", end="\n\n")
    build = verdict["last_build"]
    if build:
        state = "green" if build["green"] else "NOT green"
        built = f"dbt {build['command']} of {_cell(build['ended_at'])} UTC, {state}"
    else:
        built = "none"
    click.echo(f"Last build: {built}")
    click.echo(f"Published: {verdict['published'] or 'nothing'}")
    click.echo(f"Scores of identity: {_scores(verdict['scores'])}")
    click.echo(f"Encryption: {verdict['encryption']}")
    click.echo(f"Verdict: {verdict['verdict']}")
    for problem in verdict["problems"]:
        click.echo("  " + problem.replace("\n", "\n  "))


def _scores(scores: dict[str, Any] | None) -> str:
    if scores is None:
        return "unknown"
    if scores["reason"]:
        return f"none: {scores['reason']}"
    done = identity.Scored(scores["requests"], scores["found"], scores["pairs"])
    return f"{_cell(scores['scored_at'])} UTC, {done}"


def _table(title: str, rows: list[dict[str, Any]], hidden: set[str]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    filled = {name for row in rows for name, value in row.items() if value is not None}
    names = [name for name in rows[0] if name in filled - hidden]
    for name in names:
        numeric = any(isinstance(row[name], int | float) for row in rows)
        table.add_column(name.replace("_", " "), justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(_cell(row[name]) for name in names))
    return table


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else escape(visible(str(value)))
