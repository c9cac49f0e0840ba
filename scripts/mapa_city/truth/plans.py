"""The right answers on estimates of the wait and plans for the queue, and on how they came out."""

from __future__ import annotations

from collections import defaultdict
from math import ceil, isnan, nan
from typing import Any

import numpy as np

from mapa_city.arrays import DAY, MISSING, month_start, numbers, texts
from mapa_city.city import City
from mapa_city.truth.chances import seen_first
from mapa_city.truth.queue import (
    CLOSED,
    FEWEST,
    SCHEDULED,
    WAITING,
    Calendar,
    History,
    waiting_at,
)
from mapa_city.truth.seen import Known

_WINDOW, _NEAR = 90, 30
"""Days that one looks back, and days by which an estimate may be out."""

_YEAR, _QUARTER = 12, 3


def estimates_per_month(city: City, known: Known, past: History, when: Calendar) -> dict[str, Any]:
    """Estimate what those who wait have still to wait, in two ways, and look how it came out."""
    code = texts(city.procedures, "codigo").tolist()
    asked = numbers(city.requests, "requested_at")
    number = texts(city.requests, "codigo")
    seen = seen_first(city, known)
    leaves = (past.before == WAITING) & np.isin(past.state, [SCHEDULED, CLOSED])
    made = numbers(city.bookings, "approved_at") // DAY
    comes = numbers(city.bookings, "appointment_at") // DAY
    lines = []
    for month, end in _closed(when)[-_YEAR:]:
        recent = (past.day > end - _WINDOW) & (past.day <= end)
        rows = waiting_at(past, end)
        queue = known.cells.procedure[past.cell[rows]]
        gone = known.cells.procedure[past.left[leaves & recent]]
        taken = known.cells.procedure[past.left[leaves & recent & (past.state == SCHEDULED)]]
        lately = known.bookings & (made > end - _WINDOW) & (made <= end)
        of = numbers(city.bookings, "procedure_idx")[lately]
        ahead = (comes - made)[lately]
        for procedure in np.unique(queue).tolist():
            who = past.request[rows[queue == procedure]]
            risk = known.cells.risk[past.cell[rows[queue == procedure]]]
            risk = np.where(risk == MISSING, 9, risk)
            who = who[np.lexsort((number[who], asked[who], risk))]
            booked, left = (int((part == procedure).sum()) for part in (taken, gone))
            guesses: list[tuple[int | None, int | None]] = [(None, None)] * len(who)
            if booked:
                mine = ahead[of == procedure]
                lead = float(np.median(mine)) if len(mine) else None
                guesses = [
                    (
                        ceil(place * _WINDOW / booked),
                        None if lead is None else ceil(place * _WINDOW / left + lead),
                    )
                    for place in range(1, len(who) + 1)
                ]
            real = [int(day) - end if day > end else None for day in seen[who].tolist()]
            lines.append((month, code[procedure], *_told(guesses, real)))
    return {
        "chave": ["competencia", "procedimento_codigo"],
        "colunas": [
            "dias_sisreg_p50",
            "pct_erro_sisreg_p50",
            "pct_sisreg_em_30_dias",
            "dias_proprios_p50",
            "pct_erro_proprios_p50",
            "pct_proprios_em_30_dias",
            "qtd_aguardando",
            "qtd_estimados",
            "qtd_conferidos",
        ],
        "linhas": lines,
    }


def _closed(when: Calendar) -> list[tuple[str, int]]:
    """Return name and last day of the months that are over."""
    last = (month_start(when.months + 1) - 1).tolist()
    names = when.names().tolist()
    return [(n, e) for n, e, whole in zip(names, when.ends, last, strict=True) if e == whole]


def _told(
    guesses: list[tuple[int | None, int | None]], real: list[int | None]
) -> tuple[float | int | None, ...]:
    """Return of each way the medians of guesses and errors and how many fit, and counts."""
    checked = [
        (one, other, days)
        for (one, other), days in zip(guesses, real, strict=True)
        if one is not None and other is not None and days is not None
    ]
    told: list[float | int | None] = []
    for way in (0, 1):
        said = [guess[way] for guess in guesses if guess[way] is not None]
        told.append(float(np.median(np.array(said))) if len(said) >= FEWEST else None)
        if len(checked) < FEWEST:
            told += [None, None]
            continue
        out = [abs(line[way] - line[2]) for line in checked]
        relative = [100 * o / line[2] for o, line in zip(out, checked, strict=True)]
        told += [float(np.median(relative)), 100 * sum(o <= _NEAR for o in out) / len(out)]
    estimated = sum(one is not None for one, _ in guesses)
    return (*told, len(guesses), estimated, len(checked))


