"""One index as large as wished, ground from the documents of a small city, behind a real door.

Millions of documents need not be kept: document `i` is one of the small city's with a number and an
instant of change of its own, one second after the document before it. Numbers are scattered, as
changes come in any order; all else about a page (fields, nesting, defects) is what the simulator
makes. The door answers what the loader asks: the mapping, counts of windows, and sorted pages; and
what the official client asks when it scrolls.
"""

from __future__ import annotations

import math
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mapa.load.window import false_z
from mapa.packing import is_gzip, unpack
from mapa_city import city
from mapa_city.doors import documents
from mapa_city.doors.search_engine import SHARDS, Engine, Search
from mapa_city.doors.search_query import Predicate
from mapa_city.doors.server import HOST, listen

BEGIN = datetime(2024, 1, 1)
FIRST_NUMBER = 100_000_000
MOST = 20_000_000
"""Documents of a mill at most: numbers keep nine digits and instants lie in the past."""
KINDS = 10_000
"""Different documents that a mill grinds from."""
STEP = 7_919
"""How far apart the numbers of neighbours are, unless the size is a multiple of it."""
OFFICIAL = {"x-elastic-product": "Elasticsearch"}
"""Without this header the official client does not talk to a server."""
MILLISECONDS = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Grist:
    """One document as bytes: what stands before, between and after its number and its instant."""

    parts: tuple[bytes, bytes, bytes]
    number_first: bool

    @classmethod
    def of(cls, document: dict[str, Any]) -> Grist:
        """Cut a document."""
        number, moment = "\x01number\x01", "\x01moment\x01"
        marked = document | {"codigo_solicitacao": number, "data_atualizacao": moment}
        text = orjson.dumps(marked)
        ends = [(text.index(mark), mark) for mark in map(orjson.dumps, (number, moment))]
        (first, a), (second, b) = sorted(ends)
        parts = (text[:first], text[first + len(a) : second], text[second + len(b) :])
        return cls(parts, a == orjson.dumps(number))

    def ground(self, number: str, moment: str) -> bytes:
        """Return the document with this number and this instant."""
        a, b = (number, moment) if self.number_first else (moment, number)
        before, between, after = self.parts
        return b'%b"%b"%b"%b"%b' % (before, a.encode(), between, b.encode(), after)


class Scroll(NamedTuple):
    """What a scroll has still to give: documents by position, and how many at once."""

    start: int
    end: int
    size: int

    def rest(self) -> Scroll:
        """Return what is left after one answer."""
        return self._replace(start=min(self.start + self.size, self.end))

    def name(self) -> str:
        """Return the name by which the rest is asked for: a server without a memory."""
        return "-".join(map(str, self))

    @classmethod
    def named(cls, name: str) -> Scroll:
        """Read a name."""
        return cls(*map(int, name.split("-")))


