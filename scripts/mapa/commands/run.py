"""`mapa run`: the daily job, made for cron."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import click

from mapa import dbt, publish
from mapa.errors import ConfigError, MapaError
from mapa.load import cadsus, exports, sisreg
from mapa.settings import Settings
from mapa.ui import say


@click.command(short_help="Do the daily job: load, build, publish.")
def run() -> None:
    """Load every configured source, build, and publish if everything is green.

    SISREG is loaded when SISREG_USER is set, CadSUS when CADSUS_SYSTEM is set, and each new file of
    MAPA_DIR/inbox once. A source that fails does not stop the others: what is there is built and
    published with its as-of date, and the command ends with the exit code of the first failure.
    """
    settings = Settings.load()
    failures: list[MapaError] = []
    steps = list(_sources(settings))
    if not steps:
        raise ConfigError(
            f"No source is configured: SISREG_USER, CADSUS_SYSTEM, {settings.mapa_dir}/inbox.\n"
            "Set one of them, or run `mapa demo` for a synthetic city."
        )
    for name, load in steps:
        say(f"{name}:")
        try:
            load()
        except MapaError as error:
            failures.append(error)
            say(f"    failed: {error.message}")
    dbt.build(settings)
    say(str(publish.publish(settings)))
    if failures:
        raise failures[0]


def _sources(settings: Settings) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield name and loader of each configured source, people last: SISREG says whom to look up."""
    inbox = settings.mapa_dir / "inbox"
    if settings.sisreg_user:
        yield "SISREG", lambda: _say_all(sisreg.load(settings, "all"))
    if inbox.is_dir():
        yield "Export files", lambda: _say_all(exports.load(settings, [inbox]))
    if settings.cadsus_system:
        yield "CadSUS", lambda: say(f"    {cadsus.load(settings)}")


def _say_all(summaries: Iterable[object]) -> None:
    for summary in summaries:
        say(f"    {summary}")