def plans_per_month(
    queue: dict[str, Any], balance: dict[str, Any], real: dict[str, Any]
) -> dict[str, Any]:
    """Plan how many bookings a month the queue needs, and check the plan of the year before."""
    flows = _sums(queue, ("qtd_estoque_inicial", "qtd_entradas", "qtd_agendamentos"), 1)
    stock = _sums(queue, ("qtd_aguardando",), 1)
    slots = _sums(real, ("qtd_oferta_real",), real["chave"].index("procedimento_codigo"))
    names = sorted({month for _, month in flows})
    at = {name: balance["colunas"].index(name) for name in ("limite_dias", "fila_alvo")}
    plans = dict[tuple[str, str], tuple[float, float, float]]()
    lines = []
    for line in balance["linhas"]:
        month, procedure, waiting = line[0], line[1], line[2]
        here = names.index(month)
        quarter = names[here - _QUARTER + 1 : here + 1]
        opening, entered, booked = (
            sum(flows[procedure, m][i] for m in quarter if (procedure, m) in flows)
            for i in range(3)
        )
        ends = sum(stock[procedure, m][0] for m in quarter if (procedure, m) in stock)
        others = opening + entered - booked - ends
        share = others / opening if opening else None
        rate = min(share or 0, 1)
        target, limit = line[2 + at["fila_alvo"]], line[2 + at["limite_dias"]]
        offered = [slots[procedure, m][0] for m in quarter if (procedure, m) in slots]
        unknown = any(isnan(sum_) for sum_ in offered)
        plans[procedure, month] = (waiting, entered / _QUARTER, rate)
        needed = None
        if target is not None:
            # What a queue becomes goes down in a straight line with what is booked.
            none, one = (_after(waiting, entered / _QUARTER, rate, b, _YEAR) for b in (0, 1))
            needed = max((none - target) / (none - one), 0)
        before = plans.get((procedure, names[here - _YEAR])) if here >= _YEAR else None
        expected = None
        if before:
            year = names[here - _YEAR + 1 : here + 1]
            all_booked = sum(flows[procedure, m][2] for m in year if (procedure, m) in flows)
            expected = max(_after(*before, all_booked / _YEAR, _YEAR), 0)
        lines.append(
            (
                *(month, procedure, waiting, entered / _QUARTER, booked / _QUARTER),
                None if share is None else 100 * share,
                sum(offered) / _QUARTER if offered and not unknown else None,
                *(limit, target, needed, expected),
                100 * (expected - waiting) / waiting if expected is not None and waiting else None,
            )
        )
    return {
        "chave": ["competencia", "procedimento_codigo"],
        "colunas": [
            "qtd_aguardando",
            "entradas_mes",
            "agendamentos_mes",
            "pct_saida_mes",
            "vagas_reais_mes",
            "limite_dias",
            "fila_alvo",
            "agendamentos_mes_necessarios",
            "fila_prevista",
            "pct_erro_plano",
        ],
        "linhas": lines,
    }


def _after(waiting: float, entering: float, share: float, booked: float, months: int) -> float:
    """Let a queue go on month by month, and return how long it is then."""
    for _ in range(months):
        waiting += entering - booked - share * waiting
    return waiting


def _sums(mart: dict[str, Any], names: tuple[str, ...], procedure: int) -> dict[Any, list[float]]:
    """Return the sums of some columns by procedure and month; no number where a part is unknown."""
    places = [len(mart["chave"]) + mart["colunas"].index(name) for name in names]
    month = mart["chave"].index("competencia")
    sums = defaultdict[tuple[str, str], list[float]](lambda: [0] * len(names))
    for line in mart["linhas"]:
        cell = sums[line[procedure], line[month]]
        for i, place in enumerate(places):
            cell[i] += nan if line[place] is None else line[place]
    return dict(sums)
