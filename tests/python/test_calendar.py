"""Holidays: Easter for two centuries, and any table of the operator's over what the law says.

The laws and the computus stand here a second time, on purpose: nothing is taken from the seed, the
macros or the simulator.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from conftest import PROJECT, house_environment
from mapa.simulate.arrays import day_number
from mapa.simulate.offer import easter
from offer_house import SCHEDULE, Codes, OfferHouse, Row, day_text

YEARS = range(1900, 2101)
UNITS = [Codes(1).unit(index) for index in (1, 2)]
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


def test_the_macro_and_the_simulator_know_every_easter(tmp_path: Path) -> None:
    query = (
        "select cast(y as integer) as ano, cast({{ easter_sunday('y') }} as varchar) as pascoa "
        f"from range({YEARS.start}, {YEARS.stop}) as t (y)"
    )
    whole = ("--limit", "-1", "--output", "json")
    done = subprocess.run(
        [str(Path(sys.executable).parent / "dbt"), "--quiet", "show", "--inline", query, *whole],
        env=os.environ | house_environment(tmp_path),
        cwd=PROJECT,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-1000:]
    shown = json.loads(done.stdout)["show"]
    expected = {year: easter_of(year) for year in YEARS}
    assert {row["ano"]: date.fromisoformat(row["pascoa"]) for row in shown} == expected
    assert {year: easter(year) for year in YEARS} == {
        year: day_number(day) for year, day in expected.items()
    }


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


def draw(dice: random.Random, day: date) -> list[tuple[int, Row]]:
    """Draw what the operator says of a day: up to four rows, each in one of three loads."""
    said = []
    for _ in range(dice.choice((0, 1, 1, 2, 4))):
        scope = dice.choice(("nacional", "distrital", "local", "local", "nenhuma", "nenhuma"))
        unit = dice.choice(("", "", *UNITS)) if scope in ("local", "nenhuma") else ""
        name = f"FERIADO {dice.randrange(10**6):06}"
        row = {"data": day_text(day), "descricao": name, "abrangencia": scope}
        said.append((dice.randrange(3), row | {"cod_cnes_exec": unit}))
    return said


def expected(days: list[date], said: dict[date, list[tuple[int, Row]]]) -> Known:
    """Return nature and origin of each holiday by day and unit."""
    known: Known = {(day, None): (law, "calculado") for day in days if (law := by_law(day))}
    for day, rows in said.items():
        for _, row in sorted(rows, key=lambda item: item[0]):
            unit = row["cod_cnes_exec"] or None
            # The last word counts: what the others of the day added is undone by it, too.
            if row["abrangencia"] == "nenhuma":
                known.pop((day, unit), None)
            else:
                known[day, unit] = (HOLIDAY, "operador")
    return known


@pytest.fixture(scope="module")
def drawn() -> dict[date, list[tuple[int, Row]]]:
    """Return what the operator says, the same each time: of holidays, optional and other days."""
    dice = random.Random(1)
    days = [date(2022, 1, 1) + timedelta(days=offset) for offset in range(4 * 365)]
    legal = [day for day in days if by_law(day)]
    return {day: draw(dice, day) for day in {*legal, *dice.sample(days, 150)}}


def test_any_table_of_the_operator_adds_to_the_law_and_mends_it(
    tmp_path: Path, drawn: dict[date, list[tuple[int, Row]]]
) -> None:
    loads: list[dict[str, list[Row]]] = [defaultdict(list) for _ in range(3)]
    schedule = SCHEDULE | {
        "cod_escala_ambulatorial": "1",
        "cod_cnes_exec": UNITS[0],
        "cod_procedimento_interno": Codes(1).procedure(1),
        "sigla_dia_semana": "SEG",
        "qtd_vagas_prim_vez": "1",
        "data_de_vigencia_inicial": "03/01/2022",
        "data_de_vigencia_final": "03/01/2022",
    }
    loads[0]["escala"].append(schedule)
    for rows in drawn.values():
        for load, row in rows:
            loads[load]["feriado"].append(row)
    house = OfferHouse.at(tmp_path)
    house.load(loads)
    house.build(models=("+int_calendario__feriados",), horizonte_dias=0)
    found: list[dict[str, Any]] = house.query(
        "select * from intermediario.int_calendario__feriados"
    )
    days = [
        date(2022, 1, 1) + timedelta(days=n)
        for n in range((date(2026, 7, 1) - date(2022, 1, 1)).days)
    ]
    want = expected(days, drawn)
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
