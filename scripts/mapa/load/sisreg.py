"""SISREG's search API to raw: keyset paging over a window of changes, counted against the source.

Each page goes to landing as received, is read by DuckDB and settled by `intake`; Python looks at no
document. A window is [since, until) on `data_atualizacao`. Its bounds are the source's own local
clock, written with the false `Z` that the source puts on every instant, and never a time zone.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
from rich.progress import Progress, TaskID

from mapa import audit, warehouse
from mapa.audit import Load, Summary
from mapa.errors import ConfigError, SourceError
from mapa.http import Access, Answer, Door
from mapa.landing import Folder, Landed
from mapa.load import documents
from mapa.load.documents import COMPARED_EVERY, Envelope, Fields, Shape
from mapa.load.intake import Intake
from mapa.load.layouts import API_LAYOUTS, Layout
from mapa.settings import Settings
from mapa.ui import progress

SOURCE = "sisreg"
BRASILIA = ZoneInfo("America/Sao_Paulo")
OVERLAP = timedelta(hours=24)
"""What an incremental load reads again: documents may move while pages are being read."""
UNREADABLE = (duckdb.InvalidInputException, duckdb.IOException, duckdb.ConversionException)
"""What DuckDB raises on a page that is not whole or not JSON."""
INDICES = {layout.name: layout for layout in API_LAYOUTS}


@dataclass(frozen=True)
class Window:
    """Changes to read, on the source's local clock; no `since` means from the beginning."""

    since: datetime | None
    until: datetime

    def __str__(self) -> str:
        """Write the window for a message."""
        since = self.since.isoformat() if self.since else "the beginning"
        return f"[{since}, {self.until.isoformat()})"

    def clause(self) -> dict[str, object]:
        """Return the query clause; the first read also takes documents without an instant."""
        if self.since is None:
            outside = {"range": {"data_atualizacao": {"gte": false_z(self.until)}}}
            return {"bool": {"must_not": [outside]}}
        bounds = {"gte": false_z(self.since), "lt": false_z(self.until)}
        return {"range": {"data_atualizacao": bounds}}


def load(
    settings: Settings,
    index: str = "all",
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Summary]:
    """Load one index or all three; by default what changed since the last load.

    Args:
        settings: address and credentials of the source, and where the data are.
        index: name of an index without its suffix, or `all`.
        since: first instant of change to read, local clock of the source.
        until: end of the window, exclusive; by default, and at most, the source's clock now.

    Raises:
        ConfigError: credentials are missing.
        SourceError: the source does not answer, refuses, or answers incompletely.
        LayoutError: an index has changed.

    """
    layouts = list(INDICES.values()) if index == "all" else [INDICES[index]]
    with (
        Door(settings.sisreg_url, access(settings)) as door,
        warehouse.connect(settings.warehouse) as con,
        progress() as display,
    ):
        reader = Reader(settings, door, con, display)
        return [reader.read(layout, since, until) for layout in layouts]


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
    )


@dataclass
class Reader:
    """Reads indices through one door into one warehouse."""

    settings: Settings
    door: Door
    con: duckdb.DuckDBPyConnection
    display: Progress

    def read(self, layout: Layout, since: datetime | None, until: datetime | None) -> Summary:
        """Load one index in one transaction, watermark included."""
        mark = audit.watermark(self.con, SOURCE, layout.name)
        alias = f"{layout.name}-{self.settings.sisreg_suffix}"
        with audit.recording(self.con, SOURCE, layout.name, self.door.host) as load:
            answer = self.door.ask("GET", f"/{alias}/_mapping")
            self.door.expect_ok(answer, f"the fields of {alias}")
            start = since or (mark - OVERLAP if mark else None)
            now = source_clock(answer)
            window = Window(start, min(until or now, now))
            load.since, load.until = window.since, window.until
            fields = Fields.read(answer.plain(), layout)
            run = Run(self, load, layout, alias, fields)
            run.read_all(window)
            if window.until > (mark or datetime.min) and (not start or (mark and start <= mark)):
                load.advance(window.until)
        return load.summary()


@dataclass(frozen=True)
class Page:
    """One page: where it landed, its documents, and what it says about itself."""

    landed: Landed
    lote: pa.Table
    says: Envelope


