"""`mapa plan` and the mart say one thing about one plan."""

from __future__ import annotations

import duckdb
import pytest

from conftest import House
from mapa import planning


def test_the_command_plans_as_the_mart_does(city_house: House) -> None:
    with duckdb.connect(str(city_house.settings.warehouse), read_only=True) as con:
        told = dict(
            con.execute(
                "select procedimento_codigo, agendamentos_mes_necessarios "
                f"from {planning.MART} qualify competencia = max(competencia) over ()"
            ).fetchall()
        )
        plans = planning.plan(con, None, None, None)
    assert {plan.procedure: plan.needed for plan in plans} == pytest.approx(told, rel=1e-9)
    assert len(plans) > 50
    assert [plan.waiting for plan in plans] == sorted(
        (plan.waiting for plan in plans), reverse=True
    )
