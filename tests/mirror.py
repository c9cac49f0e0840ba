"""A tiny search mirror with documents of a test's own choosing, over real HTTP.

The simulator serves whole cities; here a test decides each document and may spoil answers on their
way out. Only what the loader asks is understood: `_mapping`, `_count` and `_search`, by a window
with a sort and `search_after` or by numbers.
"""

from __future__ import annotations

import base64
import gzip
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from conftest import PROJECT
from mapa.load.archives import GZIP

INDICES = ("solicitacao-ambulatorial", "marcacao-ambulatorial", "solicitacao-hospitalar")
SAMPLES = {
    name: json.loads((PROJECT / "tests" / "fixtures" / "load" / f"{name}.json").read_text())
    for name in INDICES
}
USER, PASSWORD = "conta", "segredo-da-conta"
Spoil = Callable[[dict[str, Any]], Any]


def document(number: int, index: str = INDICES[0], **changes: Any) -> dict[str, Any]:
    """Return a synthetic document with its own number and instant of change."""
    instant = f"2026-04-{1 + number % 28:02d}T{number % 24:02d}:00:00.000Z"
    code = 900_000_000 + number
    same = {
        "codigo_solicitacao": code if index == INDICES[2] else str(code),
        "data_atualizacao": instant,
    }
    return {**SAMPLES[index], **same, **changes}


