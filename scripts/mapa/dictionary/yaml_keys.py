"""Keys that may stand in the project's YAML files.

dbt parses `desription:` and a top-level `meta:` without a word, and the text is lost; this list
is what a misspelled key is measured against.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

GENERIC_TEST = {"name", "description", "arguments", "config"}
COLUMN = {"name", "description", "data_type", "config", "data_tests", "constraints"}
TABLE = {"name", "description", "config", "columns", "data_tests"}
MODEL = TABLE | {"constraints"}
SOURCE_TABLE = TABLE | {"identifier", "loaded_at_field", "freshness"}
SOURCE = {"name", "description", "schema", "config", "tables", "loader"}
MACRO = {"name", "description", "arguments", "config", "docs"}
ARGUMENT = {"name", "type", "description"}
EXPOSURE = {
    "name",
    "label",
    "type",
    "maturity",
    "url",
    "description",
    "owner",
    "depends_on",
    "config",
}
UNIT_TEST = {"name", "description", "model", "overrides", "given", "expect", "config"}
SINGULAR_TEST = {"name", "description", "config"}
ROOT = {
    "models": MODEL,
    "seeds": TABLE,
    "sources": SOURCE,
    "macros": MACRO,
    "exposures": EXPOSURE,
    "unit_tests": UNIT_TEST,
    "data_tests": SINGULAR_TEST,
    "snapshots": MODEL,
}


def unknown_keys(content: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each key that dbt would ignore or that the style does not use."""
    for kind, items in content.items():
        if kind not in ROOT:
            yield f"unknown key `{kind}`"
            continue
        for item in items or []:
            yield from _unknown(item, ROOT[kind], f"{kind[:-1]} {item.get('name', '?')}")
            if kind in {"models", "seeds", "snapshots"}:
                yield from _in_table(item)
            elif kind == "macros":
                for argument in item.get("arguments") or []:
                    where = f"macro {item.get('name', '?')}.{argument.get('name', '?')}"
                    yield from _unknown(argument, ARGUMENT, where)
            elif kind == "sources":
                for table in item.get("tables") or []:
                    yield from _unknown(table, SOURCE_TABLE, f"table {table.get('name', '?')}")
                    yield from _in_table(table)


def _in_table(table: dict[str, Any]) -> Iterator[str]:
    """Look into the columns and tests of a table."""
    name = table.get("name", "?")
    yield from _in_tests(table.get("data_tests"), str(name))
    for column in table.get("columns") or []:
        where = f"{name}.{column.get('name', '?')}"
        yield from _unknown(column, COLUMN, where)
        yield from _in_tests(column.get("data_tests"), where)


def _in_tests(tests: list[Any] | None, where: str) -> Iterator[str]:
    """Look into generic tests; each has a name that reads as what must hold."""
    for test in tests or []:
        kind, content = next(iter(test.items())) if isinstance(test, dict) else (test, None)
        if not isinstance(content, dict) or not content.get("name"):
            yield f"{where}: test `{kind}` has no explicit name"
        if isinstance(content, dict):
            yield from _unknown(content, GENERIC_TEST, f"{where}, test {kind}")


def _unknown(item: dict[str, Any], known: set[str], where: str) -> Iterator[str]:
    """Yield a sentence for each key that is not known."""
    for key in item:
        if key not in known:
            yield f"{where}: unknown key `{key}`"
