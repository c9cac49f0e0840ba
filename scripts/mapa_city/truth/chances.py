"""The right answers on how requests end, and on the chance of being seen by a day."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np

from mapa_city.arrays import (
    DAY,
    FAR,
    MISSING,
    Flags,
    Ints,
    day_number,
    day_text,
    matches,
    month_number,
    month_start,
    numbers,
    texts,
)
from mapa_city.city import City
from mapa_city.truth.queue import APPOINTMENT, CLOSED, FEWEST, History, deaths
from mapa_city.truth.seen import Known

HORIZONS = (30, 90, 180, 365)
"""Days from the request by which one asks who was seen."""

FEWEST_FOLLOWED = 10
"""Requests that must be followed to a horizon, unless all were."""

_SEEN, _UNKNOWN, _OTHER, _OPEN = range(4)


def chances_per_month(city: City, known: Known, past: History) -> dict[str, Any]:
    """Estimate for each procedure how many of a hundred were seen by a day, by when they asked."""
    request = np.unique(past.request)
    asked = numbers(city.requests, "requested_at")[request]
    procedure = known.cells.procedure[known.cells.at(request, asked)]
    end, day = _ends(city, known, past)
    today = day_number(city.until)
    followed = np.where(end == _OPEN, today, day)[request] - asked // DAY
    month = month_number(asked // DAY)
    lives: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    parts = (month, procedure, followed, end[request])
    for m, p, days, how in zip(*(part.tolist() for part in parts), strict=True):
        if days >= 0:
            lives[m, p].append((days, how))
    code = texts(city.procedures, "codigo").tolist()
    lines, newest = [], int(month_number(np.array([today]))[0])
    cohorts = {(m, 1, p): cohort for (m, p), cohort in lives.items()}
    for m, p in lives:
        for last in range(m, min(m + 11, newest) + 1):
            year = (lives.get((last - back, p), []) for back in range(12))
            cohorts.setdefault((last, 12, p), [life for month in year for life in month])
    for (m, months, p), cohort in sorted(cohorts.items()):
        begin, last = (int(month_start(np.array([m + i]))[0]) - i for i in (0, 1))
        name = day_text(np.array([begin])).tolist()[0]
        told = _told(cohort, today - last >= np.array(HORIZONS))
        for horizon, percentages in zip(HORIZONS, told, strict=True):
            counts = _counts(cohort, horizon)
            lines.append((name, str(months), code[p], str(horizon), *counts, *percentages))
    return {
        "chave": ["competencia", "coorte_meses", "procedimento_codigo", "horizonte_dias"],
        "colunas": [
            "qtd_pedidos",
            "qtd_pedidos_atendidos",
            "qtd_pedidos_sem_confirmacao",
            "qtd_pedidos_outras_saidas",
            "qtd_pedidos_em_aberto",
            "pct_pedidos_atendidos",
            "pct_pedidos_sem_confirmacao",
            "pct_pedidos_outras_saidas",
            "pct_pedidos_em_aberto",
        ],
        "linhas": lines,
    }


def seen_first(city: City, known: Known) -> Ints:
    """Return the day on which each request was first seen to, or `MISSING`."""
    came = matches(city.bookings, "outcome", ["confirmada"]) & known.bookings
    day = np.full(city.requests.num_rows, FAR)
    when = numbers(city.bookings, "appointment_at")[came] // DAY
    np.minimum.at(day, numbers(city.bookings, "request_idx")[came], when)
    return np.where(day == FAR, MISSING, day)


def _ends(city: City, known: Known, past: History) -> tuple[Ints, Ints]:
    """Return how each request ended by what was known, and on which day; a death ends it too."""
    n = city.requests.num_rows
    end, day = np.full(n, _OPEN), np.full(n, MISSING)
    # The last stretch of a request that is closed begins where it was last something else.
    closing, open_before = dict[int, tuple[str, int]](), set[int]()
    for row in range(len(past.request) - 1, -1, -1):
        r = int(past.request[row])
        if past.state[row] != CLOSED:
            open_before.add(r)
        elif r not in open_before:
            closing[r] = str(past.kind[row]), int(past.day[row])
    appointment = numbers(city.bookings, "appointment_at") // DAY
    of = numbers(city.bookings, "request_idx")
    silent = matches(city.bookings, "outcome", ["sem_confirmacao"]) & known.bookings
    silent_days = set(zip(of[silent].tolist(), appointment[silent].tolist(), strict=True))
    for r, (kind, when) in closing.items():
        unknown = kind == APPOINTMENT and (r, when) in silent_days
        end[r], day[r] = _UNKNOWN if unknown else _OTHER, when
    came: Flags = matches(city.bookings, "outcome", ["confirmada"]) & known.bookings
    for r, when in sorted(zip(of[came].tolist(), appointment[came].tolist(), strict=True)):
        if end[r] != _SEEN:
            end[r], day[r] = _SEEN, when
    death, _ = deaths(city)
    death = death[numbers(city.requests, "person_idx")]
    died = (death != MISSING) & (death <= day_number(city.until))
    died &= (end == _OPEN) | (death < day)
    return np.where(died, _OTHER, end), np.where(died, death, day)


def _counts(cohort: list[tuple[int, int]], horizon: int) -> tuple[int, ...]:
    """Return how many entered, ended in each way by the horizon, and had not."""
    by = [how for days, how in cohort if days <= horizon and how != _OPEN]
    ended = [by.count(how) for how in (_SEEN, _UNKNOWN, _OTHER)]
    return len(cohort), *ended, len(cohort) - len(by)


def _told(cohort: list[tuple[int, int]], whole: Flags) -> list[tuple[float | None, ...]]:
    """Return the percentages by each horizon, or nothing where it was not reached.

    Day by day: of those still followed, the share that ends in each way; what is left goes on.

    Args:
        cohort: how many days each request was followed, and how it ended.
        whole: of each horizon, whether all were followed to it.

    """
    lives = Counter(cohort)
    days = sorted({day for day, _ in lives})
    left, risk = 1.0, len(cohort)
    shares: tuple[float, ...] = (0.0, 0.0, 0.0)
    curve = [(-1, left, shares)]
    followed = dict[int, int]()
    for day in days:
        followed[day] = risk
        ended = [lives[day, how] for how in (_SEEN, _UNKNOWN, _OTHER)]
        shares = tuple(s + left * e / risk for s, e in zip(shares, ended, strict=True))
        left *= 1 - sum(ended) / risk
        risk -= sum(ended) + lives[day, _OPEN]
        curve.append((day, left, shares))
    done = not lives[days[-1], _OPEN]
    told: list[tuple[float | None, ...]] = []
    for horizon, all_of_them in zip(HORIZONS, whole.tolist(), strict=True):
        _, open_then, by = max(step for step in curve if step[0] <= horizon)
        still = max((n for day, n in followed.items() if day >= horizon), default=0)
        known = len(cohort) >= FEWEST and (all_of_them or still >= FEWEST_FOLLOWED or done)
        told.append((*(100 * s for s in by), 100 * open_then) if known else (None,) * 4)
    return told
