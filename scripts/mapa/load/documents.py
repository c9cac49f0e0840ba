"""Hits of a search to rows: DuckDB reads them from the page as it was received.

Explicit columns make DuckDB parse only once and without guessing, but they drop what they do not
name. So the names are compared first. The index's own `_mapping` lists every field that any of its
documents has, at the price of one small request; in case a server maps no field that it does not
know, the documents themselves are compared too, all of the first page and of every 64th (comparing
each page costs a third of the whole load). Unknown fields are then read as JSON.

A field is called by its path, because a name may hold a dot: `("laudo", "novo")` is a field of a
nested object, `("laudo.novo",)` one of the document.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import orjson

from mapa.errors import LayoutError, visible
from mapa.layouts import Layout
from mapa.load.strict import MOST_FIELDS
from mapa.sql import literal, quoted

COMPARED_EVERY = 64
CHANGED = "data_atualizacao"
DATES = ("date", "date_nanos")
"""Types by which windows of change can be asked for; a text is cut into words, and compared so."""
ALIASES = {"timestamp": "@timestamp", "version": "@version", CHANGED: "dt_atualizacao"}
"""Other names of a field: raw Logstash documents carry an at sign, some mirrors another prefix."""
SYNONYM = ALIASES[CHANGED]
DEEPEST = 20
"""Objects inside objects whose parts are looked for under names with dots."""
Path = tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    """How the documents of an index are read: a layout and the fields it does not know.

    Attributes:
        extra: paths of unknown fields.

    """

    layout: Layout
    extra: tuple[Path, ...] = ()

    @property
    def unknown(self) -> list[str]:
        """Return the unknown fields as one reads them, nested ones as `laudo.novo`."""
        return sorted({".".join(path) for path in self.extra})

    def paths_of(self, names: Iterable[str]) -> Iterator[Path]:
        """Yield the paths that `unknown` may have called so."""
        for name in names:
            yield (name,)
            above, dot, member = name.partition(".")
            if dot and above in self.layout.nested:
                yield above, member

    def new_of(self, paths: Iterable[Path]) -> set[Path]:
        """Return those of the paths that are not known yet and may be kept."""
        # A part of what is withheld is withheld; what has no name can have no column.
        withheld = tuple(f"{name}.".lower() for name in self.layout.withheld)
        return {
            path
            for path in set(paths) - self._known()
            if path[-1] and "\0" not in path[-1]
            and not f"{'.'.join(path)}.".lower().startswith(withheld or ("\0",))
        }  # fmt: skip

    def is_too_much(self, paths: Iterable[Path]) -> bool:
        """Say whether so many of the paths are new that they are no fields but data."""
        return len(self.extra) + len(self.new_of(paths)) > MOST_FIELDS

    def with_fields(self, paths: Iterable[Path]) -> Shape:
        """Return a shape that also keeps those of the paths that are not known yet.

        Raises:
            LayoutError: there are too many of them, or two differ by case only, which DuckDB
                cannot tell apart.

        """
        new = self.new_of(paths)
        if self.is_too_much(new):
            raise LayoutError(
                f"Index {self.layout.name}: more than {MOST_FIELDS} fields are unknown; nothing "
                "was loaded.\nExpected are fields, not data in their names: ask the owner of the "
                "source what has changed."
            )
        spelled = Counter(_lower(path) for path in {*self._known(), *new})
        for path in sorted(new):
            if spelled[_lower(path)] > 1:
                raise LayoutError(
                    f"Index {self.layout.name}: field `{visible('.'.join(path))}` and another one "
                    "differ only by capital letters; nothing was loaded.\nAsk the owner of the "
                    "source which of them is meant."
                )
        return replace(self, extra=tuple(sorted({*self.extra, *new})))

    def relation(self, hits: str, offset: int) -> str:
        """Return the select that turns a file of hits into rows, numbered from `offset` + 1.

        Besides the columns of the layout it yields `ordem`, the key of the hit as JSON, and
        `documento`, by which the same document is known again.
        """
        columns = ", ".join(f'{self._column(c)} as "{c}"' for c in self.layout.columns)
        return f"""
            select
                {columns},
                {offset} + row_number() over () as _linha,
                {self._extras()} as _campos_extras,
                cast(h.sort as varchar) as ordem,
                case
                    when h._id is not null then hash(h._index, h._id)
                    when h._source is not null
                        then hash({self._column(self.layout.key[0])}, ordem)
                end as documento
            from {read_hits(hits, self.struct())} as h
        """

    def _known(self) -> set[Path]:
        nested = {
            (column, name) for column in self.layout.nested for name in self.members_of(column)
        }
        withheld = {tuple(name.split(".", 1)) for name in self.layout.withheld}
        plain = {(name,) for name in (*self.layout.columns, *ALIASES.values())}
        return {*plain, *nested, *withheld, *self.extra}

    def members_of(self, column: str) -> list[str]:
        """Return the fields of the objects in a nested column."""
        body = self.layout.nested[column].removeprefix("STRUCT(").removesuffix(")[]")
        return [member.split()[0] for member in body.split(", ")]

    def _extra_of(self, column: str) -> list[str]:
        return [path[1] for path in self.extra if len(path) > 1 and path[0] == column]

    @property
    def _plain_extra(self) -> list[str]:
        return [path[0] for path in self.extra if len(path) == 1]

    def struct(self) -> str:
        """Return the DuckDB type of a document."""
        members = {c: self.layout.type_of(c) for c in self.layout.columns}
        members |= {ALIASES[c]: "VARCHAR" for c in self.layout.columns if c in ALIASES}
        for column in self.layout.nested:
            more = "".join(f", {quoted(name)} JSON" for name in self._extra_of(column))
            members[column] = members[column].removesuffix(")[]") + f"{more})[]"
        members |= dict.fromkeys(self._plain_extra, "JSON")
        body = ", ".join(f"{quoted(name)} {kind}" for name, kind in members.items())
        return f"STRUCT({body})"

    def _column(self, name: str) -> str:
        if name in ALIASES:
            return f"coalesce(h._source.{quoted(name)}, h._source.{quoted(ALIASES[name])})"
        if self._extra_of(name):
            members = ", ".join(f"{quoted(m)}: x.{quoted(m)}" for m in self.members_of(name))
            return f"list_transform(h._source.{quoted(name)}, lambda x: {{{members}}})"
        return f"h._source.{quoted(name)}"

    def _extras(self) -> str:
        """Return SQL for the unknown fields as one JSON object, null when there is none.

        Absent fields are left out, so that a field learned later does not change older documents.
        """
        parts = [
            f"{literal(orjson.dumps(name).decode() + ':')} || h._source.{quoted(name)}"
            for name in self._plain_extra
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


def read_hits(hits: str, document: str) -> str:
    """Return the table function that reads a file of hits; `document` is the type of a document."""
    return (
        f"read_json({literal(hits)}, format='array', "
        f"columns={{_index: 'VARCHAR', _id: 'VARCHAR', _source: {literal(document)}, "
        "sort: 'JSON'})"
    )


@dataclass(frozen=True)
class Fields:
    """Fields of an index by its `_mapping`; those of nested objects are written `laudo.novo`.

    Attributes:
        kinds: type of each field.
        names: under which name each field is compared whole, empty when there is none; several
            names when the indices behind an alias do not agree.
        indices: the definition of each field, index by index.
        paths: all fields, also the parts of objects under the names that a document may give them:
            the index shows `{"a.b": 1}` as `a` with a part `b`.

    """

    kinds: dict[str, str]
    names: dict[str, set[str]]
    indices: tuple[dict[str, dict[str, Any]], ...]
    paths: frozenset[Path] = frozenset()

    @property
    def types(self) -> dict[str, str | None]:
        """Return the type of each field; None where the indices behind an alias do not agree.

        The instant of change is called by one name, whatever the index calls it.
        """
        kinds = dict[str, set[str]]()
        for found in self.indices:
            for name, body in found.items():
                kinds.setdefault(CHANGED if name == SYNONYM else name, set()).add(_kind(body))
        return {name: next(iter(k)) if len(k) == 1 else None for name, k in kinds.items()}

    @property
    def changed(self) -> tuple[str, ...]:
        """Return what the index calls the instant of change; more than one name in rare cases."""
        return tuple(name for name in (CHANGED, SYNONYM) if name in self.kinds) or (CHANGED,)

    @classmethod
    def read(cls, answer: bytes, layout: Layout) -> Fields:
        """Read the answer to `GET /{index}/_mapping`; an alias may stand for several indices.

        Raises:
            LayoutError: it is not a mapping.

        """
        # An index without any field has no document yet.
        indices = tuple(found for found in _indices(answer, layout) if found)
        kinds = {name: _kind(body) for found in indices for name, body in found.items()}
        names = {n: {_whole(n, found.get(n)) for found in indices} for n in kinds}
        paths = frozenset(path for found in indices for path in _paths(found, layout))
        return cls(kinds, names, indices, paths)

    def check(self, layout: Layout, before: str = "") -> None:
        """Refuse an index whose windows cannot be asked for or whose lists are none.

        Args:
            layout: of the index.
            before: the newest complete load, in words; empty when this is the first.

        Raises:
            LayoutError: names the field.

        """
        for found in self.indices:
            for name in layout.nested:
                if _kind(found.get(name, {})) not in ("nested", "object"):
                    raise changed_type(layout, name, "a list of objects", before)
            bodies = [found[name] for name in self.changed if name in found] or [{}]
            if any(_kind(body) not in DATES for body in bodies):
                raise changed_type(layout, CHANGED, "a date", before)

    def exact(self, name: str) -> str:
        """Return the name under which a field is compared whole, in `term` and in `sort`.

        Raises:
            LayoutError: the index offers no such name, or not the same one everywhere.

        """
        names = self.names.get(name, {""})
        if len(names) > 1:
            raise LayoutError(
                f"Field `{name}` is mapped differently by the indices behind the alias, so that a "
                "search would miss the documents of some; nothing was loaded.\nAsk the owner of "
                "the source, or load one index: its name after `ambulatorial-` or `hospitalar-` is "
                "the SISREG_SUFFIX."
            )
        if found := next(iter(names)):
            return found
        raise LayoutError(
            f"Field `{name}` is missing or mapped as free text only, so that documents can be "
            "neither filtered nor sorted by it; nothing was loaded.\nAsk the owner of the source "
            "for a keyword field."
        )


def document_fields(
    con: duckdb.DuckDBPyConnection, hits: str, layout: Layout, before: str = ""
) -> set[Path]:
    """Return the fields that the documents of a file of hits really have, nested ones included.

    Raises:
        LayoutError: a nested field is not a list of objects; whether it was one, `before` says.
        duckdb.Error: the file is damaged.

    """
    entries = " union all ".join(
        f"select '{c}' as campo, json_type(d, '$.{c}') as tipo, "
        f"unnest(json_extract(d, '$.{c}[*]')) as e from documentos "
        f"union all select '{c}', json_type(d, '$.{c}'), null from documentos"
        for c in layout.nested
    )
    with_entries = f", entradas as ({entries})" if entries else ""
    nested = """
        union select campo, unnest(json_keys(e)), false from entradas
        union select campo, '', true from entradas
        where tipo not in ('ARRAY', 'NULL') or json_type(e) not in ('OBJECT', 'NULL')
    """
    found = con.execute(
        f"""
        with documentos as materialized (
            select h._source as d from {read_hits(hits, "JSON")} as h
        ){with_entries}
        select distinct '' as acima, unnest(json_keys(d)) as nome, false as outro_tipo
        from documentos
        {nested if entries else ""}
        """
    ).fetchall()
    for above, _, has_another_type in found:
        if has_another_type:
            raise changed_type(layout, above, before=before)
    return {(above, name) if above else (name,) for above, name, _ in found}


def changed_type(
    layout: Layout, column: str, expected: str = "a list of objects", before: str = ""
) -> LayoutError:
    """Return the error for a field that is something else than expected, or than before."""
    what = (
        f"field `{column}` is no longer {expected}"
        if before
        else f"unknown field type: `{column}` is not {expected}"
    )
    return LayoutError(
        f"Index {layout.name}: {what}; nothing was loaded.\n"
        + (f"It was in {before}.\n" if before else "")
        + f"Compare with\n  mapa load export --describe {layout.name}"
    )


def _kind(body: dict[str, Any]) -> str:
    """Return the type of a field by its definition; one without a type holds fields of its own."""
    kind: str = body.get("type", "object")
    return kind


def _whole(name: str, body: dict[str, Any] | None) -> str:
    """Return the name under which an index compares a field whole, empty when there is none."""
    if not body or body.get("type") != "text":
        return name if body else ""
    has_keyword = body.get("fields", {}).get("keyword", {}).get("type") == "keyword"
    return f"{name}.keyword" if has_keyword else ""


def _indices(answer: bytes, layout: Layout) -> list[dict[str, dict[str, Any]]]:
    """Return name and definition of each field, those of the layout's nested objects too."""
    indices = []
    try:
        for index in orjson.loads(answer).values():
            fields = dict(index["mappings"].get("properties", {}))
            for name in layout.nested:
                inner = fields.get(name, {}).get("properties", {})
                fields |= {f"{name}.{member}": body for member, body in inner.items()}
            indices.append(fields)
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError):
        raise LayoutError(
            f"Index {layout.name}: the answer to `_mapping` is not a mapping of fields.\n"
            "Check the address of the source: it must be an Elasticsearch API."
        ) from None
    return indices


