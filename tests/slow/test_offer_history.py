"""What must hold of any history of the offer: random networks that change from load to load.

All networks are drawn first and go through loaders and models together. What was known on each day
is built again with `conhecido_em`, and the diary must lead from one picture to the next.
"""

from __future__ import annotations

import pickle
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mapa.errors import BuildError
from mapa.load.exports import Completeness
from offer_house import SCHEDULE, SLOTS, Codes, Delivery, OfferHouse, Row, day_text

NETWORKS = 80
DAYS = (date(2026, 2, 24), date(2026, 3, 10), date(2026, 4, 7), date(2026, 5, 12))
WHOLE = Completeness(confirmed=True, tables=True)
HORIZON = 365
WEEKDAYS = ("SEG", "TER", "QUA", "QUI", "SEX")
CAUSES = {
    *("nova", "renovada", "reaparecida", "reativada", "expirada", "inativada", "excluida"),
    *("desaparecida", "horario_alterado", "quantidade_alterada", "remanejada"),
    *("vigencia_alterada", "feriado", "afastamento_unidade", "afastamento_profissional"),
    *("teto", "ppi"),
}
Cell = tuple[Any, ...]


@dataclass
class Network:
    """Rows of each layout, as they stand; changed from load to load."""

    codes: Codes
    dice: random.Random
    schedules: list[Row] = field(default_factory=list)
    gone: list[Row] = field(default_factory=list)
    leaves: list[Row] = field(default_factory=list)
    closures: list[Row] = field(default_factory=list)
    holidays: list[Row] = field(default_factory=list)
    ppi: list[Row] = field(default_factory=list)
    ceilings: list[Row] = field(default_factory=list)
    serial: int = 0

    def number(self) -> str:
        """Return the number of a new record."""
        self.serial += 1
        return self.codes.record(self.serial)

    def day(self, low: int = -40, high: int = 150) -> str:
        """Draw a date around the loads."""
        return day_text(DAYS[0] + timedelta(days=self.dice.randint(low, high)))

    def new_schedule(self) -> Row:
        """Draw a schedule; some have no end, unknown quantities, no hours."""
        dice = self.dice
        first = DAYS[0] + timedelta(days=dice.randint(-40, 60))
        counts = [dice.choice(("0", "1", "3", "7", "10", "")) for _ in SLOTS]
        return SCHEDULE | {
            "cod_escala_ambulatorial": self.number(),
            "cpf_profissional_exec": self.codes.professional(dice.randint(0, 1)),
            "cod_cnes_exec": self.codes.unit(dice.randint(1, 2)),
            "cod_procedimento_interno": self.codes.procedure(dice.randint(0, 1)),
            "sigla_dia_semana": dice.choice(WEEKDAYS),
            **dict(zip(SLOTS.values(), counts, strict=True)),
            "data_de_vigencia_inicial": day_text(first),
            "data_de_vigencia_final": dice.choice(
                (*[day_text(first + timedelta(days=dice.randint(5, 400)))] * 8, "")
            ),
            "hora_inicial": "08:00",
            "hora_final": dice.choice(("12:00", "11:00", "")),
            "status": dice.choice(("ATIVA",) * 6 + ("EXPIRADA", "INATIVA", "EXCLUIDA")),
        }

    def leave(self) -> Row:
        """Draw a leave of a unit."""
        start = DAYS[0] + timedelta(days=self.dice.randint(-20, 120))
        return {
            "cod_afastamento": self.number(),
            "cod_cnes_exec": self.codes.unit(self.dice.randint(1, 2)),
            "data_inicio": day_text(start),
            "hora_inicio": self.dice.choice(("", "09:00", "10:30")),
            "data_fim": day_text(start + timedelta(days=self.dice.choice((0, 0, 3, 15)))),
            "hora_fim": self.dice.choice(("", "11:00")),
        }

    def personal_leave(self) -> Row:
        """Draw a leave of a professional."""
        unit = self.dice.choice(("", self.codes.unit(1)))
        return self.leave() | {
            "cpf_profissional_exec": self.codes.professional(self.dice.randint(0, 1)),
            "cod_cnes_exec": unit,
            "cod_procedimento_interno": self.dice.choice(("", self.codes.procedure(1))),
        }

    def holiday(self) -> Row:
        """Draw a local holiday."""
        unit = self.codes.unit(self.dice.randint(1, 2))
        return {"data": self.day(), "abrangencia": "local", "cod_cnes_exec": unit}

    def limit(self) -> Row:
        """Draw what PPI and ceilings have in common."""
        return {
            "competencia": self.dice.choice(("202603", "202604", "202605")),
            "cod_procedimento_interno": self.codes.procedure(self.dice.randint(0, 1)),
        }

    def draw(self) -> None:
        """Fill the network for the first load."""
        for rows, new, most in self.kinds():
            rows.extend(new() for _ in range(self.dice.randint(0, most)))
        self.unlike()

    def kinds(self) -> Iterator[tuple[list[Row], Any, int]]:
        """Yield the rows of each kind, how to draw one, and how many at most."""
        yield self.schedules, self.new_schedule, 4
        yield self.leaves, self.personal_leave, 2
        yield self.closures, self.leave, 1
        yield self.holidays, self.holiday, 1
        yield (
            self.ppi,
            lambda: (
                self.limit()
                | {
                    "cod_central_solicitante": "530010",
                    "cod_central_exec": "530010",
                    "qtd_ppi": str(self.dice.randint(0, 60)),
                }
            ),
            2,
        )
        yield (
            self.ceilings,
            lambda: (
                self.limit()
                | {
                    "cod_cnes_exec": self.codes.unit(self.dice.randint(1, 2)),
                    "qtd_teto": str(self.dice.randint(0, 40)),
                }
            ),
            2,
        )

    def unlike(self) -> None:
        """Keep one row of each key."""
        keys = {
            "ppi": ("competencia", "cod_procedimento_interno"),
            "ceilings": ("competencia", "cod_cnes_exec", "cod_procedimento_interno"),
            "holidays": ("data", "cod_cnes_exec"),
        }
        for name, key in keys.items():
            rows = {tuple(row[column] for column in key): row for row in getattr(self, name)}
            setattr(self, name, list(rows.values()))

    def change(self) -> None:
        """Let some of it change before the next load."""
        back = [self.gone.pop()] if self.gone and self.dice.random() < 0.6 else []
        self.schedules = [row for row in map(self.changed, self.schedules) if row] + back
        for rows, new, _ in self.kinds():
            if rows and self.dice.random() < 0.25:
                rows.remove(self.dice.choice(rows))
            if self.dice.random() < 0.35:
                rows.append(new())
        for row in self.leaves + self.closures:
            if self.dice.random() < 0.2:
                row["data_fim"] = self.day(0)
        for row, column in [(r, "qtd_ppi") for r in self.ppi] + [
            (r, "qtd_teto") for r in self.ceilings
        ]:
            if self.dice.random() < 0.3:
                row[column] = str(self.dice.randint(0, 60))
        self.unlike()

    def changed(self, row: Row) -> Row | None:
        """Return a schedule as it is in the next load, None when it vanishes."""
        dice, end = self.dice, row["data_de_vigencia_final"]
        if dice.random() < 0.5:
            return row
        what = dice.choice(("end", "start", "status", "slots", "hours", "day", "unit", "vanish"))
        if what == "vanish":
            self.gone.append(row)
            return None
        return (
            row
            | {
                "end": {"data_de_vigencia_final": self.day(0, 300)} if end else {},
                "start": {"data_de_vigencia_inicial": self.day(-30, 60)},
                "status": {
                    "status": dice.choice(("ATIVA", "ATIVA", "EXPIRADA", "INATIVA", "EXCLUIDA"))
                },
                "slots": {"qtd_vagas_prim_vez": dice.choice(("0", "2", "5", "12", ""))},
                "hours": {"hora_inicial": dice.choice(("07:00", "09:00"))},
                "day": {"sigla_dia_semana": dice.choice(WEEKDAYS)},
                "unit": {"cod_cnes_exec": self.codes.unit(dice.randint(1, 2))},
            }[what]
        )

    def rows(self) -> Delivery:
        """Return what is delivered; later changes do not touch it."""
        return {
            "escala": [dict(row) for row in self.schedules],
            "afastamento_profissional": [dict(row) for row in self.leaves],
            "afastamento_unidade": [dict(row) for row in self.closures],
            "feriado": [dict(row) for row in self.holidays],
            "ppi": [dict(row) for row in self.ppi],
            "teto": [dict(row) for row in self.ceilings],
        }