class Run:
    """One index while it is read: pages, their landing and what has been learned of its fields."""

    def __init__(
        self, reader: Reader, load: Load, layout: Layout, alias: str, fields: Fields
    ) -> None:
        """Prepare to read the first page."""
        self.door, self.con, self.display = reader.door, reader.con, reader.display
        self.settings, self.load, self.alias, self.fields = reader.settings, load, alias, fields
        self.intake = Intake(load, layout)
        self.shape = Shape(layout).with_fields(fields.kinds)
        self.folder = Folder(reader.settings.landing, SOURCE, load.id)

    def read_all(self, window: Window) -> None:
        """Read the window page by page.

        Raises:
            SourceError: the documents read are not as many as the source counts.

        """
        retries_before = self.door.retries
        task = self.display.add_task(self.alias, total=None)
        after: list[object] = []
        expected, number = 0, 0
        while True:
            number += 1
            page = self._page(window, after, number)
            expected = expected if after else page.says.total
            self.intake.settle(page.lote, page.landed.name)
            self.display.update(task, total=expected, completed=self.intake.tally.received)
            # A server may give less than a full page and still have more, or miscount.
            full = page.says.count == self.settings.sisreg_page
            if not page.says.count or (not full and self.intake.tally.received >= expected):
                break
            after = page.says.last_sort
        self._check(window, expected)
        self._close(window, task)
        self.load.retries = self.door.retries - retries_before

    def _check(self, window: Window, expected: int) -> None:
        received = self.intake.tally.received
        if received != expected:
            raise SourceError(
                f"{self.alias}, changes of {window}: {received} documents came and the source "
                f"counts {expected}; nothing was loaded.\nRun the same command again; if it goes "
                "on, choose a quieter hour or a shorter window (--since, --until)."
            )
        self.intake.finish(f"Index {self.alias}")

    def _close(self, window: Window, task: TaskID) -> None:
        load, layout = self.load, self.intake.layout
        load.size, load.sha256 = self.folder.size, self.folder.sha256
        load.report_unknown(layout.table, self.shape.extra)
        self.folder.finish(
            {
                "carga_id": load.id,
                "fonte": SOURCE,
                "entidade": layout.name,
                "janela_inicio": window.since,
                "janela_fim": window.until,
                "campos_extras": self.shape.extra,
            }
        )
        self.display.update(task, completed=load.tally.received)

    def _page(self, window: Window, after: list[object], number: int) -> Page:
        """Fetch, land and read one page, again while it is incomplete.

        Raises:
            SourceError: it stays incomplete.

        """
        request = self._request(window, after)
        try:
            for attempt in self.door.patience.rounds(_IncompleteError):
                with attempt:
                    if attempt.num > 1:
                        self.door.count_retry()
                    answer = self.door.ask("POST", f"/{self.alias}/_search", json=request)
                    self.door.expect_ok(answer, f"a search in {self.alias}")
                    return self._read(answer, number)
        except _IncompleteError as error:
            raise SourceError(
                f"{self.alias}, changes of {window}, page {number}: {error} "
                f"({self.door.patience.attempts} attempts); nothing was loaded.\n"
                "Try again later; smaller pages (SISREG_PAGE) are easier on the source."
            ) from None
        raise AssertionError("stamina neither returned nor raised")

    def _request(self, window: Window, after: list[object]) -> dict[str, object]:
        central = self.fields.exact("codigo_central_reguladora")
        request: dict[str, object] = {
            "size": self.settings.sisreg_page,
            "track_total_hits": True,
            "query": {
                "bool": {
                    "filter": [{"term": {central: self.settings.sisreg_central}}, window.clause()]
                }
            },
            "sort": [
                {"data_atualizacao": "asc"},
                {self.fields.exact("codigo_solicitacao"): "asc"},
            ],
        }
        return request | {"search_after": after} if after else request

    def _read(self, answer: Answer, number: int) -> Page:
        """Land and read one answer.

        Raises:
            _IncompleteError: it must not be used.
            LayoutError: it is sound JSON, but a nested field has another type.

        """
        name = f"pagina-{number:06d}.json{'.gz' if answer.is_gzip else ''}"
        landed = self.folder.write(name, answer.body)
        try:
            page = self._parse(landed, number)
        except UNREADABLE:
            with suppress(*UNREADABLE):
                documents.document_fields(self.load.scratch, landed.path, self.intake.layout)
            page, why = None, "the answer is cut off or is not JSON"
        else:
            why = "the answer does not say how many documents there are"
        if page and not page.says.is_whole:
            page, why = None, "the search timed out or a part of the index failed"
        if not page:
            self.folder.files.pop()
            raise _IncompleteError(why)
        return page

    def _parse(self, landed: Landed, number: int) -> Page | None:
        scratch, layout = self.load.scratch, self.intake.layout
        if number % COMPARED_EVERY == 1:
            names = documents.document_fields(scratch, landed.path, layout)
            self.shape = self.shape.with_fields(names)
        offset = self.intake.tally.received
        lote = self.intake.read(self.shape.relation(landed.path, offset))
        says = documents.envelope(scratch, landed.path, lote)
        return Page(landed, lote, says) if says else None


class _IncompleteError(Exception):
    """A page that must not be used."""


def false_z(moment: datetime) -> str:
    """Write a local instant as the source does: its clock value with a `Z` that is not true."""
    return moment.isoformat(timespec="milliseconds") + "Z"


def source_clock(answer: Answer) -> datetime:
    """Return the source's clock, naive and local to Brasília.

    A server that sends no `Date` leaves only our own clock. Being off costs nothing but delay: what
    lies behind the bound is read by the next load.
    """
    instant = answer.instant or datetime.now(UTC)
    return instant.astimezone(BRASILIA).replace(tzinfo=None, microsecond=0)
