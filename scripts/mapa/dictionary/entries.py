"""The dictionary as rows: one per column of every table, read from dbt's manifest and catalog."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

LAYERS = {
    "sources": "bruta",
    "seeds": "referência",
    "staging": "preparação",
    "intermediate": "intermediária",
    "marts": "resultados",
    "publicacao": "publicação",
}
IN_FORCE, DRAFT, DRAFTED = "em vigor", "em elaboração", "em_elaboracao"
"""States of an entry, and `config.meta.situacao` of one that is drafted."""
DATA = {True: "sintéticos", False: "das fontes", None: "de origem não anotada"}
"""What the data are that the dictionary goes with, by whether they are simulated."""


@dataclass(frozen=True)
class Entry:
    """One column; the field names are the headings of the spreadsheet."""

    camada: str
    schema: str
    tabela: str
    tabela_descricao: str
    coluna: str
    tipo: str
    descricao: str
    classe_lgpd: str
    no_grao: str
    origem: str
    testes: str
    situacao: str
    dados: str


@dataclass(frozen=True)
class TableEntry:
    """One table; the field names are the headings of the second sheet."""

    camada: str
    schema: str
    tabela: str
    descricao: str
    grao: str
    origem: str
    colunas: int
    arquivo: str
    situacao: str


HEADINGS = tuple(field.name for field in fields(Entry))
TABLE_HEADINGS = tuple(field.name for field in fields(TableEntry))


def layer_of(node: dict[str, Any]) -> str:
    """Return the key in `LAYERS` of a source, seed or model."""
    if node["resource_type"] == "source":
        return "sources"
    if node["resource_type"] == "seed":
        return "seeds"
    return str(node["original_file_path"]).split("/")[1]


def documented(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the project's sources, seeds and models, in the order in which data flow."""
    nodes = [
        node
        for node in [*manifest["sources"].values(), *manifest["nodes"].values()]
        if node["resource_type"] in {"source", "seed", "model"}
    ]
    order = list(LAYERS)
    return sorted(nodes, key=lambda n: (order.index(layer_of(n)), n["schema"], n["name"]))


def columns(
    manifest: dict[str, Any], catalog: dict[str, Any], data: str = DATA[None]
) -> Iterator[Entry]:
    """Yield every column of every table; `data` is one of `DATA`."""
    tests = _tests(manifest)
    for node in documented(manifest):
        types = types_of(node["unique_id"], catalog)
        grain = node["config"].get("meta", {}).get("grao", [])
        for name, column in node["columns"].items():
            yield Entry(
                camada=LAYERS[layer_of(node)],
                schema=node["schema"],
                tabela=node["name"],
                tabela_descricao=first_line(node["description"]),
                coluna=name,
                tipo=types.get(name.lower()) or column.get("data_type") or "",
                descricao=" ".join(column["description"].split()),
                classe_lgpd=lgpd(column) or "",
                no_grao="sim" if name in grain else "",
                origem=", ".join(parents(manifest, node["unique_id"])),
                testes=", ".join(tests.get((node["unique_id"], name), [])),
                situacao=state(column, state(node)),
                dados=data,
            )


def tables(manifest: dict[str, Any]) -> Iterator[TableEntry]:
    """Yield every table."""
    for node in documented(manifest):
        yield TableEntry(
            camada=LAYERS[layer_of(node)],
            schema=node["schema"],
            tabela=node["name"],
            descricao=node["description"].strip(),
            grao=", ".join(node["config"].get("meta", {}).get("grao", [])),
            origem=", ".join(parents(manifest, node["unique_id"])),
            colunas=len(node["columns"]),
            arquivo=node["original_file_path"],
            situacao=state(node),
        )


def state(described: dict[str, Any], otherwise: str = IN_FORCE) -> str:
    """Return the state of a table, or of a column of one whose state is `otherwise`."""
    if by := replacement(described):
        return f"substituída por {by}"
    return DRAFT if drafted(described) else otherwise


def replacement(described: dict[str, Any]) -> str:
    """Return the name of what replaces a table or column; empty when nothing does."""
    return str(described["config"].get("meta", {}).get("substituida_por") or "")


def drafted(described: dict[str, Any]) -> bool:
    """Return whether the form in which a table or column is to be published is still open."""
    return bool(described["config"].get("meta", {}).get("situacao") == DRAFTED)


def parents(manifest: dict[str, Any], unique_id: str) -> list[str]:
    """Return the names of the tables that a table is made of."""
    names = []
    for parent in manifest["parent_map"].get(unique_id, []):
        kind, _, *rest = parent.split(".")
        if kind in {"model", "seed", "source"}:
            names.append(".".join(rest))
    return sorted(names)


def lgpd(column: dict[str, Any]) -> str | None:
    """Return the class that the dictionary gives a column."""
    value = column["config"].get("meta", {}).get("lgpd")
    return str(value) if value else None


def first_line(description: str) -> str:
    """Return the first sentence of a table's description, which says what it is."""
    return description.strip().partition("\n")[0]


def types_of(unique_id: str, catalog: dict[str, Any]) -> dict[str, str]:
    """Return the types that a table's columns have in the database, by lower-case name."""
    table = {**catalog.get("nodes", {}), **catalog.get("sources", {})}.get(unique_id)
    if table is None:
        return {}
    return {name.lower(): str(column["type"]).lower() for name, column in table["columns"].items()}


def _tests(manifest: dict[str, Any]) -> dict[tuple[str, str], list[str]]:
    """Return the names of the tests of each column."""
    found: dict[tuple[str, str], list[str]] = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test" and node.get("attached_node"):
            for column in tested(node, manifest["nodes"][node["attached_node"]]):
                found.setdefault((node["attached_node"], column), []).append(node["name"])
    return found


def tested(test: dict[str, Any], table: dict[str, Any]) -> list[str]:
    """Return the columns that a test looks at; of most tests of a whole table this is not known.

    Two tests of `tests/generic` read from the graph which columns they are.
    """
    if test["column_name"]:
        return [test["column_name"]]
    metadata = test.get("test_metadata") or {}
    given = metadata.get("kwargs", {})
    if metadata.get("name") == "grao_unico":
        return [str(name) for name in table["config"].get("meta", {}).get("grao", [])]
    if metadata.get("name") == "nunca_negativas":
        kept = set(given.get("exceto", []))
        names = [name for name in table["columns"] if name.startswith("qtd_") and name not in kept]
        return [*names, *map(str, given.get("tambem", []))]
    return []
