"""What a busy source does to its answers: cut, refused, late, partial, miscounted.

`Faults` is an ASGI middleware in front of the search API. Which answer suffers what is drawn from a
seed, so a run can be repeated. At most `MOST_IN_A_ROW` answers in a row are spoilt, so that a
client that asks again a few times gets through; in permanent mode the first fault never heals.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_IN_A_ROW = 2
TOUCHED = ("_search", "_search/scroll", "_count", "_mapping")

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What goes wrong and how often.

    Attributes:
        classes: names of `CLASSES`.
        rate: share of the answers that are spoilt, 0 to 1.
        seed: which answers they are.
        permanent: whether the first fault stays for ever.
        pause: seconds that a slow answer takes.
        retry_after: what a 429 asks for, in seconds.
        refuses_sort: whether a search that asks for an order is answered with 400.

    """

    classes: tuple[str, ...] = ()
    rate: float = 0.2
    seed: int = 1
    permanent: bool = False
    pause: float = 5.0
    retry_after: int = 1
    refuses_sort: bool = False


@dataclass
class Reply:
    """An answer that was held back: the opening message and the whole body as on the wire."""

    start: Message
    body: bytes

    @property
    def headers(self) -> MutableHeaders:
        """The headers, to be changed in place."""
        return MutableHeaders(scope=self.start)

    @property
    def is_gzip(self) -> bool:
        """Whether the body is compressed."""
        return self.headers.get("content-encoding") == "gzip"

    def plain(self) -> bytes:
        """Return the body as the application wrote it."""
        return gzip.decompress(self.body) if self.is_gzip else self.body

    def pack(self, content: bytes) -> None:
        """Replace the body, compressed as before."""
        self.body = gzip.compress(content, 1) if self.is_gzip else content

    def replace(self, status: int, content: bytes, **headers: str) -> None:
        """Replace the whole answer by an uncompressed one."""
        self.start["status"], self.body = status, content
        del self.headers["content-encoding"]
        for name, value in headers.items():
            self.headers[name.replace("_", "-")] = value

    async def send(self, send: Send) -> None:
        """Send it with a length that is true."""
        self.headers["content-length"] = str(len(self.body))
        await send(self.start)
        await send({"type": "http.response.body", "body": self.body})


class ConnectionDropped(Exception):  # noqa: N818 - nothing went wrong: it is meant
    """Makes the server close the connection in the middle of a body."""


class Weather:
    """The plan in force and what has been drawn from it; a plan may follow another."""

    def __init__(self, plan: Plan) -> None:
        """Begin with a plan."""
        self.follow(plan)

    def follow(self, plan: Plan) -> None:
        """Begin anew with a plan."""
        self.plan = plan
        self._random = random.Random(plan.seed)  # noqa: S311 - repeatable on purpose
        self._in_a_row = 0
        self._stuck = ""

    def draw(self) -> str:
        """Return what happens to the next answer; nothing is empty."""
        if self._stuck:
            return self._stuck
        rested = self._in_a_row < MOST_IN_A_ROW
        if not self.plan.classes or not rested or self._random.random() >= self.plan.rate:
            self._in_a_row = 0
            return ""
        self._in_a_row += 1
        fault = self._random.choice(self.plan.classes)
        self._stuck = fault if self.plan.permanent else ""
        return fault