class Mill:
    """The documents of one index, by position in the order of change."""

    def __init__(self, count: int, mapping: bytes, grists: list[Grist]) -> None:
        """Prepare `count` documents; none is made yet."""
        self.count, self.mapping, self.grists = count, mapping, grists
        self.step = STEP if math.gcd(STEP, count) == 1 else 1

    @classmethod
    def build(cls, index: str, count: int) -> Mill:
        """Simulate a small city and take the documents of one of its indices."""
        made = city.build(10_000, 400, 1, date(2026, 6, 30))
        with tempfile.TemporaryDirectory(prefix="mapa-mill-") as folder:
            store = Path(folder) / "city.duckdb"
            documents.build(made, store)
            engine = Engine(store)
            chosen = next(i for i in engine.indices if i.alias == index)
            body = engine.search(
                Search(chosen, Predicate.all_of([]), (), KINDS, 0, None, False, tuple(chosen.kinds))
            )
            engine.close()
        hits = orjson.loads(body)["hits"]["hits"]
        grists = [Grist.of(hit["_source"]) for hit in hits]
        return cls(count, orjson.dumps(chosen.mapping()), grists)

    def position(self, moment: str) -> int:
        """Return how many documents changed before an instant written with the false `Z`."""
        passed = datetime.fromisoformat(moment.removesuffix("Z")) - BEGIN
        return min(max(math.ceil(passed / timedelta(seconds=1)), 0), self.count)

    def bounds(self, query: dict[str, Any]) -> tuple[int, int]:
        """Return the positions of the first document of a window and of the first after it."""
        clause = query["bool"]["filter"][1]
        if "bool" in clause:
            outside = clause["bool"]["must_not"][0]["range"]["data_atualizacao"]
            return 0, self.position(outside["gte"])
        window = clause["range"]["data_atualizacao"]
        return self.position(window["gte"]), self.position(window["lt"])

    def page(self, request: dict[str, Any]) -> bytes:
        """Return the answer to a search of the loader."""
        first, end = self.bounds(request["query"])
        start = first
        if after := request.get("search_after"):
            moment = BEGIN + timedelta(milliseconds=after[0] - _epoch(BEGIN))
            start = self.position(false_z(moment)) + 1
        return self._answer(start, end, request["size"], end - first)

    def scrolled(self, scroll: Scroll) -> bytes:
        """Return one answer of a scroll."""
        return self._answer(*scroll, scroll.end, scroll.rest().name())

    def _answer(self, start: int, end: int, size: int, total: int, scroll: str = "") -> bytes:
        hits = b",".join(self._hit(i) for i in range(start, min(start + size, end)))
        shards = orjson.dumps(SHARDS)
        begin = b'"_scroll_id":"%b",' % scroll.encode() if scroll else b""
        return (
            b'{%b"took":1,"timed_out":false,"_shards":%b,"hits":{"total":{"value":%d,'
            b'"relation":"eq"},"max_score":null,"hits":[%b]}}' % (begin, shards, total, hits)
        )

    def _hit(self, i: int) -> bytes:
        number = str(FIRST_NUMBER + i * self.step % self.count)
        moment = BEGIN + timedelta(seconds=i)
        document = self.grists[i % len(self.grists)].ground(number, false_z(moment))
        return b'{"_index":"mill","_type":"_doc","_id":"%b","_score":null,"_source":%b,' % (
            number.encode(), document,
        ) + b'"sort":[%d,"%b"]}' % (_epoch(moment), number.encode())  # fmt: skip


def _epoch(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1)) // MILLISECONDS


def application(mill: Mill) -> Starlette:
    """Return the application that answers the loader."""
    headers = {"date": format_datetime(datetime.now(UTC), usegmt=True), **OFFICIAL}

    def answer(body: bytes) -> Response:
        return Response(body, media_type="application/json", headers=headers)

    async def mapping(_: Request) -> Response:
        return answer(mill.mapping)

    async def count(request: Request) -> Response:
        first, end = mill.bounds((await _asked(request))["query"])
        return answer(orjson.dumps({"count": end - first, "_shards": SHARDS}))

    async def search(request: Request) -> Response:
        asked = await _asked(request)
        if "scroll" not in request.query_params:
            return answer(mill.page(asked))
        size = int(request.query_params.get("size") or asked["size"])
        return answer(mill.scrolled(Scroll(*mill.bounds(asked["query"]), size)))

    async def scroll(request: Request) -> Response:
        asked = await _asked(request)
        if request.method == "DELETE":
            return answer(orjson.dumps({"succeeded": True, "num_freed": 1}))
        return answer(mill.scrolled(Scroll.named(asked["scroll_id"])))

    return Starlette(
        routes=[
            Route("/_search/scroll", scroll, methods=["POST", "DELETE"]),
            Route("/{alias}/_mapping", mapping),
            Route("/{alias}/_count", count, methods=["POST"]),
            Route("/{alias}/_search", search, methods=["POST"]),
        ],
        middleware=[Middleware(GZipMiddleware, minimum_size=1000, compresslevel=1)],
    )


async def _asked(request: Request) -> dict[str, Any]:
    """Return the body of a request, which the official client compresses."""
    body = await request.body()
    if is_gzip(body):
        body = unpack(body)
    asked: dict[str, Any] = orjson.loads(body)
    return asked


@contextmanager
def grinding(index: str, count: int) -> Iterator[str]:
    """Serve a mill from a process of its own, so that its work is not counted; yield its URL."""
    mill = Mill.build(index, count)
    with listen(0) as sock:
        url = f"http://{HOST}:{sock.getsockname()[1]}"
        process = get_context("fork").Process(target=_serve, args=(mill, sock), daemon=True)
        process.start()
        try:
            yield url
        finally:
            process.terminate()
            process.join()


def _serve(mill: Mill, sock: socket.socket) -> None:
    config = uvicorn.Config(
        application(mill), log_level="warning", access_log=False, date_header=False
    )
    uvicorn.Server(config).run(sockets=[sock])