@dataclass
class Mirror:
    """What the server holds and how it answers.

    Attributes:
        documents: index name without suffix to its documents.
        now: the source's clock, as an instant.
        said: what it says of the time instead; empty: nothing.
        dropped: fields that the mapping does not show.
        kinds: definitions that the mapping shows instead of those of the documents.
        older: those of a second index behind the alias, where they differ.
        spoil: changes the answers to `_search` one after the other; None leaves one as it is.
            It may return bytes, sent as they are (compressed unless they are), or a number, sent
            as a bare status.
        bodies: searches seen.
        uncounted: documents that `_count` counts and no search shows.

    """

    documents: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    now: datetime = datetime(2026, 7, 1, 3, 5, tzinfo=UTC)
    said: str | None = None
    dropped: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    kinds: dict[str, dict[str, Any]] = field(default_factory=dict)
    older: dict[str, dict[str, Any]] = field(default_factory=dict)
    spoil: list[Spoil | None] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    uncounted: int = 0
    url: str = ""

    def mapping(self, index: str) -> dict[str, Any]:
        """Return the fields of all documents, as dynamic mapping would."""
        properties: dict[str, Any] = {}
        for document in self.documents[index]:
            for name, value in document.items():
                if name not in self.hidden:
                    properties.setdefault(name, _property(index, name, value))
        properties |= self.kinds
        kept = {name: body for name, body in properties.items() if name not in self.dropped}
        found = {f"{index}-v3": {"mappings": {"properties": kept}}}
        if self.older:
            found |= {f"{index}-v2": {"mappings": {"properties": {**kept, **self.older}}}}
        return found

    def found(self, index: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the documents that a query selects, in order."""
        names = _sorted_by(body)
        chosen = [d for d in self.documents[index] if _fits(body["query"], d)]
        return sorted(chosen, key=lambda document: _keys(document, names))

    def counted(self, body: dict[str, Any]) -> Callable[[str], dict[str, Any]]:
        """Return what answers a count of the documents that a query selects."""
        return lambda index: {"count": len(self.found(index, body)) + self.uncounted}

    def search(self, index: str, body: dict[str, Any]) -> Any:
        """Answer a search of the loader; by a field that no document has, nothing is sorted."""
        names, found = _sorted_by(body), self.found(index, body)
        everywhere = {name for document in self.documents[index] for name in document}
        if any(name.removesuffix(".keyword") not in everywhere for name in names):
            return 400
        places = {id(d): str(n) for n, d in enumerate(self.documents[index])}
        rest = [d for d in found if list(_keys(d, names)) > body.get("search_after", [])]
        return {
            "took": 1,
            "timed_out": False,
            "_shards": {"total": 5, "successful": 5, "skipped": 0, "failed": 0},
            "hits": {
                "total": {"value": len(found), "relation": "eq"},
                "max_score": None,
                "hits": [
                    {
                        "_index": index,
                        "_id": places[id(d)],
                        "_source": d,
                        "sort": list(_keys(d, names)),
                    }
                    for d in rest[: body["size"]]
                ],
            },
        }


def _property(index: str, name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        inner = {key: {"type": "text"} for entry in value for key in entry}
        return {"type": "nested", "properties": inner}
    if name.startswith(("data_", "dt_")):
        return {"type": "date"}
    if index == "solicitacao-hospitalar" and isinstance(value, str):
        return {"type": "text", "fields": {"keyword": {"type": "keyword"}}}
    return {"type": "long" if isinstance(value, int) else "keyword"}


def _sorted_by(body: dict[str, Any]) -> list[str]:
    """Return the fields by which a search is sorted; one by number is by the number."""
    return [next(iter(key)) for key in body.get("sort", [{"codigo_solicitacao": "asc"}])]


def _keys(document: dict[str, Any], names: list[str]) -> tuple[int | str, ...]:
    """Return the values by which a search sorts a document."""
    return tuple(
        str(document["codigo_solicitacao"])
        if name.startswith("codigo_solicitacao")
        else _millis(document.get(name))
        for name in names
    )


def _millis(text: str | None) -> int:
    return 2**63 - 1 if text is None else int(datetime.fromisoformat(text).timestamp() * 1000)


def _fits(clause: dict[str, Any], document: dict[str, Any]) -> bool:
    """Say whether a document matches a clause of a query."""
    ((kind, body),) = clause.items()
    if kind == "bool":
        assert body.keys() <= {"filter", "must_not", "should"}
        return (
            all(_fits(part, document) for part in body.get("filter", []))
            and not any(_fits(part, document) for part in body.get("must_not", []))
            and any(_fits(part, document) for part in body.get("should", [{"match_all": {}}]))
        )
    if kind == "match_all":
        return True
    ((name, wanted),) = body.items()
    value = document.get(name.removesuffix(".keyword"))
    if kind == "range":
        return value is not None and all(
            {"gte": value >= bound, "lt": value < bound}[how] for how, bound in wanted.items()
        )
    return str(value) in [str(one) for one in (wanted if kind == "terms" else [wanted])]


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Stay silent when a client leaves before its answer."""


@contextmanager
def mirroring(mirror: Mirror, tls: ssl.SSLContext | None = None) -> Iterator[Mirror]:
    """Serve a mirror until the block ends.

    Its clock stands still on a day of its own; `conftest.py` lets clocks differ for that.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(mirror.mapping)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if self.path.endswith("/_count"):
                return self._answer(mirror.counted(body))
            mirror.bodies.append(body)
            spoil = mirror.spoil.pop(0) if mirror.spoil else None

            def respond(index: str) -> Any:
                content = mirror.search(index, body)
                return spoil(content) if spoil else content

            return self._answer(respond)

        def _answer(self, respond: Callable[[str], Any]) -> None:
            expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            if self.headers.get("authorization") != f"Basic {expected}":
                return self._send(401, b"{}")
            index = self.path.split("/")[1].removesuffix("-df-brasilia")
            if index not in mirror.documents:
                return self._send(404, b"{}")
            content = respond(index)
            if isinstance(content, int):
                return self._send(content, b"{}")
            if isinstance(content, bytes):
                return self._send(200, content)
            return self._send(200, json.dumps(content, ensure_ascii=False).encode())

        def _send(self, status: int, body: bytes) -> None:
            # No byte at all stays none, which is not even an empty gzip stream.
            is_plain = status == 200 and body and not body.startswith(GZIP)
            packed = gzip.compress(body, 1) if is_plain else body
            self.send_response_only(status)
            said = format_datetime(mirror.now, usegmt=True) if mirror.said is None else mirror.said
            if said:
                self.send_header("Date", said)
            if status == 200:
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(packed)))
            self.end_headers()
            self.wfile.write(packed)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = _Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    scheme = "https" if tls else "http"
    mirror.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    try:
        yield mirror
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
