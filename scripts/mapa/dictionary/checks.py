"""The rules of the dictionary that no other tool enforces.

A finding names the file to open. The rules look at the YAML files themselves (misspelled keys,
tests without a name) and at dbt's manifest (everything else).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mapa.dictionary import impact
from mapa.dictionary.entries import DRAFTED, LAYERS, documented, layer_of, lgpd, replacement
from mapa.dictionary.yaml_keys import unknown_keys

CLASSES = {"publico", "pessoal", "sensivel", "pseudonimo"}
ALLOWED = {"marts": {"publico", "pseudonimo"}, "publicacao": {"publico"}}
CLASSED = {"staging", "intermediate", "marts", "publicacao"}
FIRST_SENTENCE = 90
BOILERPLATE = re.compile(
    r"^(est[ae]s? (coluna|campo|tabela|modelo)|(coluna|campo|tabela) (que|com)|"
    r"this (column|field|table)|informa[çc][ãa]o (sobre|de) |dados? (sobre|de) )|\batualmente\b",
    re.IGNORECASE,
)
MAX_LINES = 150
"""Longest SQL of a model."""
# Sources are read by staging only; `controle` is the project's own record of its loads.
OWN_SOURCE = "source.mapa.controle."


@dataclass(frozen=True, order=True)
class Finding:
    """Something that a rule objects to."""

    file: str
    problem: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.file}: {self.problem}"


def all_findings(project: Path, manifest: dict[str, Any], catalog: dict[str, Any]) -> list[Finding]:
    """Return what every rule objects to, by file."""
    found = [*_yaml_findings(project), *_macro_findings(manifest), *_test_findings(manifest)]
    found += _text_findings(manifest)
    found += [
        Finding(impact.FILE.as_posix(), problem)
        for problem in impact.problems(manifest, impact.read(project))
    ]
    for node in documented(manifest):
        path = _yaml_path(node)
        problems = [*_described(node), *_classed(node), *_columns_in_order(node, catalog)]
        problems += _states(manifest, node)
        if node["resource_type"] == "model":
            problems += [*_grain(manifest, node), *_forward(manifest, node), *_placed(node)]
            problems += _short(node)
            problems += _same_text(manifest, node)
        found += [Finding(path, f"{node['name']}{problem}") for problem in problems]
    return sorted(set(found))


def _yaml_findings(project: Path) -> Iterator[Finding]:
    """Look at the keys of each YAML file."""
    for folder in ("models", "seeds", "macros", "tests"):
        for path in sorted((project / folder).rglob("*.yml")):
            if "fixtures" in path.parts:
                continue
            content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
            for problem in unknown_keys(content):
                yield Finding(path.relative_to(project).as_posix(), problem)


def _macro_findings(manifest: dict[str, Any]) -> Iterator[Finding]:
    """Ask a description of each macro and argument; an engine's variant shares its macro's."""
    for macro in manifest["macros"].values():
        if macro["package_name"] != "mapa" or re.match(r"(duckdb|spark|default)__", macro["name"]):
            continue
        path = (macro["patch_path"] or macro["original_file_path"]).removeprefix("mapa://")
        if not macro["description"].strip():
            yield Finding(path, f"macro {macro['name']} has no description")
        for argument in macro["arguments"]:
            if not (argument.get("description") or "").strip():
                yield Finding(
                    path, f"macro {macro['name']}: argument {argument['name']} has no description"
                )


def _test_findings(manifest: dict[str, Any]) -> Iterator[Finding]:
    """Ask a description of each unit test: it says the rule that the test pins."""
    for test in manifest["unit_tests"].values():
        if not (test["description"] or "").strip():
            yield Finding(test["original_file_path"], f"{test['name']} has no description")


def _yaml_path(node: dict[str, Any]) -> str:
    """Return the file in which a table is described, or its SQL when it is not."""
    path = node["patch_path"] or node["original_file_path"]
    return str(path).removeprefix("mapa://")


def _described(node: dict[str, Any]) -> Iterator[str]:
    """Ask descriptions that say something, and short first sentences of columns."""
    description = node["description"].strip()
    if not description:
        yield " has no description"
    elif BOILERPLATE.search(description.partition("\n")[0]):
        yield ": the description opens with an empty phrase"
    elif node["resource_type"] == "model":
        for heading in ("**Grão:**", "**Origem:**", "**Atualização:**"):
            if heading not in description:
                yield f": the description lacks {heading}"
    if not node["columns"]:
        yield " describes no columns"
    for name, column in node["columns"].items():
        yield from (f".{name}{problem}" for problem in _column_text(name, column["description"]))


def _column_text(name: str, description: str) -> Iterator[str]:
    """Check one column's text."""
    text = description.strip()
    if not text:
        yield " has no description"
        return
    sentence = re.split(r"(?<=[.!?])\s|\n", text, maxsplit=1)[0]
    if len(sentence) > FIRST_SENTENCE:
        yield f": the first sentence has {len(sentence)} characters, more than {FIRST_SENTENCE}"
    if BOILERPLATE.search(sentence):
        yield ": the description opens with an empty phrase or says `atualmente`"
    if sentence.rstrip(".").lower().replace(" ", "_") == name.lower():
        yield ": the description only repeats the name"


