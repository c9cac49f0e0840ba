"""SISREG's search API to raw: what changed, what is still open, and what has vanished.

Each page goes to landing as received, is read by DuckDB and settled by `intake`; Python looks at no
document. One load of one index is one transaction. By default it reads what changed since the last
one; then every request that is open in our store and did not come by itself is read by its number,
however old it is. A full load reads everything, and what does not come any more is marked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
from rich.progress import Progress

from mapa import audit, clocks, layouts
from mapa.audit import Load, Summary, Tally
from mapa.errors import ConfigError, EmptyScopeError, FewerError, SourceError
from mapa.http import Access, Answer, Door, Patience
from mapa.landing import Folder, take_out_unchanged
from mapa.layouts import Layout
from mapa.load import deliveries, drift, resume, snapshot, tail
from mapa.load.documents import CHANGED, Fields
from mapa.load.intake import Intake
from mapa.load.pages import Book, Search, mapping_file, read_mapping
from mapa.load.resume import ORDER, Order
from mapa.load.scope import Scope
from mapa.load.window import BRASILIA, Window
from mapa.settings import Settings
from mapa.sources import SISREG
from mapa.ui import progress

SOURCE = SISREG.name
OVERLAP = timedelta(hours=24)
"""What an incremental load reads again: documents may move while pages are being read."""
MANY = 20
"""So many documents that cannot be read may be exceptions, however few have come."""
NEVER = datetime(9999, 1, 1)
"""A window that ends here holds every document, those without an instant too."""


@dataclass(frozen=True)
class Wish:
    """What the operator asks for.

    Attributes:
        since: first instant of change to read, local clock of the source; default: incremental.
        until: end of the window, exclusive; default: the source's clock now.
        full: read everything and mark what has vanished.
        accept_types: load even if a field has another type than before.
        accept_fewer: load even if the source has far fewer documents than are known.

    """

    since: datetime | None = None
    until: datetime | None = None
    full: bool = False
    accept_types: bool = False
    accept_fewer: bool = False


def load(  # noqa: PLR0913 - all that an operator may ask for
    settings: Settings,
    index: str = "all",
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    full: bool = False,
    accept_types: bool = False,
    accept_fewer: bool = False,
) -> list[Summary]:
    """Load one index or all three; by default what changed since the last load.

    Args:
        settings: address and credentials of the source, and where the data are.
        index: name of an index without its suffix, or `all`.
        since: first instant of change to read, local clock of the source.
        until: end of the window, exclusive; by default, and at most, the source's clock now.
        full: read everything, and mark what the source no longer has.
        accept_types: load even if a field has another type than before.
        accept_fewer: load even if the source has far fewer documents than are known.

    Raises:
        ConfigError: credentials are missing.
        FewerError: an index has far fewer documents than are known; the others are loaded.
        EmptyScopeError: none of the indices holds anything of the centrals or the state.
        SourceError: the source does not answer, refuses, or answers incompletely.
        LayoutError: an index has changed.

    """
    wanted = layouts.of_indices() if index == "all" else (layouts.named(index),)
    with (
        Door(settings.sisreg_url, access(settings), Patience.of(settings)) as door,
        deliveries.house(settings) as con,
        progress() as display,
    ):
        resume.restore_scopes(con, settings.landing / SOURCE)
        reader = Reader(settings, door, con, display)
        wish = Wish(since, until, full, accept_types, accept_fewer)
        summaries, empty = list[Summary](), list[EmptyScopeError]()
        fewer = list[FewerError]()
        for layout in wanted:
            try:
                summaries += reader.read(layout, wish)
            except EmptyScopeError as error:
                # A central without admissions is no mistake; one without anything is.
                empty.append(error)
                said = f"NOT LOADED: {error.message.splitlines()[0]}"
                summaries.append(Summary(layout.name, door.host, Tally(), skipped=said))
            except FewerError as error:
                fewer.append(error)
        old = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=settings.mapa_landing_days)
        take_out_unchanged(settings.landing, SOURCE, old)
        if fewer:
            raise FewerError("\n".join(error.message for error in fewer), summaries)
        if len(empty) == len(wanted):
            raise empty[0]
        return summaries


def access(settings: Settings) -> Access:
    """Return the credentials.

    Raises:
        ConfigError: they are not set.

    """
    if not settings.sisreg_user or not settings.sisreg_password:
        raise ConfigError(
            "SISREG_USER and SISREG_PASSWORD are not set; SISREG answers only to an account.\n"
            "Put them in the environment or in .env."
        )
    return Access(
        "SISREG_USER and SISREG_PASSWORD",
        settings.sisreg_user,
        settings.sisreg_password.get_secret_value(),
        authority=settings.mapa_ca_file,
    )


@dataclass
class Reader:
    """Reads indices through one door into one warehouse."""

    settings: Settings
    door: Door
    con: duckdb.DuckDBPyConnection
    display: Progress

    @property
    def scope(self) -> Scope:
        """Return whose documents are read."""
        return self.settings.sisreg_scope

    def read(self, layout: Layout, wish: Wish) -> list[Summary]:
        """Load one index; a load that was interrupted is finished first, then what came since."""
        summary, resumed = self._read_once(layout, wish)
        if not resumed or wish.since or wish.until:
            return [summary]
        again = replace(wish, full=False)
        return [summary, self._read_once(layout, again)[0]]

    def _read_once(self, layout: Layout, wish: Wish) -> tuple[Summary, bool]:
        """Run one load in one transaction, watermark included; say whether it was resumed."""
        alias = self.scope.alias(layout.name)
        root = self.settings.landing
        what = SOURCE, layout.name, self.door.host
        with deliveries.receiving(self.con, root, what, door=self.door) as receipt:
            load, folder = receipt.load, receipt.folder
            load.scope = str(self.scope)
            answer = read_mapping(self.door, alias)
            if not answer.instant and not self.door.synthetic:
                load.warn(
                    f"{self.door.host} does not say what time it is (header Date): this machine's "
                    "clock bounds what is read, and nothing was there to compare it with"
                )
            order = self._order(alias, wish, self._known_until(layout), answer)
            open_end = wish.until is None
            found = resume.find(self.con, root / SOURCE, layout, order, any_end=open_end)
            if found:
                folder.take_over(found[0])
                order = found[1]
            load.since, load.until = order.window.since, order.window.until
            folder.note(ORDER, order.note(load))
            folder.write(mapping_file(folder.path).name, answer.plain())
            fields = Fields.read(answer.plain(), layout)
            if not fields.kinds and not drift.since(load):
                raise EmptyScopeError(
                    f"{alias} holds no document at all; nothing was loaded.\nExpected is an index "
                    "that the source has filled: check SISREG_SUFFIX, or load another index with "
                    "--index."
                )
            drift.compare(load, layout, fields.types, accepted=wish.accept_types)
            fields.check(layout, drift.since(load))
            run = Run(self, load, layout, fields, folder)
            run.accept_fewer = wish.accept_fewer
            receipt.note = run.read_all(order, by_number=wish.since is None)
        return load.summary(), found is not None

    def _known_until(self, layout: Layout) -> datetime | None:
        """Return the watermark, or the newest change that we have when that is older.

        A mirror that stands still for days shows afterwards what happened meanwhile.
        """
        mark = audit.watermark(self.con, SOURCE, layout.name, str(self.scope))
        row = self.con.execute(
            f"select max(try_cast({CHANGED} as timestamp)) from {layout.table} "
            f"where {self.scope.holds_row()}"
        ).fetchone()
        newest: datetime | None = row[0] if row else None
        return min(mark, newest) if mark and newest else None

    def _order(self, alias: str, wish: Wish, mark: datetime | None, answer: Answer) -> Order:
        start = wish.since or (mark - OVERLAP if mark and not wish.full else None)
        now = source_clock(answer)
        window = Window(start, min(wish.until or now, now))
        return Order(alias, self.door.host, str(self.scope), wish.full, window)


class Run:
    """One load of one index: its window, then what the window did not show."""

    def __init__(
        self, reader: Reader, load: Load, layout: Layout, fields: Fields, folder: Folder
    ) -> None:
        """Prepare to read the first page."""
        self.load, self.layout, self.folder = load, layout, folder
        self.scope, self.most = reader.scope, reader.settings.mapa_max_rejected_share
        self.accept_fewer = False
        self.mark = audit.watermark(load.con, SOURCE, layout.name, str(self.scope))
        self.book = Book(Intake(load, layout, follow=self.mark is not None), fields)
        alias = self.scope.alias(layout.name)
        task = reader.display.add_task(alias, total=None)
        self.search = Search(
            door=reader.door,
            alias=alias,
            fields=fields,
            scope=self.scope,
            size=reader.settings.sisreg_page,
            book=self.book,
            folder=folder,
            seen=lambda count: reader.display.update(task, completed=count),
        )

    def read_all(self, order: Order, *, by_number: bool) -> dict[str, Any]:
        """Read the window, then what is open; return all that a replay needs."""
        load, layout = self.load, self.layout
        self._refuse_fewer()
        self.search.read(order.window)
        self.book.flush()
        if not self.book.received or not self.mark or order.full:
            self._check_scope()
        events = self._read_tail(order) if by_number and self.mark else {}
        self.book.intake.finish(f"Index {self.search.alias}")
        self._judge_unreadable()
        mark = self._new_mark(order.window)
        if mark:
            load.advance(mark)
        if self.search.reused:
            load.notes.append(f"{self.search.reused} pages of an interrupted load reused")
        load.report_unknown(layout.table, self.book.shape.unknown)
        self.folder.unchanged = self.book.unchanged
        return order.note(load) | {"marca": mark, "ausencias": events}

    def _read_tail(self, order: Order) -> dict[str, list[str]]:
        """Read by number what did not come: all that is open, in a full load all that is known.

        A document that changes during a full load leaves its window and has not vanished.
        """
        con = self.load.con
        tail.choose(con, self.layout, self.scope, everything=order.full)
        for numbers in tail.batches(con, self.search.size):
            self.search.read_by_number(numbers)
        self.book.flush()
        asked, gone = tail.find_missing(con, self.layout)
        certain = not self.book.intake.nameless
        if gone and certain:
            known = tail.count_known(con, self.layout, self.scope, self.load.id)
            self._judge_fewer(known, known - gone, "of the known requests came")
            if gone >= MANY:
                self._judge_fewer(asked, asked - gone, "of the open requests came")
        return tail.record_presence(self.load, self.layout, certain=certain)

    def _refuse_fewer(self) -> None:
        """Compare what the source counts of the scope with what is known of it, part by part.

        Raises:
            FewerError: it has become so few that this is not believed.

        """
        con, ever = self.load.con, Window(None, NEVER)
        for value in self.scope.values:
            part = self.scope.alone(value)
            if not (rows := tail.count_rows(con, self.layout, part)):
                continue
            found = self.search.count(ever, part)
            if not snapshot.is_believed(rows, rows - found):
                known = tail.count_known(con, self.layout, part, self.load.id)
                self._judge_fewer(known, found, f"documents of {value} are counted")

    def _judge_fewer(self, known: int, found: int, what: str) -> None:
        """Refuse numbers that are not believed, or warn of them if they are accepted.

        Raises:
            FewerError: names them and what accepts them.

        """
        if snapshot.is_believed(known, known - found):
            return
        said = f"{self.search.alias}: {found} {what} and {known} are known"
        if not self.accept_fewer:
            raise FewerError(
                f"{said}; nothing was loaded.\nThe source is probably incomplete: ask its owner. "
                "If they are really gone, mark them with\n"
                f"  mapa load sisreg --index {self.layout.name} --full --accept-fewer"
            )
        self.load.warn(f"{said}; accepted")

    def _judge_unreadable(self) -> None:
        """Tell of documents that cannot be read, and refuse when they are no exception.

        Raises:
            SourceError: there are many, and more of all that came than may be rejected.

        """
        wrong, received = self.book.intake.unreadable, self.book.received
        if wrong > max(MANY, self.most * received):
            raise SourceError(
                f"{self.search.alias}: {wrong} of {received} documents cannot be read, at most "
                f"{100 * self.most:.4g} % may be; nothing was loaded.\nAsk the owner of the source "
                "what has changed, or accept more with MAPA_MAX_REJECTED_SHARE."
            )
        if wrong:
            self.load.warn(
                f"{wrong} documents cannot be read and were rejected: controle.rejeitos says which "
                "and why"
            )

    def _check_scope(self) -> None:
        """Ask whether the source holds anything of the scope; a quiet window is no empty scope.

        Raises:
            EmptyScopeError: it holds nothing at all.

        """
        ever = Window(None, NEVER)
        values = self.scope.values
        if self.accept_fewer and tail.count_rows(self.load.con, self.layout, self.scope):
            return
        empty = [v for v in values if not self.search.count(ever, self.scope.alone(v))]
        if len(empty) == len(values):
            raise EmptyScopeError(_holds_nothing(self.search.alias, self.scope, empty))
        if empty:
            self.load.warn(_holds_nothing(self.search.alias, self.scope, empty).splitlines()[0])

    def _new_mark(self, window: Window) -> datetime | None:
        """Return where the watermark goes: forward, and never over a gap."""
        start, mark = window.since, self.mark
        if window.until > (mark or datetime.min) and (not start or (mark and start <= mark)):
            return window.until
        return None


def _holds_nothing(alias: str, scope: Scope, values: list[str]) -> str:
    """Say of which part of a scope an index holds nothing, and what to check."""
    what = "regulating central" if scope.centrals else "state"
    return (
        f"{alias} holds no document of {what} {', '.join(values)} ({scope.field}): check "
        f"{scope.setting}.\nExpected are codes as the source writes them, letters included, "
        "several with commas between them; which indices are read says SISREG_SUFFIX. An empty "
        "SISREG_CENTRAL reads all centrals of the state SISREG_UF."
    )


def source_clock(answer: Answer) -> datetime:
    """Return the source's clock, naive and local to Brasília.

    A server that sends no `Date` leaves only our own clock. Being off by less than is refused costs
    nothing but delay: what lies behind the bound is read by the next load.
    """
    instant = answer.instant or clocks.now().replace(tzinfo=UTC)
    return instant.astimezone(BRASILIA).replace(tzinfo=None, microsecond=0)
