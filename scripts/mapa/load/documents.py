"""Pages of search hits to rows: DuckDB reads the compressed page as it was received.

Explicit columns make DuckDB parse only once and without guessing, but they drop what they do not
name. So the names are compared first. The index's own `_mapping` lists every field that any of its
documents has, at the price of one small request; in case a server maps no field that it does not
know, the documents themselves are compared too, all of the first page and of every sixteenth
(comparing each page costs a third of the whole load). Unknown fields are then read as JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow as pa

from mapa.errors import LayoutError
from mapa.load.layouts import Layout

COMPARED_EVERY = 16
ALIASES = {"timestamp": "@timestamp", "version": "@version"}
"""Raw Logstash documents carry these with an at sign."""
ROOM = 16 * 2**20
"""Smallest limit for one JSON object, in bytes; a page is one object, read into twice its size."""
MOST_ROOM = 128 * 2**20
"""Largest limit for one JSON object: a page of 10,000 documents needs less than half of it."""


@dataclass(frozen=True)
class Envelope:
    """What a page says about itself."""

    timed_out: bool
    failed_shards: int
    total: int
    count: int
    last_sort: list[Any]

    @property
    def is_whole(self) -> bool:
        """Whether all shards answered in time."""
        return not self.timed_out and self.failed_shards == 0


@dataclass(frozen=True)
class Shape:
    """How the documents of an index are read: a layout and the fields it does not know.

    Attributes:
        extra: unknown fields; a field of a nested object is written `laudo.novo`.

    """

    layout: Layout
    extra: tuple[str, ...] = ()

    def with_fields(self, names: Iterable[str]) -> Shape:
        """Return a shape that also keeps those of the names that are not known yet."""
        known = self._known()
        new = {name for name in names if name not in known and name.split(".")[0] not in self.extra}
        return replace(self, extra=tuple(sorted({*self.extra, *new})))

    def relation(self, page: Path, offset: int) -> str:
        """Return the select that turns a page into rows, numbered from `offset` + 1.

        Besides the columns of the layout it yields those of `Envelope` on every row.
        """
        columns = ", ".join(f'{self._column(c)} as "{c}"' for c in self.layout.columns)
        return f"""
            select
                {columns},
                {offset} + row_number() over () as _linha,
                {self._extras()} as _campos_extras,
                {ENVELOPE}
            from (
                select unnest(hits.hits) as h, timed_out, _shards, hits.total as total
                from {read_page(page, self._struct())}
            )
        """

    def _known(self) -> set[str]:
        nested = {
            f"{column}.{name}" for column in self.layout.nested for name in self._members(column)
        }
        return {
            *self.layout.columns, *self.layout.withheld, *ALIASES.values(), *nested, *self.extra,
        }  # fmt: skip

    def _members(self, column: str) -> list[str]:
        body = self.layout.nested[column].removeprefix("STRUCT(").removesuffix(")[]")
        return [member.split()[0] for member in body.split(", ")]

    def _extra_of(self, column: str) -> list[str]:
        return [e.split(".", 1)[1] for e in self.extra if e.startswith(f"{column}.")]

    def _struct(self) -> str:
        members = {c: self.layout.type_of(c) for c in self.layout.columns}
        members |= {ALIASES[c]: "VARCHAR" for c in self.layout.columns if c in ALIASES}
        for column in self.layout.nested:
            more = "".join(f", {quoted(name)} JSON" for name in self._extra_of(column))
            members[column] = members[column].removesuffix(")[]") + f"{more})[]"
        members |= {name: "JSON" for name in self.extra if "." not in name}
        body = ", ".join(f"{quoted(name)} {kind}" for name, kind in members.items())
        return f"STRUCT({body})"

    def _column(self, name: str) -> str:
        if name in ALIASES:
            return f"coalesce(h._source.{quoted(name)}, h._source.{quoted(ALIASES[name])})"
        if self._extra_of(name):
            members = ", ".join(f"{quoted(m)}: x.{quoted(m)}" for m in self._members(name))
            return f"list_transform(h._source.{quoted(name)}, lambda x: {{{members}}})"
        return f"h._source.{quoted(name)}"

    def _extras(self) -> str:
        """Return SQL for the unknown fields as one JSON object, null when there is none.

        Absent fields are left out, so that a field learned later does not change older documents.
        """
        parts = [
            f"{literal(orjson.dumps(name).decode() + ':')} || h._source.{quoted(name)}"
            for name in self.extra
            if "." not in name
        ]
        for column in self.layout.nested:
            if names := self._extra_of(column):
                parts.append(self._nested_extras(column, names))
        return json_object(parts)

    def _nested_extras(self, column: str, names: list[str]) -> str:
        entries = f"h._source.{quoted(column)}"
        some = " or ".join(f"x.{quoted(name)} is not null" for name in names)
        members = ", ".join(f"{quoted(name)}: x.{quoted(name)}" for name in names)
        return (
            f"case when len(list_filter({entries}, lambda x: {some})) > 0 then '\"{column}\":' || "
            f"cast(to_json(list_transform({entries}, lambda x: {{{members}}})) as varchar) end"
        )


ENVELOPE = """timed_out, _shards.failed as falhas, total.value as total,
                total.relation as relacao, cast(h.sort as varchar) as ordem"""


def read_page(page: Path, source: str) -> str:
    """Return the table function that reads a page; `source` is the type of a document."""
    return (
        f"read_json({literal(str(page))}, format='unstructured', records=true, "
        f"maximum_object_size={object_size(page)}, columns={{timed_out: 'BOOLEAN', "
        "_shards: 'STRUCT(failed BIGINT)', hits: 'STRUCT(total STRUCT(value BIGINT, relation "
        f"VARCHAR), hits STRUCT(_source {source.replace(chr(39), chr(39) * 2)}, sort JSON)[])'}})"
    )


def object_size(page: Path) -> int:
    """Return how large the page's one JSON object may be, from the end of the gzip stream.

    A stream that lies about its size makes DuckDB stop, not run out of memory; one that is cut off
    ends in bytes that mean nothing, so that what they claim has a limit.
    """
    with page.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
        file.seek(-4, 2)
        size = int.from_bytes(file.read(4), "little") if is_gzip else file.tell()
    return min(max(ROOM, size + 1024), MOST_ROOM)


def envelope(con: duckdb.DuckDBPyConnection, page: Path, lote: pa.Table) -> Envelope | None:
    """Return what a page that was read says about itself; None when it does not count its hits.

    A page without documents leaves no row, so it is read once more, which costs nothing.
    """
    query = (
        "select bool_or(timed_out), max(falhas), max(total), max(relacao), count(*), "
        "arg_max(ordem, _linha) from lote"
        if lote.num_rows
        else "select timed_out, _shards.failed, hits.total.value, hits.total.relation, "
        f"len(hits.hits), null from {read_page(page, 'JSON')}"
    )
    row = con.execute(query).fetchone()
    if not row or row[2] is None or row[3] != "eq" or row[4] is None:
        return None
    timed_out, failed, total, _, count, last = row
    return Envelope(timed_out is not False, failed or 0, total, count, orjson.loads(last or "[]"))


def scroll_id(con: duckdb.DuckDBPyConnection, page: Path) -> str:
    """Return the name of the scroll that a page belongs to, empty when it has none."""
    row = con.execute(
        f"select _scroll_id from read_json({literal(str(page))}, format='unstructured', "
        f"records=true, maximum_object_size={object_size(page)}, "
        "columns={_scroll_id: 'VARCHAR'})"
    ).fetchone()
    return (row[0] if row else None) or ""


@dataclass(frozen=True)
class Fields:
    """Fields of an index by its `_mapping`; those of nested objects are written `laudo.novo`."""

    kinds: dict[str, str]
    keywords: frozenset[str]
    varied: frozenset[str] = frozenset()

    @property
    def types(self) -> dict[str, str | None]:
        """Return the type of each field; None where the indices behind an alias do not agree."""
        return {name: None if name in self.varied else kind for name, kind in self.kinds.items()}

    @classmethod
    def read(cls, answer: bytes, layout: Layout) -> Fields:
        """Read the answer to `GET /{index}/_mapping`; an alias may stand for several indices.

        Raises:
            LayoutError: it is not a mapping.

        """
        kinds: dict[str, str] = {}
        keywords: set[str] = set()
        varied: set[str] = set()
        for name, body in _properties(answer, layout):
            kind = body.get("type", "object")
            if kinds.setdefault(name, kind) != kind:
                varied.add(name)
            kinds[name] = kind
            if body.get("fields", {}).get("keyword", {}).get("type") == "keyword":
                keywords.add(name)
        return cls(kinds, frozenset(keywords), frozenset(varied))

    def exact(self, name: str) -> str:
        """Return the name under which a field is compared whole, in `term` and in `sort`.

        Raises:
            LayoutError: the index offers no such name.

        """
        if self.kinds.get(name) == "text":
            if name in self.keywords:
                return f"{name}.keyword"
            raise LayoutError(
                f"Field `{name}` is mapped as free text only, so that documents can be neither "
                "filtered nor sorted by it.\nAsk the owner of the source for a keyword field."
            )
        return name


def document_fields(con: duckdb.DuckDBPyConnection, page: Path, layout: Layout) -> set[str]:
    """Return the fields that the documents of a page really have, nested ones included.

    Raises:
        LayoutError: a nested field is no longer a list of objects.
        duckdb.Error: the page is damaged.

    """
    entries = " union all ".join(
        f"select '{c}' as campo, json_type(d, '$.{c}') as tipo, "
        f"unnest(json_extract(d, '$.{c}[*]')) as e from documentos "
        f"union all select '{c}', json_type(d, '$.{c}'), null from documentos"
        for c in layout.nested
    )
    with_entries = f", entradas as ({entries})" if entries else ""
    nested = """
        union select campo || '.' || unnest(json_keys(e)), false from entradas
        union select campo, true from entradas
        where tipo not in ('ARRAY', 'NULL') or json_type(e) not in ('OBJECT', 'NULL')
    """
    found = con.execute(
        f"""
        with documentos as materialized (
            select h._source as d from (
                select unnest(hits.hits) as h from {read_page(page, "JSON")}
            )
        ){with_entries}
        select distinct unnest(json_keys(d)) as nome, false as outro_tipo from documentos
        {nested if entries else ""}
        """
    ).fetchall()
    for name, has_another_type in found:
        if has_another_type:
            raise changed_type(layout, name)
    return {name for name, _ in found}


def changed_type(layout: Layout, column: str) -> LayoutError:
    """Return the error for a nested field that is something else now."""
    return LayoutError(
        f"Index {layout.name}: field `{column}` is no longer a list of objects; nothing was "
        f"loaded.\nCompare with\n  mapa load export --describe {layout.name}"
    )


def _properties(answer: bytes, layout: Layout) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and definition of each field, those of the layout's nested objects too."""
    try:
        for index in orjson.loads(answer).values():
            for name, body in index["mappings"]["properties"].items():
                yield name, body
                if name in layout.nested:
                    for inner, definition in body.get("properties", {}).items():
                        yield f"{name}.{inner}", definition
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError):
        raise LayoutError(
            f"Index {layout.name}: the answer to `_mapping` is not a mapping of fields.\n"
            "Check the address of the source: it must be an Elasticsearch API."
        ) from None


def json_object(members: Iterable[str]) -> str:
    """Return SQL for a JSON object of members that may each be null; null when all of them are."""
    parts = ", ".join(members)
    return f"nullif('{{' || concat_ws(',', {parts}) || '}}', '{{}}')" if parts else (
        "cast(null as varchar)"
    )  # fmt: skip


def quoted(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
