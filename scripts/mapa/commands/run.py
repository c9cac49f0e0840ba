"""`mapa run`: the daily job, made for cron."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import click

from mapa import dbt, identity, publish, signals, warehouse
from mapa.audit import Summary
from mapa.errors import EXIT_CODES, ConfigError, LockedError, UnexpectedError, where
from mapa.landing import disk
from mapa.load import cadsus, exports, inbox, sisreg
from mapa.settings import Settings
from mapa.ui import say
from mapa.waiting import Wait

INDENT = "    "
LOCK = ".run.lock"


@click.command(short_help="Do the daily job: load, build, publish.")
@click.pass_context
def run(context: click.Context) -> None:
    """Load every configured source, build, and publish what is green.

    SISREG is loaded when SISREG_USER is set, CadSUS when CADSUS_SYSTEM is set, and each file of
    MAPA_DIR/inbox once: it goes to inbox/carregados, or to inbox/recusados when it is refused.
    With the extra `identidade` the requests that the last build left without a link are scored.
    Nothing that fails stops the rest: what is there is built and published with its as-of date, the
    last lines say what is new, old and refused, and the exit code is that of the first failure. One
    runs at a time.
    """
    settings = Settings.load()
    with only_one(settings):
        night = Night(settings, debug=bool((context.find_root().obj or {}).get("debug")))
        steps = list(_sources(night))
        if not steps:
            raise ConfigError(
                f"No source is configured: SISREG_USER, CADSUS_SYSTEM, {inbox.folder(settings)}.\n"
                "Set one of them, or run `mapa demo` for a synthetic city."
            )
        # Without a warehouse there is nothing to be done; whoever holds it is waited for once.
        warehouse.wait_until_free(settings.warehouse, Wait())
        for name, load in steps:
            night.step(name, load)
        night.step("Identity", night.score)
        night.step("Build", lambda: dbt.build(settings))
        night.step("Publication", night.publish)
        for line in night.summary():
            say(line)
    context.exit(night.exit_code)


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Let one `mapa run` work in a folder; the lock ends with the process, however it ends.

    Raises:
        LockedError: another one is at work.

    """
    with disk(settings.mapa_dir):
        settings.make_directory()
        handle = os.open(settings.mapa_dir / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(handle, "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError(
                f"Another `mapa run` is at work in {settings.mapa_dir} (process "
                f"{lock.read(20).strip() or 'unknown'}).\nIt does all that this one would: wait "
                "until it has ended, or end it with kill."
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


@dataclass
class Night:
    """One daily job while it runs: what was loaded, and what failed in the order in which it did.

    Attributes:
        began: naive UTC.
        failures: name of the step, and its error.

    """

    settings: Settings
    debug: bool = False
    began: datetime = field(default_factory=lambda: datetime.now(UTC).replace(tzinfo=None))
    loaded: list[Summary] = field(default_factory=list)
    failures: list[tuple[str, click.ClickException]] = field(default_factory=list)
    delivery: inbox.Delivery = field(default_factory=inbox.Delivery)

    @property
    def exit_code(self) -> int:
        """Return the exit code of the first failure, 0 when there is none."""
        return self.failures[0][1].exit_code if self.failures else 0

    def step(self, name: str, work: Callable[[], object]) -> None:
        """Do one step; whatever fails in it is noted, and the next step begins."""
        say(f"{name}:")
        try:
            work()
        except click.ClickException as error:
            self._note(name, error)
        except Exception as error:
            if signals.is_stop(error):
                raise
            if self.debug:
                click.echo(where(error), err=True, nl=False)
            self._note(name, UnexpectedError.of(error))

    def _note(self, name: str, error: click.ClickException) -> None:
        self.failures.append((name, error))
        say(f"{INDENT}failed: {error.message}")

    def tell(self, summary: Summary) -> None:
        """Note what a load did, and say it."""
        self.loaded.append(summary)
        say(f"{INDENT}{summary}")

    def tell_all(self, summaries: list[Summary]) -> None:
        """Note what several loads did, and say it."""
        for summary in summaries:
            self.tell(summary)

    def take_inbox(self) -> None:
        """Load the inbox.

        Raises:
            MapaError: something in it is not loaded; all else is.

        """
        inbox.load(self.settings, self.delivery, self.tell)
        if self.delivery.passed:
            say(f"{INDENT}passed over: {', '.join(self.delivery.passed)}")
        for _, error in self.delivery.failed if self.debug else ():
            click.echo(where(error), err=True, nl=False)
        if self.delivery.error:
            raise self.delivery.error

    def score(self) -> None:
        """Score the requests that the build of the night before left without a link."""
        try:
            say(f"{INDENT}{identity.score(self.settings)}")
        except identity.UnreadyError as error:
            say(f"{INDENT}not scored: {_first_line(error)}")

    def publish(self) -> None:
        """Publish what is green.

        Raises:
            PublishError: a subject stayed as it was, or nothing may be published.

        """
        outcome = publish.publish(self.settings)
        for line in str(outcome).splitlines():
            say(f"{INDENT}{line}")
        outcome.require_fresh()

    def summary(self) -> Iterator[str]:
        """Yield what is new, old and refused, each in a line, and how it ended."""
        yield "Summary:"
        new = [s for s in self.loaded if s.tally.loaded]
        yield from (f"New: {s.entity}: {s.tally.loaded} loaded from {s.origin}." for s in new)
        if not new:
            yield "New: nothing."
        yield from self._old()
        for name, error in self.delivery.refused:
            yield f"Refused: {name}: {_first_line(error)}"
        aside, count = self.delivery.aside, inbox.waiting(self.settings)
        if aside:
            place = inbox.folder(self.settings)
            yield f"Refused files are kept in {aside}; try them again with\n  mv {aside}/* {place}/"
        elif count:
            yield f"Refused before: {count} files in {inbox.folder(self.settings) / inbox.REFUSED}."
        for name, failure in self.failures:
            yield f"Failed: {name}: {_first_line(failure)}"
        yield f"Ended with exit code {self.exit_code}: {EXIT_CODES[self.exit_code]}."

    def _old(self) -> Iterator[str]:
        """Say of what failed in this night how old the newest that is loaded is."""
        try:
            with warehouse.connect(self.settings.warehouse, read_only=True, wait=0) as con:
                rows = con.execute(_OLD, [self.began]).fetchall()
        except (click.ClickException, Exception) as error:
            if signals.is_stop(error):
                raise
            yield f"Old: unknown, because the warehouse cannot be read ({type(error).__name__})."
            return
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


_OLD = """
    select f.entidade, f.origem, max(coalesce(c.janela_fim, c.iniciada_em))
    from controle.cargas as f
    left join controle.cargas as c
        on f.fonte = c.fonte and f.entidade = c.entidade and c.resultado = 'completa'
    where f.resultado <> 'completa' and f.iniciada_em >= $1
    group by f.entidade, f.origem
    order by f.entidade, f.origem
"""


def _first_line(error: click.ClickException) -> str:
    return error.message.splitlines()[0]


def _sources(night: Night) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield name and loader of each configured source, people last: SISREG says whom to look up."""
    settings = night.settings
    if settings.sisreg_user:
        yield "SISREG", lambda: night.tell_all(sisreg.load(settings, "all"))
    if inbox.folder(settings).exists():
        yield "Export files", night.take_inbox
    if settings.cadsus_system:
        yield "CadSUS", lambda: night.tell(cadsus.load(settings))