def histories() -> list[Delivery]:
    """Return what each load delivers of all networks together; the same each time."""
    networks = [Network(Codes(n), random.Random(n)) for n in range(1, NETWORKS + 1)]
    loads: list[dict[str, list[Row]]] = []
    for number in range(len(DAYS)):
        together: dict[str, list[Row]] = {}
        for network in networks:
            network.change() if number else network.draw()
            for name, rows in network.rows().items():
                together.setdefault(name, []).extend(rows)
        loads.append(together)
    return list(loads)


@dataclass(frozen=True)
class History:
    """The house of all networks, and the pictures of the offer as known on each day."""

    house: OfferHouse
    plain: dict[str, list[dict[str, Any]]]
    known: dict[date, dict[Cell, int]]


PICTURE = ("+oferta_por_dia",)
KNOWN = "known.pickle"
"""The pictures of all days but the last, beside the house that is built last."""
MARTS = ("oferta_por_dia", "oferta_real_por_mes", "oferta_diario", "oferta_retiradas_por_mes")


def read(house: OfferHouse) -> dict[str, list[dict[str, Any]]]:
    """Return the marts of the offer in an order of their own."""
    return {name: house.query(f"select * from oferta.{name} order by all") for name in MARTS}


def active_slots(house: OfferHouse) -> dict[Cell, int]:
    """Return the active slots of each day, place and kind; unknown ones are none."""
    rows = house.query(
        "select unidade_executante_cnes, procedimento_codigo, vaga_tipo, data, "
        "cast(sum(qtd_vagas_ativas) as bigint) as vagas from oferta.oferta_por_dia "
        "where qtd_vagas_ativas > 0 group by all"
    )
    return {tuple(row.values())[:4]: row["vagas"] for row in rows}


