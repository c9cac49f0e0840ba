"""The right answers on the order of the queue: who was booked while somebody older waited on."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from math import sqrt
from typing import Any

import numpy as np

from mapa_city.arrays import (
    DAY,
    FAR,
    MISSING,
    Flags,
    Ints,
    day_text,
    matches,
    month_number,
    month_start,
    numbers,
    texts,
)
from mapa_city.city import City
from mapa_city.territory import UNIDENTIFIED
from mapa_city.truth.identity import of_requests
from mapa_city.truth.queue import FEWEST, RETURNED, SCHEDULED, WAITING, History, deaths
from mapa_city.truth.seen import Known

_NONE, _FIRST = "sem_comparacao", "em_ordem"
_REASONS = (
    "interrompida",
    "territorio",
    "cota",
    "varios_procedimentos",
    "sem_contato",
    "data_desejada",
    "prioridade_legal",
)
_UNEXPLAINED = "sem_explicacao"
_Z = 1.959963984540054
"""Of the normal distribution 95 % lie within so many deviations."""

_EPOCH = date(1970, 1, 1)


class _Places:
    """Stretches in which requests wait or are returned, and what their place depends on."""

    def __init__(self, city: City, known: Known, past: History) -> None:
        """Take the stretches out of the history."""
        rows = np.flatnonzero(np.isin(past.state, [WAITING, RETURNED]))
        self.request = past.request[rows]
        self.begin, self.waits = past.day[rows], past.state[rows] == WAITING
        cell = past.cell[rows]
        self.procedure, self.region, self.risk = (
            part[cell] for part in (known.cells.procedure, known.cells.region, known.cells.risk)
        )
        goes_on = np.r_[False, rows[1:] == rows[:-1] + 1]
        for part in (self.request, self.procedure, self.risk):
            goes_on &= np.r_[False, part[1:] == part[:-1]]
        first = np.maximum.accumulate(np.where(goes_on, 0, np.arange(len(rows))))
        self.arrival = self.begin[first]
        day, undated = deaths(city)
        death = of_requests(city, known, day)
        death = np.where(death == MISSING, FAR, death)[self.request]
        untold = (of_requests(city, known, undated.astype(np.int64)) == 1)[self.request]
        # Nobody is passed over who is dead, or dead since nobody knows when.
        self.end = np.where(untold, MISSING, np.minimum(past.until[rows], death))
        wish = numbers(city.requests, "desired_date")[self.request]
        self.wished = np.maximum(self.begin, wish)
        self.old = _Ages(city).on(self.request, self.begin)


class _Ages:
    """When those of whom requests tell a birthday come into the rights of their age."""

    def __init__(self, city: City) -> None:
        """Reckon the birthdays."""
        born = [_EPOCH + timedelta(d) for d in numbers(city.identities, "birth_date").tolist()]
        self._days = [
            np.array([(_birthday(day, years) - _EPOCH).days for day in born]) for years in (60, 80)
        ]

    def on(self, request: Ints, day: Ints) -> Ints:
        """Return how many of the rights they have on a day."""
        sixty, eighty = (days[request] <= day for days in self._days)
        return sixty.astype(np.int64) + eighty


def _birthday(born: date, years: int) -> date:
    """Return the day on which somebody is that old; 29 February is the 28th where there is none."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return born.replace(year=born.year + years, day=28)


