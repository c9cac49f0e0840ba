"""`mapa plan`: the bookings of a month that bring a queue to a target wait by a date."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import datetime

import click
import orjson
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mapa import planning, warehouse
from mapa.commands.status import PIPED_WIDTH
from mapa.errors import visible
from mapa.settings import Settings
from mapa.ui import say

SHOWN = 25
"""Queues shown when no procedure is named; --json has them all."""


@click.command(short_help="Plan the bookings that bring a queue to a target wait.")
@click.argument("procedure", required=False)
@click.option(
    "--target-days",
    type=click.IntRange(1, 3650),
    metavar="DAYS",
    help="Wait that nearly all shall not pass; by default the limit in force (limites_espera).",
)
@click.option(
    "--by",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Day in the month in which the queue shall be there; by default in a year.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, all procedures, for machines.")
def plan(
    procedure: str | None, target_days: int | None, by: datetime | None, as_json: bool
) -> None:
    """Say how many bookings a month bring the queue of a PROCEDURE to a target wait by a date.

    Without a procedure it plans for each, the longest queue first. It reckons with what enters,
    what is booked and what leaves otherwise, as in the last closed quarter, and shows by how much
    the same plan of a year before was out. Counts of people: they stay in the house.
    """
    settings = Settings.load()
    with warehouse.connect(settings.warehouse, read_only=True) as con:
        plans = planning.plan(con, procedure, target_days, by.date() if by else None)
    if as_json:
        click.echo(
            orjson.dumps([asdict(one) for one in plans], option=orjson.OPT_INDENT_2).decode()
        )
        return
    first = plans[0]
    title = f"From {first.month:%Y-%m}, in {first.months} months; numbers are of one month"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("procedure", no_wrap=True, min_width=20)
    for name in (
        *("waiting", "target", "enter", "leave %", "booked", "offered", "NEEDED"),
        *("else then", "error %"),
    ):
        table.add_column(name, justify="right", no_wrap=True)
    for one in plans[:SHOWN]:
        table.add_row(
            escape(visible(f"{one.procedure} {one.name or ''}".strip())),
            *(_number(one.waiting), _number(one.target), _number(one.entering)),
            *(_number(100 * one.leaving, 1), _number(one.booked), _number(one.offered)),
            *(_number(one.needed), _number(one.untouched), _number(one.error)),
        )
    Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH).print(table)
    say(
        "target: how many may wait; leave: share that goes without a booking; NEEDED: bookings; "
        "else then: the queue if all goes on as now; error: of the same plan made a year before."
    )
    if len(plans) > SHOWN:
        say(f"{len(plans) - SHOWN} shorter queues are not shown; --json has them all.")


def _number(value: float | None, digits: int = 0) -> str:
    """Write a number; what is not known is a dash, never zero."""
    return "-" if value is None else f"{value:,.{digits}f}"
