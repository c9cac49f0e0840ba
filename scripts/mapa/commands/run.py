"""`mapa run`: the daily job, made for cron."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import click

from mapa import dbt, publish, warehouse
from mapa.commands.load import report
from mapa.errors import ConfigError, MapaError
from mapa.load import cadsus, exports, sisreg
from mapa.settings import Settings
from mapa.ui import say

INDENT = "    "


@click.command(short_help="Do the daily job: load, build, publish.")
def run() -> None:
    """Load every configured source, build, and publish if everything is green.

    SISREG is loaded when SISREG_USER is set, CadSUS when CADSUS_SYSTEM is set, and each new file of
    MAPA_DIR/inbox once. A source or a file that fails does not stop the others: what is there is
    built and published with its as-of date, the command says what has stayed old, and it ends with
    the exit code of the first failure.
    """
    settings = Settings.load()
    began = datetime.now(UTC).replace(tzinfo=None)
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
        for line in _old(settings, began):
            say(line)
        raise failures[0]


def _old(settings: Settings, began: datetime) -> Iterator[str]:
    """Say of what failed since an instant (naive UTC) how old the newest that is loaded is."""
    with warehouse.connect(settings.warehouse, read_only=True) as con:
        rows = con.execute(
            """
            select f.entidade, f.origem, max(coalesce(c.janela_fim, c.iniciada_em))
            from controle.cargas as f
            left join controle.cargas as c
                on f.fonte = c.fonte and f.entidade = c.entidade and c.resultado = 'completa'
            where f.resultado <> 'completa' and f.iniciada_em >= $1
            group by f.entidade, f.origem
            order by f.entidade, f.origem
            """,
            [began],
        ).fetchall()
    for entity, origin, newest in rows:
        if entity == exports.UNKNOWN:
            yield f"Old: {origin} was not loaded; what it should have brought stays as it was."
        elif newest is None:
            yield f"Missing: {origin} was not loaded, and nothing of {entity} ever was."
        else:
            yield (
                f"Old: {origin} was not loaded; the newest of {entity} that is loaded is as of "
                f"{newest:%Y-%m-%d %H:%M}."
            )


def _sources(settings: Settings) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield name and loader of each configured source, people last: SISREG says whom to look up."""
    inbox = settings.mapa_dir / "inbox"
    if settings.sisreg_user:
        yield "SISREG", lambda: report(lambda: sisreg.load(settings, "all"), INDENT)
    if inbox.is_dir():
        yield "Export files", lambda: report(lambda: exports.load(settings, [inbox]), INDENT)
    if settings.cadsus_system:
        yield "CadSUS", lambda: report(lambda: [cadsus.load(settings)], INDENT)
