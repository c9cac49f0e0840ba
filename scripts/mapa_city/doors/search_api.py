"""The SISREG search API: the doors that an Elasticsearch 7 mirror opens to a reader."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Awaitable, Callable
from fnmatch import fnmatchcase
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mapa_city.doors.search_engine import SHARDS, Engine, Search
from mapa_city.doors.search_mapping import Index
from mapa_city.doors.search_query import WINDOW, QueryError, after, compile_query, compile_sort

REALM = 'Basic realm="security"'
VERSION = "7.17.9"
COUNTED_BY_DEFAULT = 10_000

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


class SearchApi:
    """The endpoints over one engine, for the indices of one territory."""

    def __init__(self, engine: Engine, suffix: str, user: str) -> None:
        """Serve the indices whose aliases end in `suffix`; `user` is who reads them."""
        self._engine = engine
        self._user = user
        self._indices = {f"{index.alias}-{suffix}": index for index in engine.indices}

    def routes(self) -> list[Route]:
        """Return the routes."""
        both = ["GET", "POST"]
        return [
            Route("/", _guarded(self._root)),
            Route("/_security/_authenticate", _guarded(self._authenticate)),
            Route("/_search/scroll", _guarded(self._scroll), methods=[*both, "DELETE"]),
            Route("/{index}/_mapping", _guarded(self._mapping)),
            Route("/{index}/_count", _guarded(self._count), methods=both),
            Route("/{index}/_search", _guarded(self._search), methods=both),
        ]

    def _index(self, request: Request) -> Index:
        name = request.path_params["index"]
        if name not in self._indices:
            details = {"resource.type": "index_or_alias", "resource.id": name, "index": name}
            raise ApiError(404, "index_not_found_exception", f"no such index [{name}]", **details)
        return self._indices[name]

    async def _root(self, request: Request) -> Response:
        version = {"number": VERSION, "build_flavor": "default", "lucene_version": "8.11.1"}
        names = {"name": "mapa", "cluster_name": "mapa"}
        return _json(names | {"version": version, "tagline": "You Know, for Search"})

    async def _authenticate(self, request: Request) -> Response:
        return _json({"username": self._user, "roles": ["sisreg_leitura"], "enabled": True})

    async def _mapping(self, request: Request) -> Response:
        return _json(self._index(request).mapping())

    async def _count(self, request: Request) -> Response:
        index, body = self._index(request), await _body(request)
        condition = compile_query(body.get("query"), index)
        count = await run_in_threadpool(self._engine.count, index, condition)
        return _json({"count": count, "_shards": SHARDS})

    async def _search(self, request: Request) -> Response:
        index, body = self._index(request), await _body(request)
        scroll = "scroll" in request.query_params
        search = _understand(index, body, scroll=scroll)
        answer = self._engine.open_scroll if scroll else self._engine.search
        return _bytes(await run_in_threadpool(answer, search))

    async def _scroll(self, request: Request) -> Response:
        identifiers = _scroll_ids(await _body(request))
        if request.method == "DELETE":
            freed = self._engine.close_scrolls(identifiers)
            return _json({"succeeded": True, "num_freed": freed}, 200 if freed else 404)
        if not identifiers:
            raise ApiError(400, "action_request_validation_exception", "scrollId is missing")
        try:
            return _bytes(await run_in_threadpool(self._engine.continue_scroll, identifiers[0]))
        except KeyError:
            reason = f"No search context found for id [{identifiers[0]}]"
            raise ApiError(404, "search_context_missing_exception", reason) from None


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
