"""The dictionary that the site shows, read from dbt's records and the project's list of codes."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mapa.dictionary import entries
from mapa.site.lineage import Lineage
from mapa.site.prose import sentences

PUBLIC = "publicacao"
"""Layer of what anybody may read."""
HISTORY, LISTS = "docs/historico.md", "seeds/dicionario_codigos.csv"
"""Files of the project: its history, and its lists of codes."""
OWN_SOURCE = "source.mapa.controle."
"""Tables of the project's own record of its loads."""
UNITS = (
    (r"qtd_(vagas|oferta|ppi|teto|programadas)", "vagas"),
    (r"(qtd|saldo)_", "contagem"),
    (r"pct_", "por cento, de 0 a 100"),
    (r"((mediana|p90)_)?dias_|retirada_aviso|(limite|horizonte)_dias$", "dias corridos"),
    (r"valor_(medido|limite|distancia)$", "a que `unidade_codigo` diz"),
    (r"valor_", "reais"),
    (r"exercicio$", "ano"),
    (r".+_ordem$", "posição, a partir de 1"),
    (r"(minuto|minutos)_", "minutos"),
    (r"horas_", "horas"),
    (r"(.+_)?competencia$", "mês, escrito como o seu primeiro dia"),
    (r"(data|desde|ate|visto)(_|$)", "data"),
    (r"momento_", "data e hora de Brasília"),
    (r"(eh|tem|foi|pode|era|podia)_|.*_em_vigor$", "verdadeiro ou falso"),
    (r"populacao", "pessoas"),
    (r"mosaico_", "posição no mosaico"),
    (r".*_(codigo|cnes|ibge|sigla|id)$", "código"),
    (r".*_(nome|descricao)$", "texto"),
)
"""What a column's name says about its unit: the conventions of the house, the first that fits."""
TYPES = (
    (r".*\[\]|struct|map|json", "lista ou objeto"),
    (r"varchar|text|string", "texto"),
    (r"timestamp", "data e hora"),
    (r"date", "data"),
    (r"bool", "verdadeiro ou falso"),
    (r"double|float|decimal|numeric", "número com decimais"),
    (r".*int", "número inteiro"),
)
RESULTS = {
    "pass": "passou",
    "success": "passou",
    "warn": "passou com aviso",
    "skipped": "não rodou",
}
"""What dbt's statuses are called; any other is a failure."""
KINDS = {
    "grao_unico": "a chave identifica uma só linha e nunca falta",
    "codigo_no_dicionario": "só códigos da lista",
    "not_null": "nunca nulo",
    "unique": "nunca se repete",
    "nunca_negativas": "nunca abaixo de zero",
    "primeiro_dia_do_mes": "sempre o primeiro dia do mês",
    "accepted_values": "só os valores previstos",
    "no_intervalo": "dentro do intervalo previsto",
    "soma_confere": "as partes somam o total",
    "mesmo_total": "a soma é a de outra tabela",
    "relationships": "existe na tabela a que se refere",
}
FORMULA = ("Fórmula: ", "Conta: ")
NOTHING = re.compile(r"\b(nul[oa]s?|vazi[oa]s?|não divulgad[oa]s?)\b", re.IGNORECASE)
REFERENCE = re.compile(r"""(?:ref|source)\(\s*['"](?:[^'"]+['"]\s*,\s*['"])?([^'"]+)['"]""")


COVER_PAGE = "exposure.mapa.site_dicionario"
"""The page whose metadata say what it is published under."""


@dataclass(frozen=True)
class Agreement:
    """What is published under; what was not told is None and never guessed.

    Attributes:
        what: its name and parties.
        number: or its term.
        approver: who approves the dictionary.

    """

    what: str | None
    number: str | None
    approver: str | None


@dataclass(frozen=True)
class Code:
    """A value that a column may have, and what it means."""

    code: str
    label: str = ""
    meaning: str = ""


@dataclass(frozen=True)
class Test:
    """What is checked at each build; `result` is how it ended, None when that is not at hand."""

    name: str
    what: str
    result: str | None = None


@dataclass(frozen=True)
class Column:
    """A column: what its page says in separate fields.

    Attributes:
        name: in the database.
        type: as the database calls it, or the project when there is no such table yet.
        kind: the type in words.
        unit: by the name's convention; empty when it says none.
        description: in Markdown.
        formula: what it says of how it is worked out; empty when it says nothing.
        nothing: sentences of it that say what a missing value means.
        lgpd: class; empty where a source gives none.
        state: whether it is in force, drafted, or replaced by another.
        key: whether it belongs to the key of the table.
        codes: allowed values, with labels where a list has them.
        bounds: smallest and greatest value allowed.
        refers: table and column that hold each of its values.
        tests: that look at it.
        near: `tabela.coluna` of what it is computed of, one step back.
        far: tables of the sources with the fields that it comes from in the end, without those that
            only say which version of a row holds; of published columns alone.

    """

    name: str
    type: str
    kind: str
    unit: str
    description: str
    formula: str
    nothing: tuple[str, ...]
    lgpd: str
    state: str
    key: bool
    codes: tuple[Code, ...]
    bounds: tuple[Any, Any] | None
    refers: tuple[str, str] | None
    tests: tuple[Test, ...]
    near: tuple[str, ...]
    far: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def anchor(self) -> str:
        """Return its place on the page, which stays the same for ever."""
        return f"coluna-{self.name}"


