"""`mapa load`: bring extracts of the sources into the warehouse."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click

from mapa import layouts, modes
from mapa.audit import Summary
from mapa.errors import FewerError, PartialError
from mapa.layouts import Layout
from mapa.load import cadsus as cadsus_loader
from mapa.load import exports, seen
from mapa.load import offer_api as offer_api_loader
from mapa.load import report as report_loader
from mapa.load import sisreg as sisreg_loader
from mapa.load.corrections import redate as redate_loads
from mapa.load.recognise import expected_columns
from mapa.load.replay import replay
from mapa.settings import Settings
from mapa.sources import CNES
from mapa.ui import say

DAY = click.DateTime(["%Y-%m-%d"])
MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])
EXISTING = click.Path(exists=True, path_type=Path)
NAMES = sorted(layout.name for layout in layouts.every())


REPLAY = click.option(
    "--replay",
    "from_landing",
    is_flag=True,
    help="Rebuild the raw tables from landing alone; no source and no file is read.",
)
ACCEPT_TYPES = click.option(
    "--accept-types",
    is_flag=True,
    help="Load even if fields have another type than in the last load; values stay text.",
)
ACCEPT_FEWER = click.option(
    "--accept-fewer",
    is_flag=True,
    help="Load even if more than 30 % of what was known is not there any more.",
)


@click.group()
def load() -> None:
    """Bring extracts into the warehouse.

    Everything received is kept in landing; each load is one transaction, and loading the same
    thing twice changes nothing.
    """


@load.command()
@click.option(
    "--index",
    type=click.Choice([*(layout.name for layout in layouts.of_indices()), "all"]),
    default="all",
    show_default=True,
    help="Index to read.",
)
@click.option(
    "--since",
    type=MOMENT,
    help="Read changes from this instant on (source's local clock). Default: the last load, with "
    "24 hours of overlap; all when there was none.",
)
@click.option(
    "--until",
    type=MOMENT,
    help="Read changes before this instant (source's local clock). Default: the source's now.",
)
@click.option(
    "--full",
    is_flag=True,
    help="Read everything again and mark in controle.ausencias what the source no longer has.",
)
@REPLAY
@ACCEPT_TYPES
@ACCEPT_FEWER
def sisreg(  # noqa: PLR0913 - one per option
    *,
    index: str,
    since: datetime | None,
    until: datetime | None,
    full: bool,
    from_landing: bool,
    accept_types: bool,
    accept_fewer: bool,
) -> None:
    """Read the SISREG search API; by default what changed since the last load.

    Requests that are open in the warehouse are read again by number, however old they are. A load
    that was interrupted, even by a kill, is continued by the next one: pages received are in
    landing and are not asked for again.
    """
    if since and until and since >= until:
        raise click.UsageError("--since must be before --until.")
    if full and since:
        raise click.UsageError("--full reads from the beginning: leave --since out.")
    if from_landing and (full or since or until):
        raise click.UsageError("--replay takes no window: it repeats what was loaded.")
    if from_landing:
        repeat("sisreg" if index == "all" else index)
    else:
        report(
            lambda: sisreg_loader.load(
                Settings.load(),
                index,
                since,
                until,
                full=full,
                accept_types=accept_types,
                accept_fewer=accept_fewer,
            )
        )


@load.command()
@click.argument("files", nargs=-1, type=EXISTING, metavar="FILE...")
@click.option(
    "--describe",
    type=click.Choice(NAMES),
    metavar="NAME",
    help="Print the columns of a layout and load nothing. NAME is one of: "
    + ", ".join(NAMES)
    + ".",
)
@click.option(
    "--partial",
    is_flag=True,
    help="The files hold only a part (one unit, one period): what they lack has not vanished.",
)
@click.option(
    "--complete",
    is_flag=True,
    help="The files are complete even if more than 30 % of what was known is not in them. Tables "
    "written by an operator (leaves, holidays, limits) too: without this they add and correct, and "
    "what they lack stays in force.",
)
@click.option(
    "--seen-on",
    type=DAY,
    metavar="DATE",
    help="Day on which the files were exported, for archived ones; oldest first. Versions count "
    "from that day on.  [default: today in Brasília]",
)
@click.option(
    "--map",
    "map_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The files are SISREG's report OFERTA REAL, and this TOML file says which column is "
    "which; see docs/oferta_real.exemplo.toml.",
)
@click.option(
    "--set",
    "constants",
    multiple=True,
    metavar="COLUMN=VALUE",
    help="With --map: what all rows of the report have in common; may be repeated.",
)
@click.option(
    "--unit",
    metavar="CNES",
    callback=lambda _context, _option, value: cnes_code(value),
    help="Executing unit of booking files in CSV, which name it neither inside nor in their names.",
)
@REPLAY
def export(  # noqa: PLR0913 - one per option
    *,
    files: tuple[Path, ...],
    describe: str | None,
    partial: bool,
    complete: bool,
    seen_on: datetime | None,
    map_file: Path | None,
    constants: tuple[str, ...],
    unit: str,
    from_landing: bool,
) -> None:
    """Load files exported from SISREG or written by an operator, or folders of them.

    The layout is recognised by the header, whatever the file is called. Accepted are CSV and TXT,
    as they are, in gz or in a zip, in UTF-8 or windows-1252. A file with too many wrong rows is
    refused whole (MAPA_MAX_REJECTED_SHARE); one that is refused does not hold back the others, and
    the exit code says so. SISREG's report OFERTA REAL has no published header and
    is loaded with --map. --replay repeats these files and the offer API's pages.
    """
    if describe:
        click.echo(description(layouts.named(describe)))
        return
    if from_landing:
        others = (files, partial, complete, seen_on, map_file, constants, unit)
        repeat("export", no_other_options=not any(others))
        return
    if not files:
        raise click.UsageError("Missing argument 'FILE...'.")
    if partial and complete:
        raise click.UsageError("--partial and --complete exclude each other.")
    if seen_on:
        seen.refuse_future(seen_on.date())
    day = seen_on.date() if seen_on else None
    if map_file:
        if partial or complete or unit:
            raise click.UsageError("--map takes neither --partial nor --complete nor --unit.")
        report(
            lambda: report_loader.load(Settings.load(), files, map_file, settled(constants), day)
        )
        return
    if constants:
        raise click.UsageError("--set belongs to --map.")
    completeness = exports.Completeness(partial=partial, confirmed=complete, tables=complete)
    report(lambda: exports.load(Settings.load(), files, completeness, seen_on=day, unit=unit))


def cnes_code(text: str | None) -> str:
    """Return the code of a unit in its seven digits; empty when none is given."""
    if text is not None and not re.fullmatch(r"[0-9]{1,7}", text):
        raise click.BadParameter("expected is a CNES: seven digits, such as 0010456.")
    return text.zfill(7) if text else ""


def settled(constants: tuple[str, ...]) -> dict[str, str]:
    """Return the constants given as COLUMN=VALUE."""
    pairs = [text.partition("=") for text in constants]
    if not all(equals and name and value for name, equals, value in pairs):
        raise click.UsageError("--set expects COLUMN=VALUE, such as --set competencia=03/2026.")
    return {name: value for name, _, value in pairs}


@load.command("offer-api")
@click.option(
    "--map",
    "path",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="TOML file with address, paging and fields; see docs/oferta_api.exemplo.toml.",
)
@click.option(
    "--partial",
    is_flag=True,
    help="The API gives only a part (one unit, one period): what it lacks has not vanished.",
)
@click.option(
    "--complete",
    is_flag=True,
    help="The API gives all even if more than 30 % of what was known is not in it.",
)
@ACCEPT_TYPES
def offer_api(path: Path, partial: bool, complete: bool, *, accept_types: bool) -> None:
    """Read schedules from an offer API whose fields a file maps to those of the export."""
    if partial and complete:
        raise click.UsageError("--partial and --complete exclude each other.")
    completeness = exports.Completeness(partial=partial, confirmed=complete)
    settings = Settings.load()
    report(lambda: [offer_api_loader.load(settings, path, completeness, accept_types=accept_types)])


@load.command()
@click.option("--limit", type=click.IntRange(min=1), help="Ask for this many people at most.")
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Load an extract instead of asking the service: a flat file (layout cadsus_pessoa or "
    "cadsus_cns) or FHIR Patients of the RNDS (Bundle, or one resource per line).",
)
@REPLAY
@ACCEPT_FEWER
def cadsus(limit: int | None, path: Path | None, *, from_landing: bool, accept_fewer: bool) -> None:
    """Look up the people met in SISREG who are unknown or out of date: by CNS, else by CPF.

    CADSUS_CONCURRENCY and CADSUS_RATE (requests per second) bound what the service gets. A run that
    is interrupted is continued by the next one.
    """
    if from_landing:
        repeat("cadsus", no_other_options=not (limit or path))
    elif path:
        report(lambda: cadsus_loader.load_file(Settings.load(), path))
    else:
        report(lambda: [cadsus_loader.load(Settings.load(), limit, accept_fewer=accept_fewer)])


@load.command()
@click.argument("files", nargs=-1, type=EXISTING, metavar="FILE...")
@REPLAY
def cnes(files: tuple[Path, ...], *, from_landing: bool) -> None:
    """Load the establishments of CNES (tbEstabelecimento) and the contracted hours.

    The hours come as layout carga_horaria, written from the manager's own base of CNES, because the
    public base has no CPF; list its columns with mapa load export --describe carga_horaria. A file
    of one month holds all professionals of the units that it names.
    """
    if from_landing:
        repeat("cnes", no_other_options=not files)
        return
    if not files:
        raise click.UsageError("Missing argument 'FILE...'.")
    only = tuple(layout.name for layout in layouts.of_files(CNES.schema))
    report(lambda: exports.load(Settings.load(), files, only=only))


@load.command()
@click.argument("loads", nargs=-1, required=True, metavar="LOAD_ID...")
@click.option(
    "--seen-on",
    type=DAY,
    required=True,
    metavar="DATE",
    help="Day on which the extracts were really seen.",
)
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is kept for ever.")
def redate(loads: tuple[str, ...], seen_on: datetime, reason: str) -> None:
    """Correct the day on which loads were seen, because a clock was wrong when they were made.

    What stood there before, the reason and the instant stay in controle.correcoes and beside the
    landed files, and --replay repeats the correction. A watermark that such a load moved goes to
    the beginning of that day. The day may not break the order in which the extracts of a layout
    were loaded. Build again afterwards.
    """
    if not reason.strip():
        raise click.BadParameter("say why the day was wrong.", param_hint="--reason")
    for line in redate_loads(Settings.load(), loads, seen_on.date(), reason.strip()):
        say(line)


def repeat(part: str, *, no_other_options: bool = True) -> None:
    """Rebuild a part of raw from landing."""
    if not no_other_options:
        raise click.UsageError("--replay repeats what was loaded: it takes nothing else.")
    settings = Settings.load()
    if not report(lambda: replay(settings, part)):
        say(f"{settings.landing} holds no complete load of this kind; nothing was changed.")


def report(load: Callable[[], list[Summary]], indent: str = "") -> list[Summary]:
    """Load and say what was loaded, one line per load, also when other files were refused."""
    settings = Settings.load()
    # Whoever loads builds next, perhaps with dbt itself.
    modes.close_dbt(settings.dbt_project_dir, settings.dbt_target_path, settings.dbt_log_path)
    try:
        summaries = load()
    except (PartialError, FewerError) as error:
        for summary in error.summaries:
            say(f"{indent}{summary}")
        raise
    for summary in summaries:
        say(f"{indent}{summary}")
    return summaries


def description(layout: Layout) -> str:
    """Return the columns of a layout with what is known about each."""
    more = f", {len(layout.optional)} more may be absent" if layout.optional else ""
    count = f"{len(expected_columns(layout))} columns{more}"
    lines = [f"{layout.name}: raw table {layout.table}, {count}"]
    if layout.ours:
        lines.append("This format is the project's own: the source publishes none.")
    for number, column in enumerate((*expected_columns(layout), *layout.optional), start=1):
        marks = [
            mark
            for mark, applies in (
                ("key", column in layout.key),
                ("mandatory", column in layout.required),
                ("list of objects", column in layout.nested),
                ("may be absent", column in layout.optional),
            )
            if applies
        ]
        lines.append(f"{number:3}  {column}" + (f"  ({', '.join(marks)})" if marks else ""))
    if withheld := (*layout.withheld, *layout.withheld_like):
        lines.append(f"Never loaded: {', '.join(withheld)}.")
    return "\n".join(lines)
