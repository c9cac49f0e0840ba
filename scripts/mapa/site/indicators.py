"""The sheets of the indicators, read from `indicators.yml`, and the columns that hold them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from mapa.site import text
from mapa.site.dictionary import Column, Dictionary, Table

FILE = Path(__file__).with_suffix(".yml")
STATES = {
    True: "publicado",
    False: "restrito",
    None: "ainda não calculado",
}
"""What an indicator is: in a published table, in a table of the house only, or in none."""

IMPOSSIBLE = "não calculável"
"""What it is when something that cannot be mended stands in its way."""

INPUTS = {
    "escalas": "Escalas",
    "afastamentos_unidade": "Afastamentos da unidade",
    "afastamentos": "Afastamentos do profissional",
    "feriados": "Feriados",
    "tetos": "Tetos",
    "ppi": "PPI",
}
OUTPUTS = {
    "espera": "Resultado no mês",
    "dias": "Resultado em alguns dias",
    "datas": "Datas com vagas",
    "diario": "Diário da oferta",
    "retiradas": "Vagas retiradas",
}
"""Parts of a golden case, with their titles; the others say nothing to a reader."""
FIELDS = {
    "de": "de",
    "ate": "até",
    "dia": "dia da semana",
    "horario": "horário",
    "vagas": "vagas por dia",
    "situacao": "situação",
    "codigo": "código",
    "cargas": "extrações em que aparece",
    "carga": "extração",
    "qtd": "quantidade",
    "mes": "mês",
    "some": "some depois",
    "local": "agenda local",
    "abrangencia": "abrangência",
    "ppi": "PPI",
    "real": "oferta real",
    "total": "oferta total",
    "ativas": "oferta ativa",
    "bloqueadas": "oferta bloqueada",
    "limite": "limite vinculante",
    "perdidas_ppi": "perdidas por PPI",
    "perdidas_teto": "perdidas por teto",
    "afastamento_unidade": "por afastamento da unidade",
    "afastamento_profissional": "por afastamento do profissional",
    "feriado": "por feriado",
    "tipos": "por tipo de vaga",
    "pct_retiradas": "% retiradas",
}
KINDS = ("primeira vez", "retorno", "reserva")
PARTS = ("total", "bloqueadas", "ativas", "real")


@dataclass(frozen=True)
class Example:
    """A golden case: what goes in and what must come out, worked by hand.

    Attributes:
        name: what the case shows.
        sum: the arithmetic, in words.
        inputs: title, headings and rows of each table of the situation.
        outputs: the same of what is expected.

    """

    name: str
    sum: str
    inputs: tuple[tuple[str, list[str], list[list[str]]], ...]
    outputs: tuple[tuple[str, list[str], list[list[str]]], ...]


@dataclass(frozen=True)
class Indicator:
    """One sheet; without a question it stands in the list only.

    Attributes:
        number: which is for ever, such as `4` or `47a`.
        name: what people call it.
        columns: `tabela.coluna` that hold it, published or not.
        question: that it answers.
        said: the other fields of the sheet, by their titles.
        caveats: what to mind.
        example: a golden case, as `casos.yml` has it.
        obstacle: why it cannot be computed, or nothing.

    """

    number: str
    name: str
    columns: tuple[str, ...] = ()
    question: str = ""
    said: Mapping[str, str] = field(default_factory=dict)
    caveats: tuple[str, ...] = ()
    example: Mapping[str, Any] | None = None
    obstacle: str = ""

    @property
    def address(self) -> str:
        """Return its page, seen from the folder of the indicators."""
        return f"{self.number}.html" if self.question else f"index.html#indicador-{self.number}"

    def places(self, dictionary: Dictionary) -> list[tuple[Table, Column]]:
        """Return the columns that hold it, published ones first.

        A published column of the same name is one of them where its table reads a table of these.

        Raises:
            KeyError: the sheet names a table that does not exist.
            LookupError: or a column.
        """
        found: dict[str, tuple[Table, Column]] = {}
        for name in self.columns:
            table_name, _, column_name = name.partition(".")
            table = dictionary.by_name[table_name]
            column = table.column(column_name)
            if column is None:
                raise LookupError(f"indicator {self.number}: {name} does not exist")
            found[name] = table, column
            for child in map(dictionary.by_name.__getitem__, table.children):
                if child.public and (twin := child.column(column_name)):
                    found[f"{child.name}.{column_name}"] = child, twin
        return sorted(found.values(), key=lambda place: not place[0].public)

    def state(self, dictionary: Dictionary) -> str:
        """Return one of `STATES`, or `IMPOSSIBLE`."""
        if self.obstacle:
            return IMPOSSIBLE
        places = self.places(dictionary)
        return STATES[any(table.public for table, _ in places) if places else None]


@cache
def sheets() -> tuple[Indicator, ...]:
    """Return all indicators of the catalogue, by number."""
    titles = {
        "formula": "Fórmula",
        "numerador": "Numerador",
        "denominador": "Denominador",
        "grao": "Grão",
        "fonte": "Fonte ou norma",
    }
    return tuple(
        Indicator(
            number=str(row["numero"]),
            name=row["nome"],
            columns=tuple(row.get("colunas", ())),
            question=row.get("pergunta", ""),
            said={title: row[key] for key, title in titles.items() if key in row},
            caveats=tuple(row.get("cuidados", ())),
            example=row.get("exemplo"),
            obstacle=row.get("impedimento", ""),
        )
        for row in yaml.safe_load(FILE.read_text(encoding="utf-8"))
    )


def used_by(dictionary: Dictionary) -> dict[str, dict[str, list[Indicator]]]:
    """Return the indicators that each column of each table holds."""
    found = defaultdict[str, dict[str, list[Indicator]]](lambda: defaultdict(list))
    for sheet in sheets():
        for table, column in sheet.places(dictionary):
            found[table.name][column.name].append(sheet)
    return found


def example(case: Mapping[str, Any]) -> Example:
    """Return a golden case as tables of texts."""
    return Example(
        name=case["nome"],
        sum=case["conta"],
        inputs=tuple(_table(INPUTS[key], case[key]) for key in INPUTS if case.get(key)),
        outputs=tuple(_table(OUTPUTS[key], case[key]) for key in OUTPUTS if case.get(key)),
    )


def _table(title: str, rows: list[Any]) -> tuple[str, list[str], list[list[str]]]:
    """Return title, headings and cells of a part of a case."""
    if not isinstance(rows[0], dict):
        return title, ["data"], [[_said("data", value)] for value in rows]
    keys = list(dict.fromkeys(key for row in rows for key in row))
    headings = [FIELDS.get(key, key.replace("_", " ")) for key in keys]
    return (
        title,
        headings,
        [[_said(key, row[key]) if key in row else "" for key in keys] for row in rows],
    )


def _said(key: str, value: Any) -> str:  # noqa: PLR0911 - one line for each kind of value
    """Write a value of a case for people."""
    if value is None:
        return "não informado"
    if isinstance(value, bool):
        return "sim" if value else "não"
    if isinstance(value, date):
        return f"{value:%d/%m/%Y %H:%M}" if hasattr(value, "hour") else text.day(value)
    if key == "vagas" and isinstance(value, list):
        return ", ".join(f"{_said('', n)} de {kind}" for kind, n in zip(KINDS, value, strict=True))
    if isinstance(value, list):
        return ", ".join(_said("", item) for item in value)
    if isinstance(value, dict):
        return "; ".join(
            f"{kind.replace('_', ' ')}: "
            + ", ".join(f"{part} {_said('', n)}" for part, n in zip(PARTS, numbers, strict=True))
            for kind, numbers in value.items()
        )
    if isinstance(value, float):
        return f"{value:.1f}".replace(".", ",")
    if isinstance(value, int):
        return text.number(value)
    if key in {"de", "ate"} and len(value) > len("2026-03-16"):
        day, _, hour = value.partition(" ")
        return f"{text.day(date.fromisoformat(day))} {hour}"
    return str(value).replace("_", " ")
