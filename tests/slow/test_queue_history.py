"""A month of nights: what was built on a day is built again from raw, when it is asked for later.

A city is read on thirty days, with updates, deaths, what vanishes and comes back, and a registry
that is cleaned on the way. The marts of some days are kept as they were built; in the end each of
those days is built anew as known then.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from conftest import environment
from mapa import warehouse
from mapa.load import cadsus, sisreg
from mapa_city import city as simulated
from mapa_city.doors.documents import USUAL, Habits
from mapa_city.doors.server import serving
from offer_house import OfferHouse
from queue_house import build, seed

UNTIL = date(2026, 6, 30)
DAYS = [UNTIL - timedelta(days=back) for back in reversed(range(30))]
KEPT = DAYS[4::5]
"""Days whose marts are kept as they were built."""

ASKED = {DAYS[2]: USUAL, DAYS[12]: USUAL, DAYS[21]: Habits(cleaned=True)}
"""Days on which the registry is asked for everybody anew, and what it is like."""

MARTS = {
    "fila_por_mes": "fila",
    "fila_qualificacao_por_mes": "fila",
    "fila_perfil_por_mes": "fila",
    "fila_ordem_por_mes": "fila",
    "fila_equilibrio_por_mes": "fila",
    "fila_hospitalar_por_mes": "fila",
    "espera_por_mes": "espera",
    "espera_limites_por_mes": "espera",
    "espera_probabilidade_por_mes": "espera",
    "absenteismo_por_mes": "absenteismo",
    "absenteismo_por_residencia_por_mes": "absenteismo",
}


def told(house: OfferHouse) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of the marts, in order."""
    with warehouse.connect(house.settings.warehouse, read_only=True) as con:
        return {
            mart: con.execute(f"select * from {schema}.{mart} order by all").fetchall()
            for mart, schema in MARTS.items()
        }


def everything(house: OfferHouse) -> dict[str, tuple[int, int]]:
    """Return of each table and view that dbt made how many rows it has and a sum of them."""
    with warehouse.connect(house.settings.warehouse, read_only=True) as con:
        names = con.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where schema_name not like 'bruto%' and schema_name <> 'controle'"
        ).fetchall()
        return {
            name: con.execute(f"select count(*), sum(hash(t)) from {name} as t").fetchall()[0]
            for (name,) in names
        }


@pytest.mark.long
@pytest.mark.timeout(5400)
def test_a_day_built_again_is_the_day_as_it_was_built(tmp_path: Path) -> None:
    house = OfferHouse.at(tmp_path)
    city = simulated.build(700, 60, 6, UNTIL)
    asking = house.settings.model_copy(update={"cadsus_max_age_days": 0})
    seed(house)
    kept = dict[date, dict[str, list[tuple[Any, ...]]]]()
    with environment(house.env):
        for number, day in enumerate(DAYS):
            with serving(city, as_of=day, habits=ASKED.get(day, USUAL)) as server:
                pointed = asking.model_copy(update=server.settings())
                # Every week all is read, so that what vanished is noticed.
                sisreg.load(pointed, "all", full=number % 7 == 6, accept_fewer=True)
                if day in ASKED:
                    cadsus.load(pointed, accept_fewer=True)
            with warehouse.connect(house.settings.warehouse) as con:
                # The registry tells no day of its own: it is asked in the night after.
                con.execute(
                    "update controle.cargas set iniciada_em = $1 where fonte = 'cadsus' "
                    "and iniciada_em > $1",
                    [datetime.combine(day + timedelta(days=1), time(12))],
                )
            if day in KEPT:
                build(house, *MARTS, data_referencia=day.isoformat())
                kept[day] = told(house)
    assert len({str(marts) for marts in kept.values()}) == len(KEPT)
    for day in KEPT:
        build(
            house,
            *MARTS,
            data_referencia=day.isoformat(),
            conhecido_em=(day + timedelta(days=1)).isoformat(),
        )
        again = told(house)
        assert [mart for mart in MARTS if again[mart] != kept[day][mart]] == [], day
        assert all(again.values())
    # What was kept from night to night is what a build from nothing makes.
    build(house, *MARTS)
    kept_on = everything(house)
    build(house, *MARTS, options=["--full-refresh"])
    assert everything(house) == kept_on
    assert all(kept_on[f"staging.{name}"][0] for name in ("stg_cadsus__cns", "stg_cadsus__pessoas"))
