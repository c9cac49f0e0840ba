"""Pages of one index: asked for, landed, judged, and counted against the source.

A window is read in parts of bounded size. Each part is read page by page and then counted by the
source; when the two numbers differ, the part is read again, and in the end the load fails and names
it. A page that is cut, late, partial or shorter than its own total allows is asked for again and
never used. The name of a landed page carries a digest of what was asked, so that a load that was
interrupted finds its pages again and asks the source only for the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from mapa.errors import FormatError, SourceError
from mapa.http import Answer, Door
from mapa.landing import Folder, Landed
from mapa.load import documents, drift, hits, strict
from mapa.load.documents import COMPARED_EVERY, Fields, Shape
from mapa.load.hits import Envelope, Hits
from mapa.load.intake import Intake
from mapa.load.scope import Scope
from mapa.load.strict import MOST_FIELDS
from mapa.load.window import Window
from mapa.packing import DamagedError, pack, release_memory

MOST_DOCUMENTS = 100_000
"""Parts of a window hold about this many: few enough to stand still while they are read."""
BATCH_BYTES = 32 * 2**20
"""Size at which pages that wait are judged: together they cost little more than one alone."""
READINGS = 3
"""How often a part is read until its count agrees."""
SCROLL_LIFE = "5m"
SPARE = 100
"""Room on a page of documents asked for by number, for a number that stands in several."""
UNREADABLE = (
    DamagedError,
    duckdb.InvalidInputException,
    duckdb.IOException,
    duckdb.ConversionException,
    duckdb.OutOfMemoryException,
)
"""What is raised on a page that is not whole, not JSON, or claims to be huge."""

LONG = 2000
"""Bytes of the shortest text that can hold more brackets in brackets than are read."""

T = TypeVar("T")


class IncompleteError(Exception):
    """An answer that must not be used."""


class ShortError(IncompleteError):
    """A page that holds fewer documents than are left by its own count."""


class StaysShortError(SourceError):
    """The same page is short however often it is asked for."""


class UnsortableError(Exception):
    """The server refuses to sort, so that pages cannot be asked for by key."""


@dataclass(frozen=True)
class Page:
    """One page: where it landed, its documents, what it says about itself, and if of new fields."""

    landed: Landed
    batch: pa.Table
    says: Envelope
    taught: bool = False

    @property
    def count(self) -> int:
        """How many documents it holds."""
        return int(self.batch.num_rows)

    def check(self, size: int, received: int) -> None:
        """Check a page of at most `size` documents, after the `received` ones before it.

        Raises:
            IncompleteError: it must not be used.

        """
        if self.says.total is None:
            raise IncompleteError("the answer does not say how many documents there are")
        if not self.says.is_whole:
            raise IncompleteError("the search timed out or a part of the index failed")
        if self.count < min(size, self.says.total - received):
            raise ShortError("the answer holds fewer documents than it counts")
        if distinct(self.documents) < self.count:
            raise IncompleteError("the answer holds a document twice")

    @property
    def documents(self) -> pa.ChunkedArray:
        """By which each of its documents is known again."""
        return self.batch.column("documento")

    @property
    def last_sort(self) -> list[Any]:
        """The key of its last document, after which the next page begins."""
        return orjson.loads(self.batch.column("ordem")[-1].as_py() or "[]") if self.count else []


class Book:
    """Turns landed pages into rows; what was learned of the fields grows from page to page.

    Pages wait until there are enough of them to be judged together; `flush` settles the last.
    """

    def __init__(self, intake: Intake, fields: Fields) -> None:
        """Prepare to read the first page."""
        self.intake = intake
        shape = Shape(intake.layout)
        # What one page of an earlier load has taught is read of all pages of this one.
        self.shape = shape.with_fields(shape.paths_of(_learned(intake)))
        # So many fields are those of a few documents, which are then looked at one by one.
        self.compares_all = self.shape.is_too_much(fields.paths)
        if not self.compares_all:
            self.shape = self.shape.with_fields(fields.paths)
        self.number = 0
        self.received = 0
        self.before = drift.since(intake.load)
        self.unchanged = dict[str, dict[str, Any]]()
        self._waiting = list[Page]()

    def parse(self, landed: Landed, *, mend: bool = True) -> Page:
        """Read a page.

        Args:
            landed: the page.
            mend: whether documents that cannot be read are set apart from the others; else they
                damage the page, which may be whole when it is asked for again.

        Raises:
            DamagedError, duckdb.Error: it is damaged.
            LayoutError: a nested field has another type.

        """
        scratch, layout = self.intake.load.scratch, self.intake.layout
        before = self.shape
        with hits.opened(landed.path) as opened:
            try:
                batch = self._read(opened, mend=mend)
            except UNREADABLE:
                # Sound JSON that does not fit is a change of the source and must say so.
                with suppress(*UNREADABLE):
                    documents.document_fields(scratch, opened.file, layout, self.before)
                raise
        return Page(landed, batch, opened.envelope, taught=self.shape != before)

    def _read(self, opened: Hits, *, mend: bool) -> pa.Table:
        """Read the hits of a page; documents that cannot be read are rejected at their places."""
        wrong = self._mend(opened) if opened.is_suspect else {}
        try:
            batch = self._read_sound(opened, wrong)
        except UNREADABLE:
            if wrong or not mend or not (wrong := self._mend(opened)):
                raise
            return self._read_sound(opened, wrong)
        if _is_too_deep(batch) and (deep := self._mend(opened)):
            return self._read_sound(opened, wrong | deep)
        return batch

    def _mend(self, opened: Hits) -> dict[int, str]:
        return opened.mend(self.intake.layout.key[0])

    def _read_sound(self, opened: Hits, wrong: dict[int, str]) -> pa.Table:
        if self.compares_all or self.number % COMPARED_EVERY == 1:
            scratch, layout = self.intake.load.scratch, self.intake.layout
            paths = documents.document_fields(scratch, opened.file, layout, self.before)
            if self.shape.is_too_much(paths):
                wrong |= self._mend(opened)
                paths = documents.document_fields(scratch, opened.file, layout, self.before)
            self.shape = self.shape.with_fields(paths)
        return self.intake.read(
            self.shape.relation(opened.file, self.received),
            {self.received + place: reason for place, reason in wrong.items()},
        )

    def settle(self, page: Page) -> None:
        """Give the documents of a page their fates, now or with those of the next pages."""
        self.received += page.count
        self._waiting.append(page)
        if sum(waiting.batch.nbytes for waiting in self._waiting) >= BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Settle the pages that wait."""
        if self._waiting:
            self.intake.settle(*((page.batch, page.landed.name) for page in self._waiting))
            for page in self._waiting:
                if page.count and not page.taught and page.landed.name not in self.intake.changed:
                    self.unchanged[page.landed.path.name] = self._kept(page)
            self._waiting.clear()
        release_memory()

    def _kept(self, page: Page) -> dict[str, Any]:
        """Return what stays of a page that brought nothing new: of which documents, how many."""
        keys = "\n".join(page.batch.column(self.intake.layout.key[0]).to_pylist())
        return {
            "documentos": page.count,
            "chaves_sha256": hashlib.sha256(keys.encode()).hexdigest(),
        }

    def recall(self, kept: dict[str, Any]) -> None:
        """Count the documents of a page that was taken out of landing, at its place."""
        self.received += kept["documentos"]
        self.intake.count_identical(kept["documentos"])


