"""Holidays: Easter for two centuries, and any table of the operator's over what the law says.

The laws and the computus stand here a second time, on purpose: nothing is taken from the seed, the
macros or the simulator.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from mapa.load import exports
from mapa_city.arrays import day_number
from mapa_city.offer import easter
from offer_house import SCHEDULE, Codes, OfferHouse, Row, day_text

YEARS = range(1900, 2101)
EVERY = [Codes(1).unit(index) for index in (1, 2, 3)]
UNITS = EVERY[:2]
"""Units that the operator speaks of; of the third nobody says anything."""

OPTIONAL, HOLIDAY = "ponto_facultativo", "feriado"
Known = dict[tuple[date, str | None], tuple[str, str]]


def easter_of(year: int) -> date:
    """Return Easter Sunday by the tables of the church: golden number, epact, Sunday letter."""
    golden = year % 19 + 1
    century = year // 100 + 1
    epact = (11 * golden + 20 + (8 * century + 5) // 25 - 5 - (3 * century // 4 - 12)) % 30
    if epact == 24 or (epact == 25 and golden > 11):
        epact += 1
    full = 44 - epact if 44 - epact >= 21 else 74 - epact
    # Days of March; the Sunday after the full moon.
    moon = date(year, 3, 1) + timedelta(days=full - 1)
    return moon + timedelta(days=7 - (moon.weekday() + 1) % 7)


def test_the_tables_of_the_church_give_the_known_extremes() -> None:
    known = {1818: (3, 22), 1913: (3, 23), 1943: (4, 25), 1954: (4, 18), 1981: (4, 19)}
    assert {year: easter_of(year) for year in known} == {
        year: date(year, *day) for year, day in known.items()
    }


# --- the operator's table over the law -------------------------------------------------------


def by_law(day: date) -> str | None:
    """Return what the law makes of a day in the Federal District."""
    fixed = {(1, 1), (4, 21), (5, 1), (9, 7), (10, 12), (11, 2), (11, 15), (11, 30), (12, 25)}
    after = (day - easter_of(day.year)).days
    if (day.month, day.day) in fixed | ({(11, 20)} if day.year >= 2024 else set()) or after == -2:
        return HOLIDAY
    return OPTIONAL if after in (-48, -47, 60) or (day.month, day.day) == (10, 28) else None


SCOPES = (
    *("nacional", "distrital", "municipal", "ESTADUAL", "local", "local", "DA ESCOLA"),
    *("nenhuma", "nenhuma", "nenhuma"),
)


def draw(dice: random.Random, day: date) -> list[tuple[int, Row]]:
    """Draw what the operator says of a day: up to four rows, each in one of three loads."""
    said = []
    for _ in range(dice.choice((0, 1, 1, 2, 4))):
        scope, unit = dice.choice(SCOPES), dice.choice(("", "", *UNITS))
        name = f"FERIADO {dice.randrange(10**6):06}"
        row = {"data": day_text(day), "descricao": name, "abrangencia": scope}
        said.append((dice.randrange(3), row | {"cod_cnes_exec": unit}))
    return said


def about(row: Row) -> str | None:
    """Return the unit that a row speaks of; a holiday of the nation is of all."""
    return None if row["abrangencia"] == "nacional" else row["cod_cnes_exec"] or None


def expected(days: list[date], said: dict[date, list[tuple[int, Row]]]) -> Known:
    """Return nature and origin of each holiday by day and unit."""
    known: Known = {(day, None): (law, "calculado") for day in days if (law := by_law(day))}
    for day, rows in said.items():
        for _, row in sorted(rows, key=lambda item: item[0]):
            # The last word counts: what the others of the day added is undone by it, too.
            if row["abrangencia"] == "nenhuma":
                known.pop((day, about(row)), None)
            else:
                known[day, about(row)] = (HOLIDAY, "operador")
    return known


def closed(day: date, unit: str, said: list[tuple[int, Row]]) -> bool:
    """Say whether a unit is closed: its own last word, that of all, the law, in this order."""
    words: dict[str | None, bool] = {None: by_law(day) == HOLIDAY}
    for _, row in sorted(said, key=lambda item: item[0]):
        words[about(row)] = row["abrangencia"] != "nenhuma"
    return words.get(unit, words[None])


def schedule(number: int, unit: str) -> Row:
    """Return a schedule that makes a unit known; it offers one day at the beginning of 2022."""
    return SCHEDULE | {
        "cod_escala_ambulatorial": str(number),
        "cod_cnes_exec": unit,
        "cod_procedimento_interno": Codes(1).procedure(1),
        "sigla_dia_semana": "SEG",
        "qtd_vagas_prim_vez": "1",
        "data_de_vigencia_inicial": "03/01/2022",
        "data_de_vigencia_final": "03/01/2022",
    }


@dataclass(frozen=True)
class Calendar:
    """A built calendar and what the operator had said."""

    house: OfferHouse
    days: list[date]
    said: dict[date, list[tuple[int, Row]]]


DAYS = [date(2022, 1, 1) + timedelta(days=offset) for offset in range(4 * 365)]


def drawn() -> dict[date, list[tuple[int, Row]]]:
    """Return any table, the same each time: of holidays, optional and other days."""
    dice = random.Random(1)
    legal = [day for day in DAYS if by_law(day)]
    return {day: draw(dice, day) for day in sorted({*legal, *dice.sample(DAYS, 250)})}


def build_house(directory: Path) -> OfferHouse:
    """Build the calendar of that table."""
    loads: list[dict[str, list[Row]]] = [defaultdict(list) for _ in range(3)]
    loads[0]["escala"] += [schedule(number, unit) for number, unit in enumerate(EVERY, start=1)]
    for rows in drawn().values():
        for load, row in rows:
            loads[load]["feriado"].append(row)
    house = OfferHouse.at(directory)
    house.load(loads)
    house.build(
        models=("+int_calendario__feriados", "+int_oferta__dias_uteis"),
        tested=True,
        horizonte_dias=0,
    )
    return house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> OfferHouse:
    """Return the house of that table."""
    return build_house(tmp_path_factory.mktemp("calendar"))


@pytest.fixture(scope="module")
def calendar(house: OfferHouse) -> Calendar:
    """Return the built calendar and what the operator had said."""
    until = [date(2025, 12, 31) + timedelta(days=n) for n in range(182)]
    return Calendar(house, sorted({*DAYS, *until}), drawn())


def test_every_easter_is_that_of_the_church(calendar: Calendar) -> None:
    rows = calendar.house.query("select * from intermediario.int_calendario__pascoas")
    expected = {year: easter_of(year) for year in YEARS}
    assert {row["ano"]: row["data_pascoa"] for row in rows} == expected
    assert {year: easter(year) for year in YEARS} == {
        year: day_number(day) for year, day in expected.items()
    }


def test_any_table_of_the_operator_adds_to_the_law_and_mends_it(calendar: Calendar) -> None:
    found: list[dict[str, Any]] = calendar.house.query(
        "select * from intermediario.int_calendario__feriados"
    )
    want = expected(calendar.days, calendar.said)
    assert {
        (row["data"], row["unidade_executante_cnes"]): (
            row["feriado_natureza"],
            row["feriado_origem"],
        )
        for row in found
    } == want
    assert len(found) == len(want)
    assert set(want.values()) == {
        (HOLIDAY, "operador"),
        (HOLIDAY, "calculado"),
        (OPTIONAL, "calculado"),
    }
    assert all(row["tem_bloqueio"] == (row["feriado_natureza"] == HOLIDAY) for row in found)


def test_each_unit_is_closed_by_its_own_word_then_that_of_all_then_the_law(
    calendar: Calendar,
) -> None:
    rows = calendar.house.query(
        "select data, unidade_executante_cnes as unidade "
        "from intermediario.int_calendario__fechamentos where visto_ate is null"
    )
    assert len({(row["data"], row["unidade"]) for row in rows}) == len(rows)
    found = {
        (row["data"], unit) for row in rows for unit in EVERY if row["unidade"] in (None, unit)
    }
    want = {
        (day, unit)
        for day in calendar.days
        for unit in EVERY
        if closed(day, unit, calendar.said.get(day, []))
    }
    assert found == want
    some = [{(day, unit) in want for unit in EVERY} for day in calendar.days]
    assert some.count({True, False}) > 50


def test_working_days_are_those_on_which_the_unit_is_open(calendar: Calendar) -> None:
    found = {
        (row["competencia"], row["unidade_executante_cnes"]): row["qtd_dias_uteis"]
        for row in calendar.house.query("select * from intermediario.int_oferta__dias_uteis")
    }
    months = sorted({day.replace(day=1) for day in calendar.days})
    for month in months:
        days = [day for day in calendar.days if day.replace(day=1) == month]
        for unit in EVERY:
            want = sum(
                day.weekday() < 5 and not closed(day, unit, calendar.said.get(day, []))
                for day in days
            )
            assert found.get((month, unit), found[month, "todas"]) == want, (month, unit)


# --- a complete table that no longer has a row ------------------------------------------------

SEEN = (date(2026, 2, 10), date(2026, 3, 10), date(2026, 4, 10))
GONE = [
    # date, scope, unit, deliveries that have it, closed: everywhere but in the unit, in the unit
    ("2026-09-07", "nacional", "", (0,), True, True),  # the law brings it back
    ("2026-10-12", "nenhuma", "", (0, 1), True, True),
    ("2026-11-02", "nenhuma", UNITS[0], (0,), True, True),
    ("2026-11-16", "distrital", "", (0,), False, False),  # no law knows it
    ("2026-11-17", "local", UNITS[0], (0, 1), False, False),
    ("2026-03-02", "nacional", "", (0,), True, True),  # it was in force on its day
    ("2026-02-16", "municipal", UNITS[0], (0,), False, True),
    ("2026-04-03", "nenhuma", UNITS[0], (0, 1), True, False),  # Good Friday was worked there
    ("2026-11-18", "local", UNITS[0], (0, 2), False, True),  # it came back before its day
    ("2026-03-20", "local", UNITS[0], (0, 2), False, False),  # it was away on its day
    ("2026-11-20", "nenhuma", UNITS[0], (1, 2), True, False),
    ("2026-02-12", "local", UNITS[0], (1, 2), False, True),  # typed late
]
STAYS = ("2026-06-01", "local", UNITS[1], (0, 1, 2), False, False)
"""A table without any row would be a failed export."""


def build_house_of_tables(directory: Path) -> OfferHouse:
    """Build what three complete tables say one after the other."""
    loads: list[dict[str, list[Row]]] = []
    for number in range(len(SEEN)):
        rows = [
            {
                "data": day_text(date.fromisoformat(day)),
                "descricao": "FERIADO FICTICIO",
                "abrangencia": scope,
                "cod_cnes_exec": unit,
            }
            for day, scope, unit, present, *_ in (*GONE, STAYS)
            if number in present
        ]
        schedules = [schedule(index, unit) for index, unit in enumerate(EVERY, start=1)]
        loads.append({"escala": schedules, "feriado": rows})
    house = OfferHouse.at(directory)
    house.load(loads, SEEN, exports.Completeness(confirmed=True, tables=True))
    house.build(models=("+int_oferta__interrupcoes",), tested=True)
    return house


@pytest.fixture(scope="module")
def house_of_tables(tmp_path_factory: pytest.TempPathFactory) -> OfferHouse:
    """Return the house of the three tables."""
    return build_house_of_tables(tmp_path_factory.mktemp("tables"))


def test_what_a_complete_table_no_longer_has_is_as_if_never_said(
    house_of_tables: OfferHouse,
) -> None:
    in_force = {
        (row["data_inicio"].isoformat(), unit)
        for row in house_of_tables.query(
            """
            select data_inicio, unidade_executante_cnes as unidade
            from intermediario.int_oferta__interrupcoes
            where causa_bloqueio = 'feriado'
                and data_inicio >= coalesce(vale_de, data_inicio)
                and data_inicio <= coalesce(visto_ate, data_inicio)
            """
        )
        for unit in EVERY
        if row["unidade"] in (None, unit)
    }
    found = {
        (day, scope): ((day, EVERY[2]) in in_force, (day, UNITS[0]) in in_force)
        for day, scope, *_ in GONE
    }
    assert found == {(day, scope): (other, own) for day, scope, _, _, other, own in GONE}
