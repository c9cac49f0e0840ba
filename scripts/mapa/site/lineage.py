"""Where each column comes from: read off the compiled SQL by the engine's own parser.

A column comes from the columns that its value is computed of, conditions and windows included;
what only joins, filters or groups rows is not among them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import duckdb

Field = tuple[str, str]
"""A table, by dbt's unique id, and a column of it."""
Fields = frozenset[Field]
Relation = dict[str, Fields]
"""What each column of a relation comes from, in the order of its columns."""
Scope = Sequence[tuple[str, Relation]]
"""The relations that an expression may name, by alias."""
Syntax = dict[str, Any]
NOTHING: Fields = frozenset()


class Lineage:
    """The fields that the columns of a build come from."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        """Take dbt's manifest of a build; of one without compiled SQL nothing is known."""
        tables = [*manifest["nodes"].values(), *manifest["sources"].values()]
        self._sql = {
            node["unique_id"]: node["compiled_code"]
            for node in tables
            if node["resource_type"] == "model" and node.get("compiled_code")
        }
        self._tables: dict[tuple[str, str], Relation] = {
            (node["schema"].lower(), (node.get("identifier") or node["alias"]).lower()): {
                name.lower(): frozenset({(node["unique_id"], name)}) for name in node["columns"]
            }
            for node in tables
            if node["resource_type"] in {"source", "seed", "model"}
        }
        self._far: dict[Field, Fields] = {}

    def near(self, table: str, column: str) -> Fields:
        """Return the fields that a column is computed of, in the tables that its table reads."""
        return self._models.get(table, {}).get(column.lower(), NOTHING)

    def far(self, table: str, column: str) -> Fields:
        """Return the fields of sources and seeds that a column comes from in the end."""
        field = (table, column)
        if field not in self._far:
            near = self.near(table, column)
            ends = [self.far(*parent) if parent[0] in self._models else {parent} for parent in near]
            self._far[field] = frozenset[Field]().union(*ends)
        return self._far[field]

    @cached_property
    def _models(self) -> dict[str, Relation]:
        """Return each model as a relation; one that the parser does not know is left out."""
        models = {}
        with duckdb.connect() as con:
            for name, sql in self._sql.items():
                row = con.execute("select json_serialize_sql($1::varchar)", [sql]).fetchall()[0]
                parsed = json.loads(row[0])
                if not parsed["error"]:
                    models[name] = self._query(parsed["statements"][0]["node"], {}, ())
        return models

    def _query(self, node: Syntax, known: Mapping[str, Relation], outer: Scope) -> Relation:
        """Return what a query gives; `known` are the queries that it may name."""
        named = dict(known)
        for item in node["cte_map"]["map"]:
            made = self._query(item["value"]["query"]["node"], named, outer)
            named[item["key"].lower()] = _renamed(made, item["value"]["aliases"])
        if node["type"] == "SET_OPERATION_NODE":
            left = self._query(node["left"], named, outer)
            right = self._query(node["right"], named, outer)
            pairs = zip(left.items(), right.values(), strict=False)
            return {name: fields | others for (name, fields), others in pairs}
        scope = self._from(node["from_table"], named, outer)
        made = {}
        for item in node["select_list"]:
            if item["class"] == "STAR":
                for name, fields in _star(item, scope):
                    made.setdefault(name, fields)
            else:
                names = item.get("column_names") or [f"column {len(made)}"]
                value = self._value(item, named, [*scope, *outer, ("", made)])
                made[(item["alias"] or names[-1]).lower()] = value
        return made

    def _from(self, node: Syntax, named: Mapping[str, Relation], outer: Scope) -> Scope:
        """Return the relations that stand after `from`."""
        alias = node["alias"].lower()
        match node["type"]:
            case "JOIN":
                left, right = (self._from(node[side], named, outer) for side in ("left", "right"))
                return [*left, *right]
            case "BASE_TABLE":
                name, schema = node["table_name"].lower(), node["schema_name"].lower()
                found = self._tables.get((schema, name), {}) if schema else named.get(name, {})
                return [(alias or name, _renamed(found, node["column_name_alias"]))]
            case "SUBQUERY":
                inner = self._query(node["subquery"]["node"], named, outer)
                return [(alias, _renamed(inner, node["column_name_alias"]))]
            case "EXPRESSION_LIST":
                columns = enumerate(zip(*node["values"], strict=True))
                return [(alias, {f"col{n}": self._value([*v], named, outer) for n, v in columns})]
        return []

    def _value(self, node: Any, named: Mapping[str, Relation], scope: Scope) -> Fields:
        """Return the fields that an expression is computed of."""
        if isinstance(node, list):
            return NOTHING.union(*(self._value(item, named, scope) for item in node))
        if not isinstance(node, dict) or node.get("class") == "CONSTANT":
            return NOTHING
        if node.get("class") == "COLUMN_REF":
            return _column([name.lower() for name in node["column_names"]], scope)
        if node.get("class") == "SUBQUERY":
            within = self._query(node["subquery"]["node"], named, scope).values()
            return self._value(node["child"], named, scope).union(*within)
        return NOTHING.union(*(self._value(part, named, scope) for part in node.values()))


def _column(names: Sequence[str], scope: Scope) -> Fields:
    """Return the fields of a column that an expression names, with its relation's name or not."""
    if len(names) > 1:
        for alias, relation in scope:
            if alias == names[0] and names[1] in relation:
                return relation[names[1]]
    for _, relation in scope:
        if names[0] in relation:
            return relation[names[0]]
    return NOTHING


def _star(node: Syntax, scope: Scope) -> Iterator[tuple[str, Fields]]:
    """Yield the columns that a `*` stands for."""
    wanted = node["relation_name"].lower()
    left_out = {name.lower() for name in node["exclude_list"]}
    for alias, relation in scope:
        if wanted in {"", alias}:
            yield from ((name, told) for name, told in relation.items() if name not in left_out)


def _renamed(relation: Relation, names: Iterable[str]) -> Relation:
    """Give the first columns of a relation other names."""
    new = [name.lower() for name in names]
    return dict(zip([*new, *list(relation)[len(new) :]], relation.values(), strict=True))
