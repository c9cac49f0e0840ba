"""The mirror of the sources' variables: every field of every layout, and what becomes of it.

What a field means stands in the `_sources.yml`; which columns come from it is read off the compiled
SQL; why none does is a text of the project. A field is also what an object holds inside, and what
the loaders never let in.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from openpyxl import Workbook

from mapa.dictionary import entries, files
from mapa.site.dictionary import OWN_SOURCE, TYPES, Dictionary
from mapa.site.lineage import Field
from mapa.site.text import UNKNOWN
from mapa.sources import SOURCES
from mapa.spreadsheets import harmless

EXAMPLES = Path(__file__).with_suffix(".yml")
WITHHELD = "nunca_carregado"
"""Why a field that the loaders drop is not read."""
UNTOLD = "Ainda não se escreveu a razão."
"""What stands for a reason that the project owes: a test holds that none is owed."""
OURS = "valores_implausiveis"
"""A column of staging that says what was set aside, whichever fields there are."""
KEY = "_chave"
"""The column of raw in which a loader keeps the key of a record, cleaned."""
MEMBER = re.compile(r"(\w+) \w+(?=[,)])")
ARRIVALS = {
    "indice": "índice da API de busca do SISREG",
    "arquivo": "arquivo, reconhecido pelo cabeçalho",
    "relatorio": "relatório do SISREG, lido por um mapa de células",
    "consulta": "registro que o carregador faz de cada consulta",
}
"""How a layout comes, as `Layout.arrival`."""
FORMS = {
    "dd/mm/aaaa": "01/06/2026",
    "dd.mm.aaaa": "01.06.2026",
    "HH:MM": "08:00",
    "HH:MM:SS": "08:00:00",
    "AAAAMM": "202606",
}
"""Forms that meanings name, with a value of each."""
LISTED = re.compile(r"\. `(\w+)`(?=,| ou | [a-zà-ú])(?! quando)")
"""The first value of a list in a meaning."""
GONE, RETYPED = "ausente na última carga", "veio com outro tipo na última carga"


@dataclass(frozen=True)
class Variable:
    """One field of a layout; the names are the headings of the spreadsheet.

    Attributes:
        leiaute: name of the layout.
        tabela: of raw, with its schema.
        campo: as the source calls it, a part of an object with a dot.
        significado: in Markdown.
        tipo: as it is kept and read, in words.
        exemplo: of its form, made up.
        coluna: of raw in which it lands; empty when it is never loaded.
        colunas: columns of the warehouse computed of it, one step on.
        publicadas: published columns that come from it in the end.
        ate_a_camada: the last layer in which a column comes from it.
        por_que_nao: why no column does; empty when one does.
        classe_lgpd: of the column of raw; empty when it is never loaded.
        diferenca: what the newest load found otherwise; empty: nothing.

    """

    leiaute: str
    tabela: str
    campo: str
    significado: str
    tipo: str
    exemplo: str
    coluna: str
    colunas: tuple[str, ...]
    publicadas: tuple[str, ...]
    ate_a_camada: str
    por_que_nao: str
    classe_lgpd: str
    diferenca: str

    @property
    def published_in(self) -> list[str]:
        """Return the published tables in which its columns stand, each once."""
        return list(dict.fromkeys(name.partition(".")[0] for name in self.publicadas))


@dataclass(frozen=True)
class Layout:
    """A layout and its fields.

    Attributes:
        name: by which `mapa load export --describe` knows it.
        table: of raw, with its schema.
        description: in Markdown.
        arrival: how it comes, in words.
        ours: whether this project made it up, because none is published.
        key: fields that identify a record.
        variables: in the order of the layout, what is never loaded last.
        unknown: fields that loads have seen and the layout does not know.

    """

    name: str
    table: str
    description: str
    arrival: str
    ours: bool
    key: tuple[str, ...]
    variables: tuple[Variable, ...]
    unknown: int


def layouts(dictionary: Dictionary, drift: Iterable[Mapping[str, Any]] = ()) -> list[Layout]:
    """Return every layout with every field.

    Args:
        dictionary: what dbt knows of the build.
        drift: of a version's manifest, `source_drift`.
    """
    found = {facts["table"]: facts for facts in drift}
    mirror = _Mirror(dictionary)
    order = list(dict.fromkeys(source.schema for source in SOURCES))
    nodes = [
        node
        for node in dictionary.manifest["sources"].values()
        if not node["unique_id"].startswith(OWN_SOURCE)
    ]
    return [
        mirror.layout(node, found.get(f"{node['schema']}.{node['name']}", {}))
        for node in sorted(nodes, key=lambda node: (order.index(node["schema"]), node["name"]))
    ]


class _Mirror:
    """What every layout needs to know of the build."""

    def __init__(self, dictionary: Dictionary) -> None:
        self.nodes = dictionary.manifest["nodes"]
        self.texts = {
            name: " ".join(text.split())
            for prefix in ("campo_", "nao_lido_")
            for name, text in dictionary.texts(prefix).items()
        }
        self.catalog = dict(dictionary.catalog)
        self.children = defaultdict[Field, list[Field]](list)
        for table, node in self.nodes.items():
            for column in node["columns"] if node["resource_type"] == "model" else ():
                if column != OURS and column[0] != "_":
                    for parent in dictionary.lineage.near(table, column):
                        self.children[parent].append((table, column))

    def layout(self, node: Mapping[str, Any], drift: Mapping[str, Any]) -> Layout:
        meta = node["config"]["meta"]
        names = [(name, column) for name, column in node["columns"].items() if name[0] != "_"]
        told = {GONE: drift.get("missing", ()), RETYPED: drift.get("retyped", ())}
        return Layout(
            name=meta.get("formato", node["name"]),
            table=f"{node['schema']}.{node['name']}",
            description=" ".join(node["description"].split()),
            arrival=ARRIVALS[meta.get("chegada", "arquivo")],
            ours=bool(meta.get("proprio")),
            key=tuple(meta["chave"]),
            variables=tuple(
                self._variable(node, name, column, told) for name, column in self._all(meta, names)
            ),
            unknown=drift.get("unknown", 0),
        )

    def _all(
        self, meta: Mapping[str, Any], names: Sequence[tuple[str, Mapping[str, Any]]]
    ) -> Iterator[tuple[str, Mapping[str, Any] | None]]:
        """Yield every field with its column of raw; None is that of what is never loaded."""
        for name, column in names:
            yield name, column
            for part in MEMBER.findall(column.get("data_type") or ""):
                yield f"{name}.{part}", column
        for name in meta.get("nunca_carregadas", ()):
            yield name, None

    def _variable(
        self,
        node: Mapping[str, Any],
        name: str,
        column: Mapping[str, Any] | None,
        told: Mapping[str, Iterable[str]],
    ) -> Variable:
        meta, raw = node["config"]["meta"], name.partition(".")[0]
        inside = "." in name or column is None
        table = f"{node['schema']}.{node['name']}"
        meaning = self.texts.get(f"campo_{name.replace('.', '_')}", "") if inside else ""
        if not inside and column is not None:
            meaning = " ".join(column["description"].split())
        near, far, layer = self._from(node["unique_id"], raw, meta) if column else ([], [], "")
        why = column["config"]["meta"].get("nao_lido") if column else WITHHELD
        return Variable(
            leiaute=meta.get("formato", node["name"]),
            tabela=table,
            campo=name,
            significado=meaning,
            tipo=self._kind(name, column, near),
            exemplo=example(meta.get("formato", node["name"]), name.rpartition(".")[2], meaning),
            coluna=raw if column else "",
            colunas=tuple(map(self._name, near)),
            publicadas=tuple(map(self._name, far)),
            ate_a_camada=entries.LAYERS[layer] if layer else "",
            por_que_nao="" if near else self.texts.get(f"nao_lido_{why}", UNTOLD),
            classe_lgpd=(entries.lgpd(dict(column)) or "") if column else "",
            diferenca="; ".join(said for said, gone in told.items() if name in gone),
        )

    def _from(
        self, table: str, column: str, meta: Mapping[str, Any]
    ) -> tuple[list[Field], list[Field], str]:
        """Return the columns one step on, the published ones, and the last layer of any."""
        parents = [(table, column)]
        if meta.get("registro") and column in meta["chave"]:
            parents.append((table, KEY))
        near = sorted({child for parent in parents for child in self.children[parent]})
        seen, queue = set(near), list(near)
        while queue:
            for child in self.children[queue.pop()]:
                if child not in seen:
                    seen.add(child)
                    queue.append(child)
        layer_of = {child: entries.layer_of(self.nodes[child[0]]) for child in seen}
        order = list(entries.LAYERS)
        last = max(layer_of.values(), key=order.index, default="")
        return near, sorted(child for child in seen if layer_of[child] == order[-1]), last

    def _name(self, field: Field) -> str:
        return f"{self.nodes[field[0]]['name']}.{field[1]}"

    def _kind(self, name: str, column: Mapping[str, Any] | None, near: Iterable[Field]) -> str:
        """Say how a field is kept and what it is read as."""
        if column is None:
            return "texto"
        if "." not in name and (column.get("data_type") or "").startswith("STRUCT"):
            return "lista de objetos"
        if "." in name:
            return "texto, em um objeto"
        for table, child in near:
            told = entries.types_of(table, self.catalog).get(child.lower(), "")
            kind = next((word for sign, word in TYPES if re.match(sign, told)), "texto")
            if kind != "texto":
                return f"texto, lido como {kind}"
        return "texto"


@cache
def _examples() -> list[tuple[re.Pattern[str], str, re.Pattern[str]]]:
    rules = yaml.safe_load(EXAMPLES.read_text(encoding="utf-8"))
    return [
        (re.compile(name), shown, re.compile("".join(layout))) for name, shown, *layout in rules
    ]


def example(layout: str, name: str, meaning: str) -> str:
    """Return a made-up value of the form that a field has; a dash when none is known.

    Args:
        layout: its name.
        name: of the field, or of the part of an object.
        meaning: of the field; a form or a first value in it, after a full stop, is an example.

    Example:
        >>> example("escala", "hora_inicial", "Início do bloco, `HH:MM` ou `HH:MM:SS`.")
        '08:00'
        >>> example("cnes_estabelecimento", "tp_pfpj", "Natureza da pessoa. `1` física.")
        '1'
    """
    for form, shown in FORMS.items():
        if f"`{form}`" in meaning:
            return shown
    if listed := LISTED.search(meaning):
        return listed[1]
    for pattern, shown, of in _examples():
        if pattern.search(name) and of.search(layout):
            return shown
    return UNKNOWN


def write(found: Iterable[Layout], folder: Path, names: tuple[str, str], data: str) -> None:
    """Write the mirror as a workbook and as CSV, a row for each field.

    Args:
        found: the layouts.
        folder: where the files go.
        names: of the workbook and of the CSV.
        data: what the data are, one of `entries.DATA`.
    """
    headings = (*(field.name for field in fields(Variable)), "dados")
    rows = [
        (*(", ".join(cell) if isinstance(cell, tuple) else cell for cell in astuple(one)), data)
        for layout in found
        for one in layout.variables
    ]
    book = Workbook()
    book.remove(book.worksheets[0])
    files.fill(book.create_sheet("Variáveis"), headings, rows)
    book.properties.title = "Mapa Social da Saúde — espelho das variáveis das fontes"
    book.properties.creator = "Mapa Social da Saúde"
    book.save(folder / names[0])
    with (folder / names[1]).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow(headings)
        writer.writerows([harmless(cell) for cell in row] for row in rows)
