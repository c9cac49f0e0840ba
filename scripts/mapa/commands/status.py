"""`mapa status`: loads, freshness, counts and published versions."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

import click
import orjson
from rich import box
from rich.console import Console
from rich.table import Table

from mapa import warehouse
from mapa.load.overview import overview
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
}
# Too wide for a screen.
HIDDEN = {"load", "sha256", "version", "since", "until", "origin", "source"}
PIPED_WIDTH, WIDE = 160, 400


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with everything, for machines.")
@click.option("--wide", is_flag=True, help="Print all columns, however wide that is.")
def status(as_json: bool, wide: bool) -> None:
    """Show loads, freshness, counts, drift of the sources and published versions."""
    settings = Settings.load()
    with warehouse.connect(settings.warehouse, read_only=True) as con:
        sections = overview(con, settings)
    if as_json:
        click.echo(orjson.dumps(sections, option=orjson.OPT_INDENT_2).decode())
        return
    width = WIDE if wide else None if sys.stdout.isatty() else PIPED_WIDTH
    console = Console(highlight=False, width=width)
    for name, rows in sections.items():
        hidden = HIDDEN if name == "loads" else set() if name == "corrections" else {"load"}
        hidden = set() if wide else hidden
        title = TITLES[name]
        console.print(_table(title, rows, hidden) if rows else f"{title}: none", end="\n\n")


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
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)