def order_per_month(city: City, known: Known, past: History) -> dict[str, Any]:
    """Judge each booking of somebody who waited by whom it left waiting."""
    places, ages = _Places(city, known, past), _Ages(city)
    requests = city.requests
    asked = numbers(requests, "requested_at") // DAY
    several = np.array([len(extra) > 0 for extra in requests["extra_procedure_idx"].to_pylist()])
    traits = {
        "unit": numbers(requests, "unit_idx"),
        "several": several,
        "reachable": requests["reachable"].to_numpy(zero_copy_only=False),
    }
    apart = 2 * matches(requests, "regulation", ["R"]) + (numbers(requests, "slot_kind") == 1)
    _, central = np.unique(texts(requests, "central").astype(str), return_inverse=True)
    apart = apart + 4 * central
    queues = defaultdict[tuple[int, int], list[int]](list)
    for row, key in enumerate(zip(places.procedure, apart[places.request], strict=True)):
        queues[key].append(row)
    quotas = _quotas(city)
    unknown = list(city.territory.region_names).index(UNIDENTIFIED)
    booked = np.flatnonzero(
        (past.state == SCHEDULED) & (past.before == WAITING) & (past.kind == "agendada")
    )
    month = month_number(past.day)
    found = defaultdict[tuple[int, int], Counter[str]](Counter)
    for row in booked.tolist():
        r, day, cell = int(past.request[row]), int(past.day[row]), past.left[row]
        procedure, risk = int(known.cells.procedure[cell]), known.cells.risk[cell]
        tally = found[int(month[row]), procedure]
        if risk == MISSING:
            tally[_NONE] += 1
            continue
        rows = np.array(queues.get((procedure, int(apart[r])), []), dtype=np.int64)
        who = places.request[rows]
        left = places.end[rows] > day
        left &= (places.risk[rows] != MISSING) & (places.risk[rows] <= risk)
        left &= places.arrival[rows] < asked[r]
        if not left.any():
            tally[_FIRST] += 1
            continue
        region = known.cells.region[cell]
        with_quota = (int(month[row]), int(traits["unit"][r]), procedure) in quotas
        rights = ages.on(np.array([r]), np.array([day]))[0]
        tests: tuple[Flags, ...] = (
            places.waits[rows] & (places.begin[rows] < asked[r]),
            (places.region[rows] == region) & (places.region[rows] != unknown),
            (traits["unit"][who] == traits["unit"][r]) | (not with_quota),
            traits["several"][who] == traits["several"][r],
            traits["reachable"][who],
            places.wished[rows] < asked[r],
            places.old[rows] >= rights,
        )
        why = _UNEXPLAINED
        for reason, test in zip(_REASONS, tests, strict=True):
            left = left & test
            if not left.any():
                why = reason
                break
        tally[why] += 1
    return _told(city, found)


def _quotas(city: City) -> set[tuple[int, int, int]]:
    """Return month, requesting unit and procedure of each quota that is not empty."""
    table = city.quotas
    some = numbers(table, "quantity") > 0
    month = month_number(numbers(table, "competencia"))
    parts = (month, numbers(table, "unit_idx"), numbers(table, "procedure_idx"))
    return set(zip(*(part[some].tolist() for part in parts), strict=True))


def _told(city: City, found: dict[tuple[int, int], Counter[str]]) -> dict[str, Any]:
    """Lay the counts out with the share that nothing explains."""
    situations = (_NONE, _FIRST, *_REASONS, _UNEXPLAINED)
    code = texts(city.procedures, "codigo").tolist()
    lines = []
    for (month, procedure), tally in sorted(found.items()):
        name = day_text(month_start(np.array([month]))).tolist()[0]
        counts = [tally[situation] for situation in situations]
        share = _share(tally[_UNEXPLAINED], tally.total() - tally[_NONE])
        lines.append((name, code[procedure], tally.total(), *counts, *share))
    return {
        "chave": ["competencia", "procedimento_codigo"],
        "colunas": [
            "qtd_agendamentos",
            *(f"qtd_{situation}" for situation in situations),
            *(f"pct_sem_explicacao{end}" for end in ("", "_minimo", "_maximo")),
        ],
        "linhas": lines,
    }


def _share(some: int, every: int) -> tuple[float | None, ...]:
    """Return a percentage and its interval after Wilson; nothing of few cases."""
    if every < FEWEST:
        return (None, None, None)
    share = some / every
    middle = (share + _Z**2 / (2 * every)) / (1 + _Z**2 / every)
    reach = _Z / (1 + _Z**2 / every) * sqrt(share * (1 - share) / every + _Z**2 / (4 * every**2))
    return (100 * share, 100 * (middle - reach), 100 * (middle + reach))
