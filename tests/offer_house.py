"""A house with nothing but an offer in it: export files written, loaded, built and read back.

The tests of the offer state situations in rows of the source's own columns; everything between
those rows and the marts is the real thing.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np

from conftest import environment, house_environment
from mapa import warehouse
from mapa.dbt import run_dbt
from mapa.layouts import named
from mapa.load import exports
from mapa.settings import Settings
from mapa_city import identifiers

Row = dict[str, str]
Delivery = Mapping[str, list[Row]]
"""Rows of each layout, by the name of the layout."""

REFERENCE = date(2026, 6, 30)
CENTRAL = "530010"
MODELS = (
    "+oferta_por_dia",
    "+oferta_real_por_mes",
    "+oferta_diario",
    "+oferta_retiradas_por_mes",
    "+qualidade_escalas",
    "dicionario_codigos",
)
SLOTS = {
    "primeira_vez": "qtd_vagas_prim_vez",
    "retorno": "qtd_vagas_retorno",
    "reserva": "qtd_vagas_reserva",
}
"""Kinds of slot in the order that breaks ties, and the column of the source that counts each."""

SCHEDULE: Row = {
    "cod_central_exec": CENTRAL,
    "desc_central_exec": "CENTRAL FICTICIA",
    "nome_profissional_exec": "PROFISSIONAL FICTICIO",
    "cod_cbo": "225265",
    "desc_cnes_exec": "UNIDADE FICTICIA",
    "desc_procedimento_interno": "PROCEDIMENTO FICTICIO",
    "quebra_automatica": "SIM",
    "agenda_local": "NAO",
    "data_ultima_alteracao": "01/02/2026",
    "hora_ultima_alteracao": "10:00",
    "status": "ATIVA",
}
"""What schedules have in common unless a test says otherwise."""


@dataclass(frozen=True)
class Codes:
    """The codes of one situation, so that no two situations touch each other."""

    number: int

    def unit(self, index: int) -> str:
        """Return a CNES; the order of the units is that of their indices."""
        return f"{self.number * 10 + index:07d}"

    def procedure(self, index: int) -> str:
        """Return the code of a procedure; 0 is that of the group of the others."""
        return f"{self.number:04d}{index:03d}"

    def professional(self, index: int) -> str:
        """Return a CPF."""
        return str(identifiers.cpf(np.array([self.number * 10 + index]))[0])

    def record(self, index: int) -> str:
        """Return the number of a schedule or leave."""
        return str(self.number * 100 + index)


def number_of_unit(cnes: str) -> int:
    """Return the number of the situation to which a unit belongs."""
    return int(cnes) // 10


def day_text(day: date | None) -> str:
    """Write a date as the exports do."""
    return f"{day:%d/%m/%Y}" if day else ""


@dataclass(frozen=True)
class OfferHouse:
    """A warehouse of its own, with what is needed to load and build it."""

    directory: Path
    env: dict[str, str]
    settings: Settings

    @classmethod
    def at(cls, directory: Path) -> OfferHouse:
        """Make an empty house."""
        env = house_environment(directory)
        with environment(env):
            return cls(directory, env, Settings.load())

    def load(
        self,
        deliveries: Iterable[Delivery],
        days: Iterable[date | None] = (),
        whole: exports.Completeness = exports.WHOLE,
    ) -> None:
        """Load deliveries one after the other, each a file per layout in the order given.

        Args:
            deliveries: what is delivered.
            days: on which each is seen; today when there are no more.
            whole: how to read what a delivery lacks.

        """
        for number, (delivery, day) in enumerate(
            zip(deliveries, chain(days, repeat(None)), strict=False), start=1
        ):
            folder = self.directory / f"delivery_{number}"
            folder.mkdir()
            written = [_write(folder, name, rows) for name, rows in delivery.items() if rows]
            exports.load(self.settings, written, whole, seen_on=day)

    def build(
        self, *, tested: bool = False, models: Iterable[str] = MODELS, **variables: object
    ) -> None:
        """Build the offer; on request with those data tests that need nothing but the offer."""
        left_out = ("unit_test",) if tested else ("unit_test", "test")
        chosen = {"data_referencia": REFERENCE.isoformat(), **variables}
        options = (
            *("--select", *models),
            *("--indirect-selection", "cautious"),
            *("--exclude-resource-types", *left_out),
            *("--vars", json.dumps(chosen)),
        )
        with environment(self.env):
            run_dbt(self.settings, "build", *options, title="dbt build")

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        with warehouse.connect(self.settings.warehouse, read_only=True) as con:
            cursor = con.execute(sql)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _write(folder: Path, layout_name: str, rows: list[Row]) -> Path:
    """Write an export file; columns that the rows do not name are empty."""
    layout = named(layout_name)
    path = folder / f"{layout_name}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, layout.columns, restval="", delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    return path