@dataclass
class Search:
    """One index behind one door, while it is read.

    Attributes:
        scope: whose documents are read.
        book: where the documents go.
        folder: where the pages land, or have landed already.
        seen: called with the number of documents after each page.

    """

    door: Door
    alias: str
    fields: Fields
    scope: Scope
    size: int
    book: Book
    folder: Folder
    seen: Callable[[int], None]
    reused: int = 0
    _scrolling: bool = field(default=False, init=False)
    _why: str = field(default="", init=False)

    def read(self, window: Window) -> None:
        """Read all documents of a window.

        Raises:
            SourceError: the documents read are not as many as the source counts.

        """
        for part in self._parts(window):
            self._read_part(part)

    def read_by_number(self, numbers: list[str]) -> None:
        """Read documents by their numbers, wherever they are and however often."""
        name = self.fields.exact("codigo_solicitacao")
        request = {
            "size": min(len(numbers) + SPARE, self.size),
            "track_total_hits": True,
            "query": {"bool": {"filter": [{"terms": {name: numbers}}]}},
        }
        page = self._page(request, 0, f"{len(numbers)} open requests", fresh=False)
        if (page.says.total or 0) > page.count and len(numbers) > 1:
            # Numbers that stand in several documents: half as many have room on a page.
            self.folder.files.remove(page.landed)
            middle = len(numbers) // 2
            self.read_by_number(numbers[:middle])
            return self.read_by_number(numbers[middle:])
        self.book.settle(page)
        return self.seen(self.book.received)

    def count(self, window: Window, scope: Scope | None = None) -> int:
        """Return how many documents the source counts in a window, of this scope or another."""
        body = {"query": self._query(window, scope)}

        def once(attempt: int) -> int:
            answer = self.door.ask("POST", f"/{self.alias}/_count", json=body)
            self.door.expect_ok(answer, f"a count in {self.alias}")
            return _count(answer)

        return patiently(self.door, f"{self.alias}, changes of {window}, count", once)

    def _parts(self, window: Window) -> Iterator[Window]:
        halves = window.halves() if self.count(window) > MOST_DOCUMENTS else ()
        if not halves:
            yield window
        for half in halves:
            yield from self._parts(half)

    def _read_part(self, part: Window) -> None:
        received = counted = different = 0
        for reading in range(READINGS):
            if reading:
                self.door.count_retry()
            received, different = self._reading(part, fresh=reading > 0)
            counted = self.count(part)
            # One that comes twice hides another that does not come.
            if received == different == counted:
                return
        twice = f", {different} of them different," if different < received else ""
        came = f"{received} documents came{twice}" if received >= 0 else self._why
        raise SourceError(
            f"{self.alias}, changes of {part}: {came} and the source counts "
            f"{counted} ({READINGS} readings); nothing was loaded.\nRun the same command again; if "
            "it goes on, choose a quieter hour, a shorter window (--since, --until) or smaller "
            "pages (SISREG_PAGE)."
        )

    def _reading(self, part: Window, *, fresh: bool) -> tuple[int, int]:
        """Read a part once and return how many documents came, and how many different ones."""
        pages = self._scrolled(part) if self._scrolling else self._sorted(part, fresh)
        received, documents = 0, list[pa.Array]()
        try:
            for page in pages:
                self.book.settle(page)
                received += page.count
                documents += page.documents.chunks
                self.seen(self.book.received)
        except (UnsortableError, StaysShortError):
            # Documents with the same key at the edge of a page: the next page begins behind both.
            self._scrolling = True
            return self._reading(part, fresh=fresh)
        except IncompleteError as error:
            # A scroll cannot be asked for the same page twice: the whole part is read again.
            self._why = str(error)
            return -1, -1
        return received, distinct(pa.chunked_array(documents, pa.uint64()))

    def _sorted(self, part: Window, fresh: bool) -> Iterator[Page]:
        """Yield the pages of a part by key: the server keeps no state between them."""
        received, after = 0, dict[str, object]()
        while True:
            what = f"changes of {part}"
            page = self._page(self._request(part) | after, received, what, fresh=fresh)
            yield page
            received += page.count
            if page.count < self.size:
                return
            after = {"search_after": page.last_sort}

    def _scrolled(self, part: Window) -> Iterator[Page]:
        """Yield the pages of a part by scroll, for servers that refuse to sort."""
        body: dict[str, object] = {"size": self.size, "query": self._query(part)}
        path, received, scroll = f"/{self.alias}/_search?scroll={SCROLL_LIFE}", 0, ""
        try:
            while True:
                answer = self.door.ask("POST", path, json=body)
                if scroll and answer.status == 404:
                    raise IncompleteError("the scroll was closed before its last page")
                self.door.expect_ok(answer, f"a scroll in {self.alias}")
                self.book.number += 1
                landed = self._land(answer, f"{self.book.number:06d}-rolagem")
                page = self._judge(landed, self.size, received)
                scroll = page.says.scroll
                yield page
                received += page.count
                if page.count < self.size or not scroll:
                    return
                path, body = "/_search/scroll", {"scroll": SCROLL_LIFE, "scroll_id": scroll}
        finally:
            if scroll:
                with suppress(SourceError):
                    self.door.ask("DELETE", "/_search/scroll", json={"scroll_id": [scroll]})

    def _page(self, request: dict[str, Any], received: int, what: str, *, fresh: bool) -> Page:
        """Return one page, from landing if an interrupted load has left it there.

        Args:
            request: body of the search.
            received: documents of the same search that came before.
            what: for messages.
            fresh: whether to ask the source in any case.

        Raises:
            StaysShortError: it stays shorter than its own count.
            SourceError: it stays incomplete.
            UnsortableError: the server refuses the order.

        """
        self.book.number += 1
        name = f"{self.book.number:06d}-{_digest(self.alias, request)}"

        def once(attempt: int) -> Page:
            landed = None if fresh or attempt > 1 else self._left_behind(name)
            if landed is None:
                answer = self.door.ask("POST", f"/{self.alias}/_search", json=request)
                if answer.status == 400 and "sort" in request:
                    raise UnsortableError
                self.door.expect_ok(answer, f"a search in {self.alias}")
                landed = self._land(answer, name)
            # What is damaged on the way is whole the second time; what is damaged there is not.
            return self._judge(landed, request["size"], received, mend=attempt > 1)

        return patiently(self.door, f"{self.alias}, {what}, page {self.book.number}", once)

    def _left_behind(self, name: str) -> Landed | None:
        for path in self.folder.path.glob(f"pagina-{name}.json*"):
            if path.suffix != ".part":
                self.reused += 1
                return self.folder.adopt(path)
        return None

    def _land(self, answer: Answer, name: str) -> Landed:
        # A server behind TLS often does not compress, and a first load may be a hundred gigabytes.
        body = answer.body if answer.is_gzip else pack(answer.body)
        return self.folder.write(f"pagina-{name}.json.gz", body)

    def _judge(self, landed: Landed, size: int, received: int, *, mend: bool = True) -> Page:
        """Read a landed page of at most `size` documents, after the `received` ones before it.

        With `mend`, documents that cannot be read are set apart.

        Raises:
            IncompleteError: it must not be used.
            LayoutError: it is sound JSON, but a nested field has another type.

        """
        try:
            page = self.book.parse(landed, mend=mend)
            page.check(size, received)
        except (*UNREADABLE, IncompleteError) as error:
            self.folder.files.pop()
            if isinstance(error, IncompleteError):
                raise
            raise IncompleteError("the answer is cut off or is not JSON") from None
        return page

    def _order(self) -> list[dict[str, Any]]:
        """Return the order by instant of change; an index may lack one of several names."""
        names = self.fields.changed
        if len(names) == 1:
            return [{names[0]: "asc"}]
        return [{name: {"order": "asc", "unmapped_type": "date"}} for name in names]

    def _query(self, window: Window, scope: Scope | None = None) -> dict[str, object]:
        scope = scope or self.scope
        term = scope.clause(self.fields.exact(scope.field))
        return {"bool": {"filter": [term, window.clause(self.fields.changed)]}}

    def _request(self, window: Window) -> dict[str, Any]:
        return {
            "size": self.size,
            "track_total_hits": True,
            "query": self._query(window),
            "sort": [*self._order(), {self.fields.exact("codigo_solicitacao"): "asc"}],
        }


