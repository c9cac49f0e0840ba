"""Plans for a queue: what they ask for leads where they say."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapa import planning
from mapa.errors import ConfigError

MONTH = date(2026, 6, 1)
SHARES = st.one_of(st.just(0.0), st.floats(-0.2, 0.9).filter(lambda share: abs(share) > 1e-6))


@given(
    waiting=st.integers(0, 100_000),
    entering=st.floats(0, 10_000),
    share=SHARES,
    target=st.floats(0, 10_000),
    months=st.integers(1, 60),
)
def test_what_is_needed_leads_to_the_target(
    waiting: int, entering: float, share: float, target: float, months: int
) -> None:
    needed = planning.bookings_needed(waiting, entering, share, target, months)
    reached = planning.queue_after(waiting, entering - needed, share, months)
    if needed > 0:
        assert reached == pytest.approx(target, rel=1e-6, abs=1e-3)
    else:
        assert reached <= target + 1e-3


def warehouse(limit: int | None) -> duckdb.DuckDBPyConnection:
    """Open a warehouse in memory with one queue."""
    con = duckdb.connect()
    for statement in (
        "create schema fila",
        "create schema dimensoes",
        "create table dimensoes.dim_procedimentos as "
        "select '0701234' as procedimento_codigo, 'CONSULTA' as procedimento_nome",
        "create table fila.fila_planejamento_por_mes (competencia date, procedimento_codigo text, "
        "qtd_aguardando integer, entradas_mes double, agendamentos_mes double, pct_saida_mes "
        "double, vagas_reais_mes double, limite_dias integer, fila_alvo double, pct_erro_plano "
        "double)",
        "insert into fila.fila_planejamento_por_mes values "
        "('2026-05-01', '0701234', 999, 1, 1, 0, 1, 100, 1, null), "
        f"('2026-06-01', '0701234', 120, 30, 20, 0, null, {limit or 'null'}, "
        f"{'25' if limit else 'null'}, -3.5)",
    ):
        con.execute(statement)
    return con


def test_the_limit_in_force_is_the_target_and_a_year_the_term() -> None:
    (plan,) = planning.plan(warehouse(100), None, None, None)
    assert (plan.month, plan.months, plan.waiting, plan.target) == (MONTH, 12, 120, 25)
    assert plan.needed == pytest.approx(30 + (120 - 25) / 12)
    assert plan.untouched == 120 + 12 * 10
    assert (plan.offered, plan.error, plan.name) == (None, -3.5, "CONSULTA")


def test_another_target_and_another_day() -> None:
    (plan,) = planning.plan(warehouse(100), "0701234", 50, date(2026, 10, 31))
    assert (plan.months, plan.target) == (4, 12.5)
    assert plan.needed == pytest.approx(30 + (120 - 12.5) / 4)


def test_a_target_needs_no_limit_in_force() -> None:
    (plan,) = planning.plan(warehouse(None), None, 100, None)
    assert plan.target == pytest.approx(30 / planning.DAYS_OF_MONTH * 25)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((100, "9999999", None, None), "No queue of procedure 9999999"),
        ((100, None, None, date(2026, 6, 30)), "over 0 months"),
        ((100, None, None, date(2099, 6, 30)), "Expected is a day of 1 to 120 months"),
        ((None, None, None, None), "mapa plan --target-days"),
    ],
)
def test_what_cannot_be_planned_says_what_to_type(
    arguments: tuple[int | None, str | None, int | None, date | None], message: str
) -> None:
    limit, procedure, target_days, by = arguments
    with pytest.raises(ConfigError, match=message):
        planning.plan(warehouse(limit), procedure, target_days, by)


def test_before_the_first_build_it_says_so() -> None:
    with pytest.raises(ConfigError, match="nothing has been built yet"):
        planning.plan(duckdb.connect(), None, None, None)