def _classed(node: dict[str, Any]) -> Iterator[str]:
    """Ask an LGPD class of each column, and keep persons out of what leaves the house."""
    layer = layer_of(node)
    if layer not in CLASSED:
        return
    for name, column in node["columns"].items():
        value = lgpd(column)
        if value not in CLASSES:
            yield f".{name}: config.meta.lgpd is {value or 'missing'}, not one of {_list(CLASSES)}"
        elif value not in ALLOWED.get(layer, CLASSES):
            yield f".{name}: `{value}` is not allowed in {layer}, only {_list(ALLOWED[layer])}"


def _states(manifest: dict[str, Any], node: dict[str, Any]) -> Iterator[str]:
    """Ask that what replaces a table or column is there, and that what is published is no draft."""
    tables = {other["name"] for other in documented(manifest)}
    columns = set(node["columns"])
    for name, each, known in (
        ("", node, tables - {node["name"]}),
        *((f".{name}", column, columns - {name}) for name, column in node["columns"].items()),
    ):
        if (by := replacement(each)) and by not in known:
            yield f"{name}: config.meta.substituida_por names {by}, which is not there"
        if said := each["config"].get("meta", {}).get("situacao"):
            if said != DRAFTED:
                yield f"{name}: config.meta.situacao is {said}, not {DRAFTED}"
            elif layer_of(node) == "publicacao":
                yield f"{name} is published, so that it is no draft"


def _columns_in_order(node: dict[str, Any], catalog: dict[str, Any]) -> Iterator[str]:
    """Compare the described columns with those in the database, when they are known."""
    table = {**catalog.get("nodes", {}), **catalog.get("sources", {})}.get(node["unique_id"])
    if table is None:
        return
    by_position = sorted(table["columns"].values(), key=lambda column: int(column["index"]))
    actual = [column["name"].lower() for column in by_position]
    told = [name.lower() for name in node["columns"]]
    for name in actual:
        if name not in told:
            yield f".{name} is in the database and not described"
    for name in told:
        if name not in actual:
            yield f".{name} is described and not in the database"
    if sorted(actual) == sorted(told) and actual != told:
        first = next(a for a, t in zip(actual, told, strict=True) if a != t)
        yield f": the columns are not described in the order of the table, from {first} on"


def _grain(manifest: dict[str, Any], node: dict[str, Any]) -> Iterator[str]:
    """Ask a declared grain of existing columns, and the tests of the whole table."""
    meta = node["config"].get("meta", {})
    grain = meta.get("grao")
    if not meta.get("responsavel"):
        yield ": config.meta.responsavel is missing"
    if layer_of(node) == "publicacao" and not meta.get("assunto"):
        yield ": config.meta.assunto is missing"
    if not isinstance(grain, list) or not grain:
        yield ": config.meta.grao is missing"
        return
    for name in grain:
        if name not in node["columns"]:
            yield f": the grain names {name}, which is no column"
    if not _has_test(manifest, node, "grao_unico", "grao"):
        yield f": no test {node['name']}__grao proves the grain"
    counts = any(name.startswith("qtd_") for name in node["columns"])
    if counts and layer_of(node) in ALLOWED and not _has_test(manifest, node, "nunca_negativas"):
        yield f": no test {node['name']}__nunca_negativas looks at its quantities"


def _has_test(
    manifest: dict[str, Any], node: dict[str, Any], kind: str, ending: str | None = None
) -> bool:
    """Say whether a table has a test of a kind under the name that everybody expects."""
    expected = f"{node['name']}__{ending or kind}"
    return any(
        test["resource_type"] == "test"
        and test.get("attached_node") == node["unique_id"]
        and (test.get("test_metadata") or {}).get("name") == kind
        and test["name"] == expected
        for test in manifest["nodes"].values()
    )