def distinct(documents: pa.ChunkedArray) -> int:
    """Return how many different documents these are; what has no name is different."""
    named = int(pc.count_distinct(documents, mode="only_valid").as_py())
    return named + int(documents.null_count)


def _learned(intake: Intake) -> list[str]:
    """Return the names of the unknown fields that earlier loads have met."""
    rows = intake.con.execute(
        "select campo from controle.campos_desconhecidos where tabela = $1", [intake.layout.table]
    ).fetchall()
    return [name for (name,) in rows][: MOST_FIELDS // 2]


def _is_too_deep(batch: pa.Table) -> bool:
    """Say whether a text of a batch is JSON with more levels than others would read."""
    for column in batch.columns:
        if pa.types.is_string(column.type):
            long = column.filter(pc.greater(pc.binary_length(column), LONG))
            if any(strict.is_too_deep(text) for text in long.to_pylist()):
                return True
    return False


def patiently(door: Door, what: str, once: Callable[[int], T]) -> T:
    """Call `once` with the number of the attempt until what it returns can be used.

    Raises:
        StaysShortError: the answers stay shorter than their own count.
        SourceError: the answers stay incomplete.

    """
    try:
        for attempt in door.patience.rounds(IncompleteError):
            with attempt:
                if attempt.num > 1:
                    door.count_retry()
                return once(attempt.num)
    except IncompleteError as error:
        kind = StaysShortError if isinstance(error, ShortError) else SourceError
        raise kind(
            f"{what}: {error} ({door.patience.attempts} attempts); nothing was loaded.\n"
            "Try again later; smaller pages (SISREG_PAGE) are easier on the source."
        ) from None
    raise AssertionError("stamina neither returned nor raised")


def read_mapping(door: Door, alias: str) -> Answer:
    """Return the answer to `_mapping`; whether it is a mapping is for `Fields.read` to say.

    Raises:
        SourceError: no JSON came, however often it was asked for.

    """

    def once(attempt: int) -> Answer:
        answer = door.ask("GET", f"/{alias}/_mapping")
        _json(door.expect_ok(answer, f"the fields of {alias}"))
        return answer

    return patiently(door, f"{alias}, fields", once)


def _json(answer: Answer) -> Any:
    try:
        return orjson.loads(answer.plain())
    except (FormatError, orjson.JSONDecodeError):
        raise IncompleteError("the answer is cut off or is not JSON") from None


def _count(answer: Answer) -> int:
    content = _json(answer)
    try:
        count, failed = content["count"], content.get("_shards", {}).get("failed", 0)
    except (TypeError, KeyError, AttributeError):
        raise IncompleteError("the answer is no count") from None
    if failed or not isinstance(count, int):
        raise IncompleteError("a part of the index failed")
    return count


def _digest(alias: str, request: dict[str, Any]) -> str:
    text = orjson.dumps([alias, request], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:16]


def mapping_file(folder: Path) -> Path:
    """Return where the mapping of a load lies."""
    return folder / "mapeamento.json"
