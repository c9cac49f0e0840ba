"""Searches answered by DuckDB: which documents, in which order, rendered as a page of JSON.

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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from mapa_city.doors.search_mapping import DATE, Index, ambulatory_kind, hospital_kind
from mapa_city.doors.search_query import Predicate, SortKey

SHARDS = {"total": 5, "successful": 5, "skipped": 0, "failed": 0}
MAX_SCROLLS = 100

# Left out of a document, rather than shown as null, when there is nothing to show.
_OPTIONAL = ("laudo", "procedimentos", "canal_entrada")


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
            row = (
                self._cursor()
                .execute(
                    f"select count(*) from {index.table} where {condition.sql}", condition.values
                )
                .fetchone()
            )
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
            scroll = self._scrolls[identifier]
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
        f'\'"{name}":\' || cast(to_json("{name}") as varchar)'
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
