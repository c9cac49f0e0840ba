"""Cities of other seeds and sizes equal their truths too."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from conftest import SMALL, make_house
from mapa import warehouse
from mapa_city import verify


def test_a_third_city_over_the_turn_of_a_year_equals_its_truth_too(tmp_path: Path) -> None:
    size = replace(SMALL, people=700, days=400, seed=3, until=date(2026, 2, 28))
    house = make_house(tmp_path, size)
    with warehouse.connect(house.settings.warehouse, read_only=True) as con:
        results = verify.compare(con, house.truth)
    assert [str(result) for result in results if not result.equal] == []


def test_a_second_city_equals_its_truth_too(tmp_path: Path) -> None:
    house = make_house(tmp_path, replace(SMALL, people=12000, days=200, seed=2))
    with warehouse.connect(house.settings.warehouse, read_only=True) as con:
        results = verify.compare(con, house.truth)
    assert [str(result) for result in results if not result.equal] == []
    # Large enough for the rule on few cases to let percentiles through.
    waits = house.truth["espera_por_mes"]
    at = len(waits["chave"]) + waits["colunas"].index("dias_espera_p50")
    assert any(row[at] is not None for row in waits["linhas"])
