"""The chance of being seen by a day, worked out again in fractions from how requests ended."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

import duckdb
import pytest

from conftest import House

KINDS = {"atendida": "pct_pedidos_atendidos", "sem_confirmacao": "pct_pedidos_sem_confirmacao"}
OTHERS = "pct_pedidos_outras_saidas"
FINEST = Fraction(1, 10**12)


def shares(lives: list[tuple[int, str | None]], horizon: int) -> dict[str, Fraction]:
    """Return the share that ended in each way by a horizon: Aalen and Johansen, exactly."""
    ends = Counter((days, KINDS.get(why, OTHERS)) for days, why in lives if why)
    left, found = Fraction(1), dict.fromkeys((*KINDS.values(), OTHERS), Fraction(0))
    for day in sorted({day for day, _ in ends if day <= horizon}):
        risk = sum(days >= day for days, _ in lives)
        gone = {name: Fraction(ends[day, name], risk) for name in found}
        found = {name: share + left * gone[name] for name, share in found.items()}
        left *= 1 - sum(gone.values())
    return found | {"pct_pedidos_em_aberto": left}


def test_a_share_is_worked_out_by_hand() -> None:
    lives = [(10, "atendida"), (20, "cancelada"), (64, None), (70, "atendida"), (94, None)]
    assert shares(lives, 90) == {
        "pct_pedidos_atendidos": Fraction(1, 2),
        "pct_pedidos_sem_confirmacao": 0,
        "pct_pedidos_outras_saidas": Fraction(1, 5),
        "pct_pedidos_em_aberto": Fraction(3, 10),
    }


@pytest.mark.parametrize("months", [1, 12])
def test_the_mart_equals_whole_fractions(city_house: House, months: int) -> None:
    with duckdb.connect(str(city_house.settings.warehouse), read_only=True) as con:
        told = con.execute(
            """
            select competencia, procedimento_codigo, horizonte_dias, qtd_pedidos,
                pct_pedidos_atendidos, pct_pedidos_sem_confirmacao, pct_pedidos_outras_saidas,
                pct_pedidos_em_aberto
            from espera.espera_probabilidade_por_mes
            where coorte_meses = ? and (pct_pedidos_atendidos is not null or horizonte_dias = 30)
            order by pct_pedidos_atendidos is null, hash(competencia, procedimento_codigo)
            limit 200
            """,
            [months],
        ).fetchall()
        for month, procedure, horizon, entered, *told_shares in told:
            lives: list[tuple[int, str | None]] = con.execute(
                """
                select coalesce(data_saida, $today) - data_entrada, saida_motivo
                from intermediario.int_fila__percursos
                where procedimento_codigo = $procedure
                    and coalesce(data_saida >= data_entrada, true)
                    and date_diff('month', data_entrada, $month) between 0 and $back
                """,
                {
                    "today": city_house.truth["data_referencia"],
                    "procedure": procedure,
                    "month": month,
                    "back": months - 1,
                },
            ).fetchall()
            assert len(lives) == entered
            expected = shares(lives, horizon)
            for share, value in zip(expected.values(), told_shares, strict=True):
                assert value is None or abs(Fraction(value) / 100 - share) <= FINEST
    known: list[Any] = [row for row in told if row[4] is not None]
    assert len(known) >= (50 if months == 12 else 0)
