"""What readers may rely on: `contrato.odcs.yaml`, and whether a release keeps what was promised.

The file follows the Open Data Contract Standard: tables, columns, types, keys, quality, freshness,
licence. Its version is semantic: what breaks readers moves the first number and must be accepted by
a person; what is added moves the second; other texts and checks move the third. Nothing in it is of
one release, so that the same promise is the same file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from mapa.errors import PublishError
from mapa.publish import store
from mapa.publish.contents import Published
from mapa.publish.gate import Check, Column, listed
from mapa.publish.sheets import Codes

LICENCE = "CC BY 4.0"
LICENCE_URL = "https://creativecommons.org/licenses/by/4.0/"
STANDARD = "v3.2.0"
NAME = "mapa-social-da-saude"
FIRST = "1.0.0"
ABSENT = "ausente"
"""Property of a table that is promised and of which a release has no rows to show."""
LOGICAL = (
    (re.compile(r"U?(TINY|SMALL|BIG)?INT(EGER)?$"), "integer"),
    (re.compile(r"(DOUBLE|FLOAT|DECIMAL\(.*\))$"), "number"),
    (re.compile(r"BOOLEAN$"), "boolean"),
    (re.compile(r"DATE$"), "date"),
    (re.compile(r"TIME$"), "time"),
    (re.compile(r"TIMESTAMP"), "timestamp"),
    (re.compile(r".*\[\]$"), "array"),
)
USAGE = (
    "Some vagas; nunca some percentuais nem limites que se repetem. Códigos são texto, com zeros à "
    "esquerda. `pub_atualizacao` diz até que dia vai cada assunto e se os números são sintéticos."
)
LIMITATIONS = (
    "Vazio é desconhecido ou não divulgado, nunca zero. Contagens pequenas de pessoas, e o que as "
    "revelaria, estão ocultas; um mês de pessoas, uma vez publicado, fica como foi publicado. Um "
    "assunto em que uma conferência falhou fica como estava e diz que está desatualizado."
)
Contract = dict[str, Any]


def newest(versions: Sequence[Path]) -> Contract | None:
    """Return the contract of the newest version that has one, whatever is current.

    Args:
        versions: folders, newest first.
    """
    for folder in versions:
        path = folder / store.CONTRACT
        if path.exists():
            found: Contract = yaml.safe_load(path.read_text(encoding="utf-8"))
            return found
    return None


def write(path: Path, contract: Contract) -> None:
    """Write a contract as the standard's YAML."""
    text = yaml.dump(contract, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    path.write_text(text, encoding="utf-8")


class _Dumper(yaml.SafeDumper):
    """YAML in which a text of several lines stands as it is read."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def make(publisher: str, tables: Sequence[Published], codes: Codes, stale_days: float) -> Contract:
    """Return the contract of a release as if it were the first.

    Args:
        publisher: who publishes.
        tables: what is in it.
        codes: allowed values of columns.
        stale_days: age in days from which the sources are stale.
    """
    objects = [_object(published, codes) for published in tables]
    return _around(publisher, stale_days) | {
        "schema": sorted(objects, key=lambda each: each["name"])
    }


def follow(
    before: Contract | None, contract: Contract, promised: Collection[str], *, accept: bool
) -> Contract:
    """Return a contract as the one after another, with the version that the changes ask for.

    Args:
        before: contract of the last release, None when there was none.
        contract: of this release.
        promised: names of all tables of the project: one that failed and is not there stays
            promised.
        accept: whether somebody accepts that readers lose something.

    Raises:
        PublishError: readers would lose something, and nobody has accepted it; the message lists
            what.
    """
    if before is None:
        return contract
    now, absent = _objects(contract), [{"property": ABSENT, "value": True}]
    kept = {
        name: old | {"customProperties": absent}
        for name, old in _objects(before).items()
        if name in promised and name not in now
    }
    objects = now | kept
    contract = contract | {"schema": [objects[name] for name in sorted(objects)]}
    broken = list(breaking(before, contract))
    if broken and not accept:
        raise PublishError(
            f"What contract {before['version']} promised to readers would break; nothing was "
            f"published:\n{listed(broken)}\n"
            "Correct the models; or, when readers know, type: mapa publish --accept-breaking"
        )
    return contract | {"version": _version(before, contract, broken=bool(broken))}


def breaking(before: Contract, after: Contract) -> Iterator[str]:
    """Yield what a reader of one contract would miss in another, each in a line."""
    now = _objects(after)
    for name, old in _objects(before).items():
        new = now.get(name)
        if new is None:
            yield f"{name}: the table is gone or has another name"
            continue
        columns = {column["name"]: column for column in new["properties"]}
        for column in old["properties"]:
            yield from _broken_column(name, column, columns.get(column["name"]))
        key, other = _key(old), _key(new)
        if key != other:
            yield f"{name}: the key ({', '.join(key)}) is now ({', '.join(other)})"


def _broken_column(
    table: str, old: Mapping[str, Any], new: Mapping[str, Any] | None
) -> Iterator[str]:
    name = f"{table}.{old['name']}"
    if new is None:
        yield f"{name}: the column is gone or has another name"
        return
    if old["physicalType"] != new["physicalType"]:
        yield f"{name}: the type {old['physicalType']} is now {new['physicalType']}"
    if old.get("required") and not new.get("required"):
        yield f"{name}: it was never empty and may be now"


def _version(before: Contract, after: Contract, *, broken: bool) -> str:
    """Return the version of a contract that follows another."""
    major, minor, patch = map(int, before["version"].split("."))
    if broken:
        return f"{major + 1}.0.0"
    if _names(after) - _names(before):
        return f"{major}.{minor + 1}.0"
    if after | {"version": before["version"]} != before:
        return f"{major}.{minor}.{patch + 1}"
    return str(before["version"])


def _names(contract: Contract) -> set[tuple[str, ...]]:
    """Return what a contract offers: tables, columns, codes, columns that are never empty."""
    found: set[tuple[str, ...]] = set()
    for name, table in _objects(contract).items():
        found.add((name,))
        for column in table["properties"]:
            found.add((name, column["name"]))
            found.update((name, column["name"], code["value"]) for code in column.get("enum", ()))
            if column.get("required"):
                found.add((name, column["name"], "required", ""))
    return found


def _objects(contract: Contract | None) -> dict[str, dict[str, Any]]:
    return {table["name"]: table for table in (contract or {}).get("schema", ())}


def _key(table: Mapping[str, Any]) -> list[str]:
    keys = [column for column in table["properties"] if column.get("primaryKey")]
    return [column["name"] for column in sorted(keys, key=lambda c: c["primaryKeyPosition"])]


def _around(publisher: str, stale_days: float) -> Contract:
    """Return what a contract says besides its tables."""
    return {
        "apiVersion": STANDARD,
        "kind": "DataContract",
        "id": NAME,
        "name": "Mapa Social da Saúde",
        "version": FIRST,
        "status": "active",
        "domain": "saude",
        "description": {
            "purpose": "Oferta regulada do SUS e quem espera por ela: o que o Mapa Social da Saúde "
            "publica.",
            "usage": USAGE,
            "limitations": LIMITATIONS,
        },
        "authoritativeDefinitions": [{"url": LICENCE_URL, "type": "license"}],
        "team": {"name": publisher},
        "servers": [
            {
                "server": "arquivos",
                "type": "duckdb",
                "database": store.DATABASE,
                "schema": "main",
                "description": "Ao lado deste arquivo, como `parquet/`, `csv/` e `xlsx/`.",
            }
        ],
        "slaProperties": [
            {
                "property": "frequency",
                "value": 1,
                "unit": "d",
                "description": "Cada noite traz uma versão, quando algo mudou.",
            },
            {
                "property": "latency",
                "value": stale_days,
                "unit": "d",
                "description": "Idade dos dados das fontes a partir da qual a casa avisa que estão "
                "velhos. `pub_atualizacao` diz a data de referência de cada assunto.",
            },
        ],
        "customProperties": [{"property": "licenca", "value": LICENCE}],
    }


def _object(published: Published, codes: Codes) -> dict[str, Any]:
    """Describe one table."""
    table = published.table
    properties = [
        _property(published, column, kind, codes.get((table.name, column.name)))
        for column, kind in zip(table.columns, published.types, strict=True)
    ]
    found: dict[str, Any] = {
        "name": table.name,
        "physicalName": table.name,
        "physicalType": "table",
        "logicalType": "object",
        "description": table.description,
        "tags": [table.subject],
        "properties": properties,
    }
    if table.grain:
        found["dataGranularityDescription"] = f"Uma linha por {', '.join(table.grain)}."
    if quality := [_quality(check) for check in table.checks if not check.column]:
        found["quality"] = quality
    return found


def _property(
    published: Published,
    column: Column,
    kind: str,
    codes: Sequence[tuple[str, str]] | None,
) -> dict[str, Any]:
    """Describe one column."""
    table = published.table
    found: dict[str, Any] = {
        "name": column.name,
        "physicalType": kind,
        "logicalType": next((name for form, name in LOGICAL if form.match(kind)), "string"),
        "description": column.description,
        "classification": column.lgpd,
        "required": column.required or column.name in table.grain,
    }
    if found["logicalType"] == "array":
        inner = kind.removesuffix("[]")
        logical = next((name for form, name in LOGICAL if form.match(inner)), "string")
        found["items"] = {"physicalType": inner, "logicalType": logical}
    if column.name in table.grain:
        found |= {"primaryKey": True, "primaryKeyPosition": table.grain.index(column.name) + 1}
    if codes:
        found["enum"] = [{"value": code, "label": label} for code, label in codes]
    references = [
        {"to": f"{reference.table}.{reference.field}"}
        for reference in dict.fromkeys(table.references)
        if reference.column == column.name
    ]
    if references:
        found["relationships"] = references
    if quality := [_quality(check) for check in table.checks if check.column == column.name]:
        found["quality"] = quality
    return found


def _quality(check: Check) -> dict[str, Any]:
    """Describe a test; those that the standard knows as a metric of it, the others as dbt's."""
    about = {"name": check.name, "severity": "error"}
    if check.description:
        about["description"] = check.description
    if check.kind == "not_null":
        return about | {"type": "library", "metric": "nullValues", "mustBe": 0}
    return about | {"type": "custom", "engine": "dbt", "implementation": check.kind}
