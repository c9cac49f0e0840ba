"""Plans for a queue: the bookings of a month that bring it to a target wait by a date.

The same reckoning as rule `regra_planejamento_fila` (mart `fila_planejamento_por_mes`), for another
target and another date: a queue loses a share of itself each month without a booking, gains what
enters and loses what is booked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from mapa.errors import ConfigError

MART = "fila.fila_planejamento_por_mes"
DAYS_OF_MONTH = 365.25 / 12
LONGEST_PLAN = 120
"""Months; what enters today says nothing of a time further off."""


@dataclass(frozen=True)
class Plan:
    """What one procedure needs.

    Attributes:
        procedure: code.
        name: name, where somebody tells it.
        month: closed month that the plan starts from.
        months: how many are left.
        waiting: requests that wait.
        entering: requests that enter in a month.
        leaving: share of the queue that leaves in a month without a booking, less what comes back;
            unknown counts as none.
        booked: bookings of a month, today.
        offered: real slots of a month that are the procedure's own, or None.
        target: how many may wait.
        needed: bookings of a month that are needed.
        untouched: how many would wait on the day if all went on as today.
        error: how far, in percent, the same plan of a year before was out, or None.

    """

    procedure: str
    name: str | None
    month: date
    months: int
    waiting: int
    entering: float
    leaving: float
    booked: float
    offered: float | None
    target: float
    needed: float
    untouched: float
    error: float | None


def months_between(first: date, last: date) -> int:
    """Return how many months lie between two months."""
    return 12 * (last.year - first.year) + last.month - first.month


def queue_after(waiting: float, flow: float, leaving: float, months: int) -> float:
    """Return how long a queue is after some months.

    Args:
        waiting: how many wait.
        flow: what enters in a month less what is booked.
        leaving: share that leaves in a month otherwise.
        months: how many.

    """
    for _ in range(months):
        waiting += flow - leaving * waiting
    return max(waiting, 0.0)


def bookings_needed(
    waiting: float, entering: float, leaving: float, target: float, months: int
) -> float:
    """Return the bookings of a month that leave a queue at its target; 0 if none are needed."""
    kept = (1 - leaving) ** months
    # How many of the months' differences are still there at the end: each melts like the queue.
    lasting = months if abs(leaving) < 1e-9 else (1 - kept) / leaving
    return max(entering - (target - waiting * kept) / lasting, 0.0)


def plan(
    con: duckdb.DuckDBPyConnection, procedure: str | None, target_days: int | None, by: date | None
) -> list[Plan]:
    """Plan for one procedure, or for all of them, the longest queue first.

    Args:
        con: open warehouse after a build.
        procedure: code, or None for all.
        target_days: wait that nearly all shall not pass; None takes the limit in force.
        by: day in the month in which the queue shall be there; None is in a year.

    Raises:
        ConfigError: nothing is built, the procedure is not known, the day is not after the last
            closed month, or no limit is known and no target given.

    """
    try:
        rows = con.execute(
            f"""
            select p.*, d.procedimento_nome
            from {MART} as p
            left join dimensoes.dim_procedimentos as d using (procedimento_codigo)
            where p.competencia = (select max(competencia) from {MART})
                and coalesce(p.procedimento_codigo = $1, true)
            order by p.qtd_aguardando desc, p.procedimento_codigo
            """,
            [procedure],
        )
        names = [column[0] for column in rows.description or []]
        found = [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
    except duckdb.CatalogException:
        raise ConfigError(
            f"{MART} does not exist: nothing has been built yet.\nBuild first with\n  mapa run"
        ) from None
    if not found:
        which = f"procedure {procedure}" if procedure else "any procedure"
        raise ConfigError(
            f"No queue of {which} is known in the last closed month.\n"
            "Expected is a code of seven digits, as `mapa plan` without a procedure lists them."
        )
    return [_plan(row, target_days, by) for row in found]


def _plan(row: dict[str, Any], target_days: int | None, by: date | None) -> Plan:
    month: date = row["competencia"]
    months = months_between(month, by) if by else 12
    if not 1 <= months <= LONGEST_PLAN:
        raise ConfigError(
            f"No plan can be made from {month:%Y-%m} over {months} months.\n"
            f"Expected is a day of 1 to {LONGEST_PLAN} months after the last closed month."
        )
    days = target_days or row["limite_dias"]
    if days is None:
        raise ConfigError(
            "No limit of the wait is in force in that month, so that there is no target.\n"
            "Give one with\n  mapa plan --target-days 60"
        )
    waiting, entering = row["qtd_aguardando"], row["entradas_mes"]
    leaving = min((row["pct_saida_mes"] or 0) / 100, 1)
    if row["fila_alvo"] is not None:
        target = row["fila_alvo"] * days / row["limite_dias"]
    else:
        # A queue in which nearly all are seen in time holds a quarter of what enters meanwhile.
        target = entering / DAYS_OF_MONTH * days / 4
    return Plan(
        procedure=row["procedimento_codigo"],
        name=row["procedimento_nome"],
        month=month,
        months=months,
        waiting=waiting,
        entering=entering,
        leaving=leaving,
        booked=row["agendamentos_mes"],
        offered=row["vagas_reais_mes"],
        target=target,
        needed=bookings_needed(waiting, entering, leaving, target, months),
        untouched=queue_after(waiting, entering - row["agendamentos_mes"], leaving, months),
        error=row["pct_erro_plano"],
    )
