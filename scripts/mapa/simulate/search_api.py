"""The SISREG search API: what a reader meets of an Elasticsearch 7 mirror, over the document store.

A page is rendered by DuckDB as one piece of JSON text; Python only puts the envelope around it.
Like the real mirror it stores instants of the local clock and shows them with a `Z` that is false.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mapa.simulate.search_mapping import DATE, Index, ambulatory_kind, hospital_kind
from mapa.simulate.search_query import (
    WINDOW,
    Predicate,
    QueryError,
    SortKey,
    after,
    compile_query,
    compile_sort,
)

SHARDS = {"total": 5, "successful": 5, "skipped": 0, "failed": 0}
REALM = 'Basic realm="security"'
VERSION = "7.17.9"
MAX_SCROLLS = 100
COUNTED_BY_DEFAULT = 10_000

# Left out of a document, rather than shown as null, when there is nothing to show.
_OPTIONAL = ("laudo", "procedimentos", "canal_entrada")


# Mistakes that only the shards notice come wrapped as a failure of all of them.
_FOUND_BY_SHARDS = {"illegal_argument_exception", "query_shard_exception"}


class ApiError(Exception):
    """An answer in the shape of an Elasticsearch error."""

    def __init__(self, status: int, kind: str, reason: str, **details: str) -> None:
        """Keep status, exception type, reason and further fields of the root cause."""
        super().__init__(reason)
        self.status = status
        self.cause = {"type": kind, "reason": reason, **details}
        self.failed_index = ""

    def response(self) -> JSONResponse:
        """Return the answer."""
        error: dict[str, Any] = {"root_cause": [self.cause], **self.cause}
        if self.failed_index:
            shard = {"shard": 0, "index": self.failed_index, "reason": self.cause}
            error = {"root_cause": [self.cause], "type": "search_phase_execution_exception"}
            error |= {"reason": "all shards failed", "phase": "query", "grouped": True}
            error |= {"failed_shards": [shard], "caused_by": self.cause}
        return JSONResponse({"error": error, "status": self.status}, self.status)


@dataclass(frozen=True)
class Search:
    """A search as understood: which documents, in which order, which part, how shown."""

    index: Index
    condition: Predicate
    keys: tuple[SortKey, ...]
    size: int
    offset: int
    after: Predicate | None
    counted: bool | int
    fields: tuple[str, ...] | None


@dataclass
class Scroll:
    """An open scroll: the documents as they stood when it was opened, and how far it was read."""

    search: Search
    documents: Any
    total: dict[str, Any] | None
    position: int = 0


class Engine:
    """Answers searches from a document store; safe to use from several threads."""

    def __init__(self, store: Path) -> None:
        """Open the store for reading."""
        self._con = duckdb.connect(str(store), read_only=True)
        self._counts: dict[tuple[Any, ...], int] = {}
        self._scrolls: OrderedDict[str, Scroll] = OrderedDict()
        self._lock = threading.Lock()
        self.indices = tuple(
            self._index(*names)
            for names in (
                ("solicitacao-ambulatorial", "solicitacao-ambulatorial", "solicitacao"),
                ("marcacao-ambulatorial", "marcacao-ambulatorial", "marcacao"),
                ("solicitacao-hospitalar", "solicitacao-hospitalar-v3", "hospitalar"),
            )
        )

    def close(self) -> None:
        """Close the store."""
        self._con.close()

    def count(self, index: Index, condition: Predicate) -> int:
        """Count matching documents; the store never changes, so each answer is kept."""
        key = (index.table, condition.sql, repr(condition.values))
        if key not in self._counts:
            row = self._cursor().execute(
                f"select count(*) from {index.table} where {condition.sql}", condition.values
            ).fetchone()
            self._counts[key] = int(row[0]) if row else 0
        return self._counts[key]

    def search(self, search: Search) -> bytes:
        """Return the body of the answer to a search."""
        started = time.monotonic()
        hits = self._render(search, self._documents(search, search.size, search.offset))
        return _envelope(started, self._total(search), hits, scored=not search.keys)

    def open_scroll(self, search: Search) -> bytes:
        """Open a scroll and return the answer with its first page."""
        started = time.monotonic()
        scroll = Scroll(search, self._documents(search, None, 0), self._total(search))
        identifier = base64.urlsafe_b64encode(secrets.token_bytes(48)).decode()
        with self._lock:
            self._scrolls[identifier] = scroll
            while len(self._scrolls) > MAX_SCROLLS:
                self._scrolls.popitem(last=False)
        return self._next(started, identifier, scroll)

    def continue_scroll(self, identifier: str) -> bytes:
        """Return the answer with the next page of a scroll.

        Raises:
            ApiError: the scroll was closed or never open.

        """
        started = time.monotonic()
        with self._lock:
            scroll = self._scrolls.get(identifier)
        if scroll is None:
            raise ApiError(
                404,
                "search_context_missing_exception",
                f"No search context found for id [{len(self._scrolls) + 1}]",
            )
        return self._next(started, identifier, scroll)

    def close_scrolls(self, identifiers: list[str] | None) -> int:
        """Close the given scrolls, or all of them, and say how many were open."""
        with self._lock:
            names = list(self._scrolls) if identifiers is None else identifiers
            return sum(self._scrolls.pop(name, None) is not None for name in names)

    def _next(self, started: float, identifier: str, scroll: Scroll) -> bytes:
        with self._lock:
            start = scroll.position
            scroll.position += scroll.search.size
            page = scroll.documents[start : scroll.position]
        hits = self._render(scroll.search, page)
        scored = not scroll.search.keys
        return _envelope(started, scroll.total, hits, scored=scored, scroll=identifier)

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        return self._con.cursor()

    def _index(self, alias: str, physical: str, table: str) -> Index:
        columns = {
            name: kind
            for name, kind, *_ in self._cursor().execute(f"describe {table}").fetchall()
            if not name.startswith("_")
        }
        if table == "hospitalar":
            kinds = {name: hospital_kind(name) for name in columns}
        else:
            marcacao = table == "marcacao"
            kinds = {name: ambulatory_kind(name, marcacao=marcacao) for name in columns}
        mixed = frozenset(name for name, kind in columns.items() if kind == "JSON")
        return Index(alias, physical, table, kinds, mixed)

    def _documents(self, search: Search, limit: int | None, offset: int) -> Any:
        """Return the numbers of the matching documents in order."""
        condition = search.condition
        if search.after is not None:
            condition = Predicate.all_of([condition, search.after])
        order = ", ".join([*(key.order for key in search.keys), "_doc"])
        bounds = "" if limit is None else f"limit {limit:d} offset {offset:d}"
        query = (
            f"select _doc from {search.index.table} where {condition.sql} order by {order} {bounds}"
        )
        return self._cursor().execute(query, condition.values).fetchnumpy()["_doc"]

    def _render(self, search: Search, documents: Any) -> bytes:
        """Render the hits of a page as JSON text without the enclosing brackets."""
        if not len(documents):
            return b""
        cursor = self._cursor()
        page = pa.table({"number": np.arange(len(documents)), "document": documents})
        cursor.register("page", page)
        try:
            row = cursor.execute(
                f"""
                select encode(string_agg({_hit(search)}, ',' order by p.number))
                from {search.index.table} as d
                inner join page as p on d._doc = p.document
                where d._doc between ? and ?
                """,
                [int(documents.min()), int(documents.max())],
            ).fetchone()
        finally:
            cursor.close()
        return bytes(row[0]) if row else b""

    def _total(self, search: Search) -> dict[str, Any] | None:
        if search.counted is False:
            return None
        count = self.count(search.index, search.condition)
        if search.counted is True or count <= search.counted:
            return {"value": count, "relation": "eq"}
        return {"value": search.counted, "relation": "gte"}


class BasicAuth:
    """Lets a request pass that carries the credentials; the others get the real mirror's 401."""

    def __init__(self, app: ASGIApp, user: str, password: str) -> None:
        """Keep the only credentials that open the door."""
        self.app = app
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.expected = f"Basic {token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on or refuse it."""
        given = Headers(scope=scope).get("authorization", "") if scope["type"] == "http" else None
        if given is None or secrets.compare_digest(given.encode(), self.expected.encode()):
            await self.app(scope, receive, send)
            return
        what = "unable to authenticate user" if given else "missing authentication credentials"
        error = ApiError(401, "security_exception", f"{what} for REST request [{scope['path']}]")
        response = error.response()
        response.headers["WWW-Authenticate"] = REALM
        await response(scope, receive, send)


