"""The impact report on personal data (RIPD), in Portuguese, from the classes of the columns.

`docs/tratamentos.yml` says of each treatment whose data it is about, for what, on which legal basis
and for how long, by raw table. A column of any later table has the treatments of the raw tables
that its own is made of, by dbt's lineage.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from mapa.dictionary.entries import LAYERS, documented, first_line, layer_of, lgpd

FILE = Path("docs") / "tratamentos.yml"
REPORT = "ripd.md"
PERSONAL = {"pessoal": "pessoal", "sensivel": "sensivel", "pseudonimo": "pessoal"}
"""Classes of personal data, and the legal basis that each asks for: a pseudonym is a person's."""
TEXTS = ("titulo", "titulares", "finalidade", "retencao", "riscos", "salvaguardas")
NONE = "não há dados sensíveis"


@dataclass(frozen=True)
class Personal:
    """A column of a person, and the treatments that it belongs to."""

    layer: str
    table: str
    column: str
    kind: str
    description: str
    treatments: tuple[str, ...]


def read(project: Path) -> list[dict[str, Any]]:
    """Return the treatments; none where the project has no such file, so that each is missed."""
    if not (project / FILE).exists():
        return []
    content = yaml.safe_load((project / FILE).read_text("utf-8"))
    treatments: list[dict[str, Any]] = content["tratamentos"]
    return treatments


def personal(manifest: dict[str, Any], treatments: list[dict[str, Any]]) -> Iterator[Personal]:
    """Yield every column of a person, in the order in which data flow."""
    for node in documented(manifest):
        columns = {name: c for name, c in node["columns"].items() if lgpd(c) in PERSONAL}
        if not columns:
            continue
        roots = sorted(_roots(manifest, node["unique_id"]))
        named = {of for root in roots if (of := _treatment(_name(manifest, root), treatments))}
        for name, column in columns.items():
            yield Personal(
                LAYERS[layer_of(node)], node["name"], name, str(lgpd(column)),
                first_line(column["description"]), tuple(sorted(named)),
            )  # fmt: skip


def problems(manifest: dict[str, Any], treatments: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what is missing: of a treatment, or the treatment of a column or of a raw table."""
    columns = list(personal(manifest, treatments))
    for treatment in treatments:
        name = treatment.get("nome", "without a name")
        lacking = [text for text in TEXTS if not str(treatment.get(text) or "").strip()]
        bases = treatment.get("base_legal") or {}
        kinds = {PERSONAL[c.kind] for c in columns if name in c.treatments} | {"pessoal"}
        lacking += [f"base_legal.{kind}" for kind in sorted(kinds) if not bases.get(kind)]
        yield from (f"treatment {name}: {text} is missing" for text in lacking)
        tables = {_name(manifest, unique_id) for unique_id in manifest["sources"]}
        for pattern in treatment.get("tabelas", []):
            if not any(fnmatchcase(table, pattern) for table in tables):
                yield f"treatment {name}: {pattern} names no raw table"
    for unique_id, node in manifest["sources"].items():
        held = [name for name, column in node["columns"].items() if lgpd(column) in PERSONAL]
        if held and not _treatment(table := _name(manifest, unique_id), treatments):
            yield f"{table}.{held[0]} is of a person, and no treatment names its table"
    for column in columns:
        if not column.treatments:
            yield f"{column.table}.{column.column} is of a person, and has no treatment"


def _name(manifest: dict[str, Any], source: str) -> str:
    node = manifest["sources"][source]
    return f"{node['schema']}.{node['name']}"


def _roots(manifest: dict[str, Any], unique_id: str) -> set[str]:
    """Return the sources with a column of a person that a table is made of, itself included."""
    seen, waiting = set[str](), [unique_id]
    while waiting:
        if (name := waiting.pop()) not in seen:
            seen.add(name)
            waiting += manifest["parent_map"].get(name, [])
    sources = {name for name in seen if name in manifest["sources"]}
    return {
        name
        for name in sources
        if any(lgpd(column) in PERSONAL for column in manifest["sources"][name]["columns"].values())
    }


def _treatment(table: str, treatments: list[dict[str, Any]]) -> str | None:
    """Return the treatment of a raw table; the one that names it exactly goes first."""
    for is_named in (str.__eq__, fnmatchcase):
        for treatment in treatments:
            if any(is_named(table, pattern) for pattern in treatment.get("tabelas", [])):
                return str(treatment["nome"])
    return None


def report(manifest: dict[str, Any], treatments: list[dict[str, Any]], data: str) -> str:
    """Return the report in Markdown; `data` says what the data are that it goes with."""
    columns = list(personal(manifest, treatments))
    return "\n".join(
        [
            "# Relatório de impacto à proteção de dados pessoais (RIPD)",
            "",
            "Gerado por `mapa dictionary` do dicionário e de `docs/tratamentos.yml`; dados "
            f"{data}. Documento restrito: descreve o tratamento, não contém dados de pessoas.",
            "As bases legais são a proposta do projeto e dependem do encarregado de cada órgão.",
            "",
            "## Tratamentos",
            *(line for treatment in treatments for line in _described(treatment, columns)),
            "",
            "## Onde estão os dados pessoais",
            "",
            *_by_layer(columns),
            "",
            "## Colunas",
            "",
            "Cada coluna com a sua classe, os tratamentos que a alcançam e a base legal da classe.",
            "",
            "| camada | tabela | coluna | classe | tratamentos | base legal | retenção |",
            "|---|---|---|---|---|---|---|",
            *(_row(column, {t["nome"]: t for t in treatments}) for column in columns),
            "",
        ]
    )


def _described(treatment: dict[str, Any], columns: list[Personal]) -> Iterator[str]:
    own = [column for column in columns if treatment["nome"] in column.treatments]
    kinds = Counter(column.kind for column in own)
    counted = ", ".join(f"{kinds[kind]} {kind}" for kind in PERSONAL if kinds[kind])
    yield from ("", f"### {treatment['titulo']} (`{treatment['nome']}`)", "")
    for heading, text in (
        ("Titulares", treatment["titulares"]),
        ("Finalidade", treatment["finalidade"]),
        ("Base legal (dados pessoais)", treatment["base_legal"]["pessoal"]),
        ("Base legal (dados sensíveis)", treatment["base_legal"].get("sensivel", NONE)),
        ("Retenção", treatment["retencao"]),
        ("Riscos", treatment["riscos"]),
        ("Salvaguardas", treatment["salvaguardas"]),
        ("Colunas alcançadas, por classe", counted or "nenhuma"),
    ):
        yield f"- **{heading}:** {' '.join(str(text).split())}"


def _by_layer(columns: list[Personal]) -> Iterator[str]:
    counts = Counter((column.layer, column.kind) for column in columns)
    yield f"| camada | {' | '.join(PERSONAL)} |"
    yield "|---|" + "---|" * len(PERSONAL)
    for layer in LAYERS.values():
        yield f"| {layer} | " + " | ".join(str(counts[layer, kind]) for kind in PERSONAL) + " |"


def _row(column: Personal, treatments: dict[str, dict[str, Any]]) -> str:
    own = [treatments[name] for name in column.treatments]
    bases = dict.fromkeys(t["base_legal"].get(PERSONAL[column.kind], NONE) for t in own)
    terms = dict.fromkeys(" ".join(t["retencao"].split()) for t in own)
    cells = (
        column.layer, column.table, column.column, column.kind, ", ".join(column.treatments),
        "; ".join(bases), "; ".join(terms),
    )  # fmt: skip
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