def _paths(fields: dict[str, dict[str, Any]], layout: Layout) -> Iterator[Path]:
    """Yield the paths of the fields of one index; an object's parts also as names with dots."""
    members = {column: Shape(layout).members_of(column) for column in layout.nested}
    for name, body in fields.items():
        above, dot, member = name.partition(".")
        if dot and above in layout.nested:
            yield above, member
            if member not in members[above]:
                yield (name,)
            continue
        yield (name,)
        if name not in layout.columns:
            yield from _dotted(name, body, DEEPEST)


def _dotted(above: str, body: dict[str, Any], depth: int) -> Iterator[Path]:
    parts = body.get("properties", {}) if depth else {}
    for name, part in parts.items() if isinstance(parts, dict) else ():
        yield (f"{above}.{name}",)
        yield from _dotted(f"{above}.{name}", part, depth - 1) if isinstance(part, dict) else ()


def _lower(path: Path) -> Path:
    return tuple(name.lower() for name in path)


def json_object(members: Iterable[str]) -> str:
    """Return SQL for a JSON object of members that may each be null; null when all of them are."""
    parts = ", ".join(members)
    return f"nullif('{{' || concat_ws(',', {parts}) || '}}', '{{}}')" if parts else (
        "cast(null as varchar)"
    )  # fmt: skip