def routes(engine: Engine, suffix: str, user: str) -> list[Route]:
    """Return the routes of the API for the indices of one territory.

    Args:
        engine: open document store.
        suffix: territorial part of the aliases, for instance `df-brasilia`.
        user: name that `_security/_authenticate` answers.

    """
    indices = {f"{index.alias}-{suffix}": index for index in engine.indices}

    def found(request: Request) -> Index:
        name = request.path_params["index"]
        if name not in indices:
            details = {"resource.type": "index_or_alias", "resource.id": name, "index": name}
            raise ApiError(404, "index_not_found_exception", f"no such index [{name}]", **details)
        return indices[name]

    async def root(request: Request) -> Response:
        version = {"number": VERSION, "build_flavor": "default", "lucene_version": "8.11.1"}
        tagline = "You Know, for Search"
        return _json({"name": "mapa", "cluster_name": "mapa", "version": version, "tagline": tagline})

    async def authenticate(request: Request) -> Response:
        return _json({"username": user, "roles": ["sisreg_leitura"], "enabled": True})

    async def mapping(request: Request) -> Response:
        return _json(found(request).mapping())

    async def count(request: Request) -> Response:
        index, body = found(request), await _body(request)
        condition = compile_query(body.get("query"), index)
        return _json(
            {"count": await run_in_threadpool(engine.count, index, condition), "_shards": SHARDS}
        )

    async def search(request: Request) -> Response:
        index, body = found(request), await _body(request)
        asked = _understand(index, body, scroll="scroll" in request.query_params)
        answer = engine.open_scroll if "scroll" in request.query_params else engine.search
        return _bytes(await run_in_threadpool(answer, asked))

    async def scroll(request: Request) -> Response:
        identifiers = _scroll_ids(await _body(request))
        if request.method == "DELETE":
            freed = engine.close_scrolls(identifiers)
            return _json({"succeeded": True, "num_freed": freed}, 200 if freed else 404)
        if not identifiers:
            raise ApiError(400, "action_request_validation_exception", "scrollId is missing")
        return _bytes(await run_in_threadpool(engine.continue_scroll, identifiers[0]))

    return [
        Route("/", _guarded(root)),
        Route("/_security/_authenticate", _guarded(authenticate)),
        Route("/_search/scroll", _guarded(scroll), methods=["GET", "POST", "DELETE"]),
        Route("/{index}/_mapping", _guarded(mapping)),
        Route("/{index}/_count", _guarded(count), methods=["GET", "POST"]),
        Route("/{index}/_search", _guarded(search), methods=["GET", "POST"]),
    ]


