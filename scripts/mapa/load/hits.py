"""A landed answer to a search, taken apart: the envelope for Python, the hits for DuckDB.

DuckDB parses a list of documents at less than half the cost of one object that holds the list. So
the list is cut out of the answer, unread: what stands before and after it must be whole JSON around
an empty list, and the list itself must be whole JSON for DuckDB, else the answer is damaged. A cut
in the wrong place cannot pass both.
"""

from __future__ import annotations

import mmap
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson

from mapa import landing, sealing
from mapa.landing import disk
from mapa.load import strict
from mapa.packing import DamagedError, is_gzip, pieces

LIST = re.compile(rb'"hits"\s*:\s*\[')
HEAD = 2**16
"""Where the list begins at the latest."""
SUSPECT = strict.NO_NAME
MOST_BYTES = 2**24 - 2**10
"""What DuckDB takes for one hit."""
TRIES = 100
"""Brackets that may be closed behind the list."""


@dataclass(frozen=True)
class Envelope:
    """What an answer says about itself; no `total` when it has not counted its hits exactly."""

    timed_out: bool
    failed_shards: int
    total: int | None
    scroll: str

    @property
    def is_whole(self) -> bool:
        """Whether all shards answered in time."""
        return not self.timed_out and self.failed_shards == 0

    @classmethod
    def of(cls, content: dict[str, Any]) -> Envelope:
        """Read it from an answer.

        Raises:
            DamagedError: it does not look like one.

        """
        try:
            total, shards = content["hits"].get("total"), content.get("_shards") or {}
            exact = isinstance(total, dict) and total.get("relation") == "eq"
            return cls(
                timed_out=content.get("timed_out") is not False,
                failed_shards=shards.get("failed") or 0,
                total=total["value"] if exact and isinstance(total["value"], int) else None,
                scroll=content.get("_scroll_id") or "",
            )
        except (AttributeError, KeyError, TypeError):
            raise DamagedError from None


@dataclass(frozen=True)
class Hits:
    """The hits of an answer as a file, and what the answer says besides."""

    envelope: Envelope
    file: str
    _file: IO[bytes]

    @property
    def is_suspect(self) -> bool:
        """Whether a document may hold a field without a name, which DuckDB reads without a word."""
        with mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) as body:
            return any(body.find(sign) >= 0 for sign in SUSPECT)

    def mend(self, key: str) -> dict[int, str]:
        """Put hits without a document in the place of those that cannot be read.

        Args:
            key: field that is kept of such a document if it can be told.

        Returns:
            Their places in the list, from 1, and why they cannot be read. None when all can be.

        Raises:
            DamagedError: the list is no list of documents.

        """
        self._file.seek(0)
        try:
            apart = strict.take_apart(self._file.read(), ())
        except strict.BadError:
            raise DamagedError from None
        if apart.text[apart.end + 1 :].strip():
            raise DamagedError
        wrong, elements = dict[int, str](), apart.elements()
        for place, element in enumerate(elements):
            try:
                if len(element) > MOST_BYTES:
                    raise strict.BadError("documento grande demais")
                strict.read(element, exact=True)
            except strict.BadError as error:
                wrong[place + 1] = str(error)
                elements[place] = _emptied(element, key)
        if wrong:
            self._file.seek(0)
            self._file.truncate()
            self._file.write(b"[" + b",".join(elements) + b"]")
        return wrong


@contextmanager
def opened(page: Path) -> Iterator[Hits]:
    """Take a landed page apart; the file of its hits exists as long as the block.

    Raises:
        DamagedError: it is no whole answer to a search.

    """
    with _passing(page) as (file, name):
        body = landing.read(page)
        for piece in pieces(body) if is_gzip(body) else (body,):
            file.write(piece)
        del body
        yield Hits(isolate(file), name, file)


def _emptied(hit: bytes, key: str) -> bytes:
    """Return a hit with nothing but the key of its document, and where the next page begins."""
    kept = []
    values = set(re.findall(rb'"%s"\s*:\s*("\w*"|[0-9]+)' % key.encode(), hit))
    if len(values) == 1 and (value := values.pop()).isascii():
        kept.append(b'"_source":{"%s":%s}' % (key.encode(), value))
    with suppress(strict.BadError):
        apart = strict.take_apart(hit, ("sort",))
        order = b"[" + hit[apart.start : apart.end] + b"]"
        strict.read(order, exact=True)
        kept.append(b'"sort":' + order)
    return b"{" + b",".join(kept) + b"}"


def isolate(file: IO[bytes]) -> Envelope:
    """Leave of a file that holds an answer nothing but the list of its hits, after blanks.

    Raises:
        DamagedError: there is no list, or no whole JSON around it.

    """
    if not os.fstat(file.fileno()).st_size:
        raise DamagedError
    with mmap.mmap(file.fileno(), 0) as body:
        envelope, start, end = _cut(body)
        body[:start] = b" " * start
    os.ftruncate(file.fileno(), end)
    return envelope


def _cut(body: mmap.mmap) -> tuple[Envelope, int, int]:
    """Return the envelope of an answer and where the list of its hits begins and ends."""
    found = LIST.search(body, 0, HEAD)
    if not found:
        raise DamagedError
    start, end = found.end() - 1, len(body)
    for _ in range(TRIES):
        end = body.rfind(b"]", start, end)
        if end < 0:
            break
        try:
            content = orjson.loads(body[:start] + b"[]" + body[end + 1 :])
        except orjson.JSONDecodeError:
            continue
        return Envelope.of(content), start, end + 1
    raise DamagedError


@contextmanager
def _passing(page: Path) -> Iterator[tuple[IO[bytes], str]]:
    """Yield a new file and its name; it never is on a disk where the system can, or must not.

    What lies sealed must not; a page that lies there as it came tells no less than its hits.
    """
    if hasattr(os, "memfd_create") or sealing.is_sealed(page):
        with sealing.in_memory() as (memory, path):
            yield memory, str(path)
    else:
        with (
            disk(page.parent),
            tempfile.NamedTemporaryFile(dir=page.parent, suffix=".part", buffering=0) as file,
        ):
            yield file.file, file.name