def build_house(directory: Path) -> OfferHouse:
    """Load all networks, and build what was known on each day and what is known at last."""
    house = OfferHouse.at(directory)
    house.load(histories(), DAYS, WHOLE)
    known = {}
    for day in DAYS[:-1]:
        house.build(models=PICTURE, conhecido_em=day.isoformat(), data_referencia=None)
        known[day] = active_slots(house)
    (directory / KNOWN).write_bytes(pickle.dumps(known))
    house.build(conhecido_em=DAYS[-1].isoformat(), data_referencia=None)
    last = read(house)
    house.build(data_referencia=None, tested=True)
    assert read(house) == last, "as known on the last day is not as known"
    return house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> OfferHouse:
    """Return the house of all networks."""
    return build_house(tmp_path_factory.mktemp("history"))


@pytest.fixture(scope="module")
def history(house: OfferHouse) -> History:
    """Return what was known on each day and what is known at last."""
    known: dict[date, dict[Cell, int]] = pickle.loads((house.directory / KNOWN).read_bytes())
    return History(house, read(house), known | {DAYS[-1]: active_slots(house)})


def test_every_cause_occurs(history: History) -> None:
    rows = history.plain["oferta_diario"]
    assert {row["diario_causa"] for row in rows} == CAUSES
    assert {row["visto_em"] for row in rows} == set(DAYS[1:])


def test_the_diary_leads_from_each_picture_to_the_next(history: History) -> None:
    for before, after in pairwise(DAYS):
        last = before + timedelta(days=HORIZON - 1)
        change: Counter[Cell] = Counter()
        for sign, day in ((-1, before), (1, after)):
            for (unit, procedure, kind, when), slots in history.known[day].items():
                if after <= when <= last:
                    change[unit, procedure, kind, when.replace(day=1)] += sign * slots
        told: Counter[Cell] = Counter()
        for row in history.plain["oferta_diario"]:
            if row["visto_em"] == after and row["vaga_tipo"] != "todos":
                cell = (
                    row["unidade_executante_cnes"],
                    row["procedimento_codigo"],
                    row["vaga_tipo"],
                    row["competencia"],
                )
                told[cell] += row["qtd_vagas_ganhas"] - row["qtd_vagas_perdidas"]
        assert {c: n for c, n in change.items() if n} == {c: n for c, n in told.items() if n}


def test_withdrawals_never_exceed_what_was_known(history: History) -> None:
    rows = [r for r in history.plain["oferta_retiradas_por_mes"] if r["qtd_vagas_retiradas"]]
    assert rows
    for row in rows:
        assert 0 < row["qtd_vagas_retiradas"] <= row["qtd_vagas_conhecidas"]
        assert 0 < row["pct_retiradas"] <= 100


def test_the_order_of_rows_and_files_within_a_load_changes_nothing(
    history: History, tmp_path_factory: pytest.TempPathFactory
) -> None:
    dice = random.Random(7)
    shuffled = [
        {name: dice.sample(rows, len(rows)) for name, rows in reversed([*load.items()])}
        for load in histories()
    ]
    other = OfferHouse.at(tmp_path_factory.mktemp("shuffled"))
    other.load(shuffled, DAYS, WHOLE)
    other.build(data_referencia=None)
    assert read(other) == history.plain


def test_a_day_before_anything_was_seen_is_refused(history: History) -> None:
    day = DAYS[0] - timedelta(days=1)
    with pytest.raises(BuildError, match="Nothing had been seen by 2026-02-23"):
        history.house.build(models=PICTURE, conhecido_em=day.isoformat(), data_referencia=None)