def _guarded(
    endpoint: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """Turn the errors of an endpoint into answers."""

    async def guarded(request: Request) -> Response:
        try:
            return await endpoint(request)
        except QueryError as error:
            refused = ApiError(400, error.kind, error.reason)
            if error.kind in _FOUND_BY_SHARDS:
                refused.failed_index = request.path_params["index"]
            return refused.response()
        except ApiError as error:
            return error.response()

    return guarded


async def _body(request: Request) -> dict[str, Any]:
    """Read the body; what a client wrote in the query string instead is put beside it."""
    raw = await request.body()
    try:
        body = json.loads(raw) if raw.strip() else {}
    except ValueError:
        raise ApiError(400, "parse_exception", "request body is not JSON") from None
    if not isinstance(body, dict):
        raise ApiError(400, "parse_exception", "request body is not an object")
    for name in ("size", "from"):
        if name in request.query_params:
            body.setdefault(name, request.query_params[name])
    if "track_total_hits" in request.query_params:
        body.setdefault("track_total_hits", json.loads(request.query_params["track_total_hits"]))
    if "sort" in request.query_params:
        terms = [term.partition(":") for term in request.query_params["sort"].split(",")]
        body.setdefault("sort", [{name: order or "asc"} for name, _, order in terms])
    return body


def _understand(index: Index, body: dict[str, Any], *, scroll: bool) -> Search:
    size, offset = _whole(body, "size", 10), _whole(body, "from", 0)
    keys = compile_sort(body.get("sort"), index)
    behind = after(keys, body["search_after"]) if "search_after" in body else None
    if behind is not None and (offset or scroll):
        raise QueryError(
            "illegal_argument_exception",
            "`search_after` cannot be used in a scroll context."
            if scroll
            else "`from` parameter must be set to 0 when `search_after` is used.",
        )
    if size + offset > WINDOW:
        raise QueryError("illegal_argument_exception", _window(size + offset, scroll=scroll))
    if scroll and not size:
        raise QueryError("illegal_argument_exception", "[size] cannot be [0] in a scroll context")
    return Search(
        index=index,
        condition=compile_query(body.get("query"), index),
        keys=keys,
        size=size,
        offset=offset,
        after=behind,
        counted=True if scroll else body.get("track_total_hits", COUNTED_BY_DEFAULT),
        fields=_fields(index, body.get("_source", True)),
    )


def _window(asked: int, *, scroll: bool) -> str:
    if scroll:
        return f"Batch size is too large, size must be less than or equal to: [{WINDOW}]."
    return (
        f"Result window is too large, from + size must be less than or equal to: [{WINDOW}] but "
        f"was [{asked}]. See the scroll api for a more efficient way to request large data sets. "
        "This limit can be set by changing the [index.max_result_window] index level setting."
    )


def _whole(body: dict[str, Any], name: str, default: int) -> int:
    try:
        value = int(body.get(name, default))
    except (TypeError, ValueError):
        raise QueryError("number_format_exception", f"[{name}] is not a number") from None
    if value < 0:
        raise QueryError("illegal_argument_exception", f"[{name}] parameter cannot be negative")
    return value


def _fields(index: Index, source: Any) -> tuple[str, ...] | None:
    """Return the fields to show; none at all means that hits come without `_source`."""
    if source is False:
        return None
    wanted: Any = ["*"] if source is True else source
    unwanted: Any = []
    if isinstance(source, dict):
        wanted, unwanted = source.get("includes", ["*"]), source.get("excludes", [])
    lists = [[item] if isinstance(item, str) else list(item) for item in (wanted, unwanted)]
    return tuple(
        name
        for name in index.kinds
        if any(fnmatchcase(name, pattern) for pattern in lists[0])
        and not any(fnmatchcase(name, pattern) for pattern in lists[1])
    )


def _hit(search: Search) -> str:
    """Return the SQL of one hit as JSON text."""
    score = "null" if search.keys else "1.0"
    head = f'{{"_index":"{search.index.physical}","_type":"_doc","_id":"'
    parts = [f"'{head}' || _id || '\",\"_score\":{score}'"]
    if search.fields is not None:
        parts.append(f"',\"_source\":{{' || {_source(search.index, search.fields)} || '}}'")
    if search.keys:
        shown = " || ',' || ".join(key.shown for key in search.keys)
        parts.append(f"',\"sort\":[' || {shown} || ']'")
    return " || ".join([*parts, "'}'"])


def _source(index: Index, fields: tuple[str, ...]) -> str:
    """Return the SQL of the inside of `_source`."""
    always = [name for name in fields if name not in _OPTIONAL]
    pairs = ", ".join(f'"{name}" := {_shown(name, index)}' for name in always)
    # Every value is a scalar, so only the braces of the object itself are trimmed away.
    parts = [f"trim(cast(to_json(struct_pack({pairs})) as varchar), '{{}}')"] if always else []
    parts += [
        f"'\"{name}\":' || cast(to_json(\"{name}\") as varchar)"
        for name in fields
        if name in _OPTIONAL
    ]
    return f"concat_ws(',', {', '.join(parts)})" if parts else "''"


def _shown(name: str, index: Index) -> str:
    if index.kinds[name] == DATE:
        return f"strftime(\"{name}\", '%Y-%m-%dT%H:%M:%S.%gZ')"
    # The mapping says long, the documents seen carry it as text.
    return f'cast("{name}" as varchar)' if name == "carga_epoch" else f'"{name}"'


def _envelope(
    started: float,
    total: dict[str, Any] | None,
    hits: bytes,
    *,
    scored: bool,
    scroll: str | None = None,
) -> bytes:
    head: dict[str, Any] = {"_scroll_id": scroll} if scroll else {}
    head |= {"took": int((time.monotonic() - started) * 1000), "timed_out": False}
    head["_shards"] = SHARDS
    inner: dict[str, Any] = {} if total is None else {"total": total}
    inner["max_score"] = 1.0 if scored and hits else None
    opening = json.dumps(head)[:-1] + ', "hits": ' + json.dumps(inner)[:-1] + ', "hits": ['
    return b"".join([opening.encode(), hits, b"]}}"])


def _scroll_ids(body: dict[str, Any]) -> list[str] | None:
    given = body.get("scroll_id")
    if given is None or given == "_all":
        return None
    return [given] if isinstance(given, str) else [str(item) for item in given]


def _json(content: dict[str, Any], status: int = 200) -> Response:
    return _bytes(json.dumps(content).encode(), status)


def _bytes(content: bytes, status: int = 200) -> Response:
    headers = {"X-elastic-product": "Elasticsearch"}
    return Response(content, status, headers, "application/json; charset=UTF-8")