def _forward(manifest: dict[str, Any], node: dict[str, Any]) -> Iterator[str]:
    """Let a model read only its own layer or an earlier one, and sources only in staging."""
    order = list(LAYERS)
    layer = layer_of(node)
    everything = {**manifest["nodes"], **manifest["sources"]}
    for unique_id in manifest["parent_map"].get(node["unique_id"], []):
        parent = everything[unique_id]
        above = layer_of(parent)
        if order.index(above) > order.index(layer):
            yield f": reads {parent['name']}, which comes later ({above} after {layer})"
        elif above == layer == "staging":
            yield f": reads {parent['name']}; a staging model reads its source only"
        elif above == "sources" and layer != "staging" and not unique_id.startswith(OWN_SOURCE):
            yield f": reads the source {parent['name']}; only staging reads sources"


def _same_text(manifest: dict[str, Any], node: dict[str, Any]) -> Iterator[str]:
    """Let what is published of a mart say of a column what the mart says.

    A shared note (a doc block `nota_…`) may follow: when the value is kept back, and why.
    """
    if layer_of(node) != "publicacao":
        return
    notes = [
        doc["block_contents"].split()
        for doc in manifest["docs"].values()
        if doc["name"].startswith("nota_")
    ]
    for unique_id in manifest["parent_map"].get(node["unique_id"], []):
        parent = manifest["nodes"].get(unique_id)
        if parent is None or layer_of(parent) != "marts":
            continue
        for name, column in node["columns"].items():
            told = parent["columns"].get(name, column)["description"].split()
            if column["description"].split() not in [told, *(told + note for note in notes)]:
                yield f".{name}: says something else than in {parent['name']}; share a doc block"


def _text_findings(manifest: dict[str, Any]) -> Iterator[Finding]:
    """Let a column name say one thing in all that is read: the same text, then what is particular.

    The common text is the doc block `col_<name>`; a name without one has a single text.
    """
    blocks = {doc["name"]: doc["block_contents"].split() for doc in manifest["docs"].values()}
    common: dict[str, tuple[list[str], str]] = {}
    for node in documented(manifest):
        if node["resource_type"] != "model" or layer_of(node) not in ("marts", "publicacao"):
            continue
        for name, column in node["columns"].items():
            words = column["description"].split()
            block = blocks.get(f"col_{name}")
            told, owner = (
                (block, f"col_{name}")
                if block
                else common.setdefault(name, (words, str(node["name"])))
            )
            if words[: len(told)] != told or (not block and words != told):
                yield Finding(
                    _yaml_path(node),
                    f"{node['name']}.{name}: says otherwise than {owner}; begin with the doc block "
                    f"col_{name}, then add what is particular",
                )


def _short(node: dict[str, Any]) -> Iterator[str]:
    """Ask a model that can be read at a sitting."""
    lines = len(node["raw_code"].splitlines())
    if lines > MAX_LINES:
        yield f" has {lines} lines, more than {MAX_LINES}"


def _placed(node: dict[str, Any]) -> Iterator[str]:
    """Check folder, prefix and the YAML file, which in staging may be that of the source."""
    _, layer, *folders, file = str(node["original_file_path"]).split("/")
    name = node["name"]
    theme = folders[0] if folders else ""
    prefix = {
        "staging": f"stg_{theme}__",
        "intermediate": f"int_{theme}__",
        "marts": "dim_" if theme == "dimensoes" else f"{theme}_",
        "publicacao": "pub_",
    }.get(layer)
    if prefix is None:
        yield f": models/{layer} is no layer of this project"
    elif not name.startswith(prefix):
        yield f": in {'/'.join(['models', layer, *folders])}/ a name starts with {prefix}"
    expected = node["original_file_path"].removesuffix(".sql") + ".yml"
    allowed = {expected}
    if layer == "staging":
        allowed.add(node["original_file_path"].removesuffix(file) + "_sources.yml")
    if node["patch_path"] and _yaml_path(node) not in allowed:
        yield f": its description belongs in {expected.rpartition('/')[2]}, beside {file}"


def _list(values: set[str]) -> str:
    """Write a set for a sentence."""
    return ", ".join(sorted(values))