@dataclass(frozen=True)
class Table:
    """A source, seed or model.

    Attributes:
        name: as the dictionary calls it; a source's table is `fonte.tabela`.
        layer: key of `entries.LAYERS`.
        schema: in the database.
        description: in Markdown.
        grain: columns that identify a row.
        parents: names of the tables that it reads.
        children: names of the tables that read it.
        columns: in order.
        tests: of the whole table.
        state: as a column's.

    """

    name: str
    layer: str
    schema: str
    description: str
    grain: tuple[str, ...]
    parents: tuple[str, ...]
    children: tuple[str, ...]
    columns: tuple[Column, ...]
    tests: tuple[Test, ...]
    state: str

    @property
    def file(self) -> str:
        """Return the name of its page, which stays the same for ever."""
        return self.name.replace(".", "_") + ".html"

    @property
    def public(self) -> bool:
        """Return whether anybody may read it."""
        return self.layer == PUBLIC

    @property
    def layer_name(self) -> str:
        """Return what people call its layer."""
        return entries.LAYERS[self.layer]

    @property
    def title(self) -> str:
        """Return its first sentence."""
        return entries.first_line(self.description)

    @property
    def more(self) -> str:
        """Return what its description says after the first sentence."""
        return self.description.partition("\n")[2].strip()

    def column(self, name: str) -> Column | None:
        """Return one column, if it has it."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True)
class Dictionary:
    """What dbt knows of a build.

    Attributes:
        manifest: `manifest.json`.
        catalog: as `mapa.dictionary.catalog.of` makes it; may be empty.
        project: folder of the project, for its list of codes and its history.
        results: `run_results.json` of the build; None: how the tests ended is not said.

    """

    manifest: Mapping[str, Any]
    catalog: Mapping[str, Any]
    project: Path
    results: Mapping[str, Any] | None = None

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """Return all tables, public ones first, then from the results back to the sources."""
        nodes = entries.documented(dict(self.manifest))
        order = list(reversed(entries.LAYERS))
        found = [self._table(node) for node in nodes]
        return tuple(sorted(found, key=lambda table: (order.index(table.layer), table.name)))

    @cached_property
    def by_name(self) -> dict[str, Table]:
        """Return the tables by name."""
        return {table.name: table for table in self.tables}

    @cached_property
    def addresses(self) -> dict[str, str]:
        """Return where each table and `tabela.coluna` stands, seen from the dictionary's folder."""
        tables = {table.name: table.file for table in self.tables}
        columns = {
            f"{table.name}.{column.name}": f"{table.file}#{column.anchor}"
            for table in self.tables
            for column in table.columns
        }
        return columns | tables

    @cached_property
    def codes(self) -> dict[str, tuple[Code, ...]]:
        """Return the project's lists of codes."""
        lists = defaultdict[str, list[Code]](list)
        file = self.project / LISTS
        with file.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                lists[row["coluna"]].append(Code(row["codigo"], row["rotulo"], row["descricao"]))
        return {name: tuple(codes) for name, codes in lists.items()}

    def texts(self, prefix: str) -> dict[str, str]:
        """Return the project's doc blocks whose names begin so, in the order of its files."""
        return {
            doc["name"]: doc["block_contents"]
            for doc in self.manifest["docs"].values()
            if doc["package_name"] == "mapa" and doc["name"].startswith(prefix)
        }

    @cached_property
    def history(self) -> str:
        """Return what the project tells readers of how the data changed; empty when it does not."""
        file = self.project / HISTORY
        if not file.exists():
            return ""
        _, heading, told = file.read_text(encoding="utf-8").partition("\n## ")
        return (heading + told).lstrip("\n")

    @property
    def agreement(self) -> Agreement:
        """Return what is published under, as the variables of the project say."""
        page = self.manifest.get("exposures", {}).get(COVER_PAGE, {"config": {}})
        meta = page["config"].get("meta", {})
        told = (meta.get(name) or None for name in ("acordo", "acordo_numero", "orgao_aprovador"))
        return Agreement(*told)

    @cached_property
    def statuses(self) -> dict[str, str]:
        """Return how each node of the build ended, by its unique id."""
        rows = self.results["results"] if self.results else []
        return {row["unique_id"]: row["status"] for row in rows}

    @cached_property
    def _tests(self) -> dict[str, list[dict[str, Any]]]:
        """Return the tests of each table; one that is written by hand is of each that it reads."""
        found = defaultdict[str, list[dict[str, Any]]](list)
        for node in self.manifest["nodes"].values():
            if node["resource_type"] == "test":
                attached = node.get("attached_node")
                for table in [attached] if attached else node["depends_on"]["nodes"]:
                    found[table].append(node)
        return found

    @cached_property
    def _names(self) -> dict[str, str]:
        """Return what each table is called, by dbt's unique id."""
        return {node["unique_id"]: _name(node) for node in entries.documented(dict(self.manifest))}

    @cached_property
    def lineage(self) -> Lineage:
        """Return where the columns of the build come from."""
        return Lineage(self.manifest)

    def _near(self, table: str, column: str) -> tuple[str, ...]:
        near = self.lineage.near(table, column)
        return tuple(sorted(f"{self._names[of]}.{name}" for of, name in near))

    def _far(self, table: str, column: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        fields = defaultdict[str, list[str]](list)
        for of, name in sorted(self.lineage.far(table, column)):
            if not name.startswith("_") and not of.startswith(OWN_SOURCE):
                fields[self._names[of]].append(name)
        return tuple((of, tuple(names)) for of, names in sorted(fields.items()))

    def _table(self, node: dict[str, Any]) -> Table:
        unique_id = node["unique_id"]
        manifest, layer = dict(self.manifest), entries.layer_of(node)
        parents = tuple(entries.parents(manifest, unique_id))
        types = entries.types_of(unique_id, dict(self.catalog))
        grain = tuple(node["config"].get("meta", {}).get("grao", []))
        whole, single = list[Test](), defaultdict[str, list[dict[str, Any]]](list)
        for test in self._tests[unique_id]:
            columns = entries.tested(test, node) if test.get("attached_node") else []
            for column in columns:
                single[column].append(test)
            if not test.get("column_name"):
                whole.append(self._test(test))
        return Table(
            name=_name(node),
            layer=layer,
            schema=node["schema"],
            description=node["description"].strip(),
            grain=grain,
            parents=parents,
            children=_children(manifest, unique_id),
            columns=tuple(
                self._column(
                    column,
                    types.get(name.lower()) or column.get("data_type") or "",
                    single[name],
                    key=name in grain,
                    near=self._near(unique_id, name),
                    far=self._far(unique_id, name) if layer == PUBLIC else (),
                    ours=layer != "sources",
                    state=entries.state(column, entries.state(node)),
                )
                for name, column in node["columns"].items()
            ),
            tests=tuple(whole),
            state=entries.state(node),
        )

    def _column(  # noqa: PLR0913 - one field each
        self,
        column: dict[str, Any],
        kind: str,
        tests: list[dict[str, Any]],
        *,
        key: bool,
        near: tuple[str, ...],
        far: tuple[tuple[str, tuple[str, ...]], ...],
        ours: bool,
        state: str,
    ) -> Column:
        name, description = column["name"], column["description"].strip()
        said = sentences(description)
        codes: tuple[Code, ...] = ()
        allowed: tuple[str, ...] = ()
        bounds = refers = None
        for test in tests:
            metadata = test.get("test_metadata") or {}
            given = metadata.get("kwargs", {})
            match metadata.get("name"):
                case "codigo_no_dicionario":
                    codes = self.codes[given["dicionario"]]
                case "accepted_values":
                    allowed = tuple(map(str, given["values"]))
                case "no_intervalo":
                    bounds = (given.get("minimo"), given.get("maximo"))
                case "relationships":
                    if found := REFERENCE.search(given["to"]):
                        refers = (found[1], given["field"])
        if allowed:
            labelled = tuple(code for code in codes if code.code in allowed)
            codes = labelled or tuple(map(Code, allowed))
        return Column(
            name=name,
            type=kind.lower(),
            kind=next((word for sign, word in TYPES if re.match(sign, kind.lower())), ""),
            # A source names its columns as it likes.
            unit=next((word for sign, word in UNITS if re.match(sign, name)), "") if ours else "",
            description=description,
            formula=" ".join(part.partition(": ")[2] for part in said if part.startswith(FORMULA)),
            nothing=tuple(part for part in said if NOTHING.search(part)),
            lgpd=entries.lgpd(column) or "",
            state=state,
            key=key,
            codes=codes,
            bounds=bounds,
            refers=refers,
            tests=tuple(self._test(test) for test in tests),
            near=near,
            far=far,
        )

    def _test(self, node: dict[str, Any]) -> Test:
        kind = (node.get("test_metadata") or {}).get("name", "")
        status = self.statuses.get(node["unique_id"])
        return Test(
            name=node["name"],
            what=KINDS.get(kind, ""),
            result=status and RESULTS.get(status, "falhou"),
        )


def _name(node: Mapping[str, Any]) -> str:
    """Return what a table is called, as `entries.parents` calls it."""
    source = node.get("source_name")
    return f"{source}.{node['name']}" if source else str(node["name"])


def _children(manifest: Mapping[str, Any], unique_id: str) -> tuple[str, ...]:
    """Return the names of the models that read a table."""
    names = [child.split(".")[-1] for child in manifest["child_map"].get(unique_id, [])
             if child.startswith("model.")]  # fmt: skip
    return tuple(sorted(names))