class Faults:
    """Spoils some answers of the search API."""

    def __init__(self, app: ASGIApp, weather: Weather) -> None:
        """Keep the application and what decides."""
        self.app = app
        self.weather = weather

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and perhaps spoil what comes back."""
        touched = scope["type"] == "http" and scope["path"].endswith(TOUCHED)
        fault = self.weather.draw() if touched else ""
        if not fault:
            await self.app(scope, receive, send)
            return
        reply = await self._hold(scope, receive)
        if reply.start["status"] != 200:
            await reply.send(send)
        elif fault == "slow":
            await asyncio.sleep(self.weather.plan.pause)
            await reply.send(send)
        elif fault == "dropped":
            await _drop(reply, send)
        else:
            SPOILERS[fault](reply, self.weather.plan)
            await reply.send(send)

    async def _hold(self, scope: Scope, receive: Receive) -> Reply:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive, keep)
        body = b"".join(message.get("body", b"") for message in messages[1:])
        return Reply(messages[0], body)


async def _drop(reply: Reply, send: Send) -> None:
    reply.headers["content-length"] = str(len(reply.body))
    await send(reply.start)
    half = reply.body[: len(reply.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})
    raise ConnectionDropped


def _rewritten(change: Callable[[JsonObject], None]) -> Callable[[Reply, Plan], None]:
    """Return a fault that changes the JSON of an answer."""

    def spoil(reply: Reply, plan: Plan) -> None:
        content = json.loads(reply.plain())
        change(content)
        reply.pack(json.dumps(content).encode())

    return spoil


def _timed_out(content: JsonObject) -> None:
    if "hits" in content:
        content["timed_out"] = True
        content["hits"]["hits"] = content["hits"]["hits"][::2]


def _failed_shards(content: JsonObject) -> None:
    if "_shards" in content:
        content["_shards"] = {"total": 5, "successful": 4, "skipped": 0, "failed": 1}
    if "hits" in content:
        content["hits"]["hits"] = content["hits"]["hits"][::2]
    if "count" in content:
        content["count"] //= 2


def _empty_page(content: JsonObject) -> None:
    if "hits" in content:
        content["hits"]["hits"] = []


def _wrong_total(content: JsonObject) -> None:
    """Miscount by a few, now more, now fewer, as a source does that is being written to."""
    if "count" in content:
        content["count"] += 3
    elif "total" in content.get("hits", {}):
        total = content["hits"]["total"]
        total["value"] = max(0, total["value"] + (7 if total["value"] % 2 else -7))


def _cut_json(reply: Reply, plan: Plan) -> None:
    content = reply.plain()
    reply.pack(content[: len(content) * 2 // 3])


def _cut_gzip(reply: Reply, plan: Plan) -> None:
    if not reply.is_gzip:
        reply.body = gzip.compress(reply.body, 1)
        reply.headers["content-encoding"] = "gzip"
    reply.body = reply.body[: len(reply.body) * 2 // 3]


def _not_json(reply: Reply, plan: Plan) -> None:
    page = b"<html><head><title>Erro</title></head><body>Tente mais tarde.</body></html>"
    reply.replace(200, page, content_type="text/html")


def _too_many(reply: Reply, plan: Plan) -> None:
    reply.replace(429, b"{}", retry_after=str(plan.retry_after))


def _unavailable(reply: Reply, plan: Plan) -> None:
    reply.replace(503, b"<html><body>Service Unavailable</body></html>", content_type="text/html")


SPOILERS: dict[str, Callable[[Reply, Plan], None]] = {
    "timed-out": _rewritten(_timed_out),
    "failed-shards": _rewritten(_failed_shards),
    "cut-json": _cut_json,
    "not-json": _not_json,
    "too-many": _too_many,
    "unavailable": _unavailable,
    "wrong-total": _rewritten(_wrong_total),
    "cut-gzip": _cut_gzip,
    "empty-page": _rewritten(_empty_page),
}
CLASSES = (*SPOILERS, "dropped", "slow")
"""What can happen to an answer, by the name used in `mapa simulate --faults`."""


class NoSort:
    """Refuses every search that asks for an order, as locked-down mirrors do."""

    def __init__(self, app: ASGIApp, weather: Weather) -> None:
        """Keep the application and what decides."""
        self.app = app
        self.weather = weather

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 400 to a search with `sort`; pass everything else on."""
        searched = scope["type"] == "http" and scope["path"].endswith("/_search")
        if not searched or not self.weather.plan.refuses_sort:
            await self.app(scope, receive, send)
            return
        first = [await receive()]
        if b'"sort"' not in first[0].get("body", b""):

            async def again() -> Message:
                return first.pop() if first else await receive()

            await self.app(scope, again, send)
            return
        reason = json.dumps({"error": {"type": "illegal_argument_exception"}, "status": 400})
        start: Message = {
            "type": "http.response.start",
            "status": 400,
            "headers": [(b"content-type", b"application/json")],
        }
        await Reply(start, reason.encode()).send(send)
