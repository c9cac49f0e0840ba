"""The right answers on how old the queue is, and how much of it is within the limit of the law."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from mapa_city.arrays import DAY, month_number, month_start, numbers, texts
from mapa_city.city import City
from mapa_city.truth.queue import Calendar, History, completed, waiting_at
from mapa_city.truth.seen import Known

LIMIT = 100
"""Days that a consultation or an exam may take: statement 93 of the CNJ, of March 2019."""

_LIMIT_SINCE = "2019-03-01"
_BANDS = ("ate_30", "31_a_60", "61_a_90", "91_a_180", "181_a_365", "366_a_730", "acima_de_730")
_BAND_ENDS = np.array([30, 60, 90, 180, 365, 730])


def wait_band(days: int) -> str:
    """Name the band of days waited."""
    return _BANDS[int(np.searchsorted(_BAND_ENDS, days))]


def bands_per_month(city: City, known: Known, past: History, when: Calendar) -> dict[str, Any]:
    """Count who waits at the end of each month by how many days ago they asked."""
    lines = []
    for month, procedure, ages in _queues(city, known, past, when):
        found = Counter(np.searchsorted(_BAND_ENDS, ages).tolist())
        lines += [(month, procedure, _BANDS[band], n) for band, n in sorted(found.items())]
    return {
        "chave": ["competencia", "procedimento_codigo", "faixa_espera"],
        "colunas": ["qtd_aguardando"],
        "linhas": lines,
    }


def limits_per_month(city: City, known: Known, past: History, when: Calendar) -> dict[str, Any]:
    """Count who waits, and who was seen in the month, within the limit and beyond it."""
    waiting = {(m, p): ages.tolist() for m, p, ages in _queues(city, known, past, when)}
    seen = defaultdict[tuple[str, str], list[int]](list)
    wait, appointment, of = completed(city, known)
    name = dict(zip(when.months.tolist(), when.names().tolist(), strict=True))
    code = texts(city.procedures, "codigo").tolist()
    parts = (month_number(appointment), of, wait)
    for month, procedure, days in zip(*(part.tolist() for part in parts), strict=True):
        if days >= 0:
            seen[name[month], code[procedure]].append(days)
    lines = []
    for month, procedure in sorted(waiting.keys() | seen.keys()):
        ages, waits = waiting.get((month, procedure), []), seen[month, procedure]
        limit = LIMIT if month >= _LIMIT_SINCE else None
        beyond = None if limit is None else sum(max(age - limit, 0) for age in ages)
        old = (sum(age > year * 365 for age in ages) for year in (1, 2))
        measures = (*_within(ages, limit), *_within(waits, limit))
        lines.append((month, procedure, limit, *measures, *old, beyond))
    return {
        "chave": ["competencia", "procedimento_codigo"],
        "colunas": [
            "limite_dias",
            "qtd_aguardando",
            "qtd_aguardando_no_limite",
            "pct_aguardando_no_limite",
            "qtd_atendidas",
            "qtd_atendidas_no_limite",
            "pct_atendidas_no_limite",
            "qtd_aguardando_mais_de_um_ano",
            "qtd_aguardando_mais_de_dois_anos",
            "dias_alem_do_limite",
        ],
        "linhas": lines,
    }


def balance_per_month(
    queue: dict[str, Any], city: City, known: Known, past: History, when: Calendar
) -> dict[str, Any]:
    """Compare what enters with what is booked in a quarter, and tell what the queue would need."""
    column = {name: 4 + at for at, name in enumerate(queue["colunas"])}
    cells = defaultdict[tuple[str, str], Counter[str]](Counter)
    for line in queue["linhas"]:
        for name in ("qtd_entradas", "qtd_agendamentos", "qtd_aguardando"):
            cells[line[1], line[0]][name] += line[column[name]]
    mean = {(p, m): float(ages.mean()) for m, p, ages in _queues(city, known, past, when)}
    names = when.names().tolist()
    begins = [*month_start(when.months).tolist(), int(month_start(when.months[-1:] + 1)[0])]
    # Of the month under way nobody can say yet; the first month is that of the first movement.
    first = min(names.index(month) for _, month in cells)
    full = len(names) if when.ends[-1] == begins[-1] - 1 else len(names) - 1
    lines = []
    for procedure in sorted({p for p, _ in cells}):
        for at in range(first + 2, full):
            quarter = [cells[procedure, month] for month in names[at - 2 : at + 1]]
            entered, booked = (
                sum(month[name] for month in quarter)
                for name in ("qtd_entradas", "qtd_agendamentos")
            )
            waiting = quarter[-1]["qtd_aguardando"]
            if not (entered or booked or waiting):
                continue
            limit = LIMIT if names[at] >= _LIMIT_SINCE else None
            a_day = entered / (begins[at + 1] - begins[at - 2])
            target = None if limit is None else a_day * limit / 4
            age = mean.get((procedure, names[at]))
            lines.append(
                (
                    *(names[at], procedure, waiting, entered, booked),
                    entered / booked if booked else None,
                    waiting / (booked / 3) if booked else None,
                    limit,
                    target,
                    None if target is None else 7 * a_day + (waiting - target) / 26,
                    None if limit is None or age is None else 2 * age / limit,
                )
            )
    return {
        "chave": ["competencia", "procedimento_codigo"],
        "colunas": [
            "qtd_aguardando",
            "qtd_entradas_trimestre",
            "qtd_agendamentos_trimestre",
            "carga",
            "meses_para_atender",
            "limite_dias",
            "fila_alvo",
            "vagas_semana_alivio",
            "pressao",
        ],
        "linhas": lines,
    }


def _queues(
    city: City, known: Known, past: History, when: Calendar
) -> Iterator[tuple[str, str, Any]]:
    """Yield month, procedure and days waited of each queue that is not empty."""
    asked = numbers(city.requests, "requested_at") // DAY
    code = texts(city.procedures, "codigo").tolist()
    for month, end in zip(when.names().tolist(), when.ends, strict=True):
        waiting = waiting_at(past, end)
        age, queue = end - asked[past.request[waiting]], known.cells.procedure[past.cell[waiting]]
        for procedure in np.unique(queue).tolist():
            yield month, code[procedure], age[queue == procedure]


def _within(days: list[int], limit: int | None) -> tuple[int, int | None, float | None]:
    """Return how many there are, how many are within the limit, and their percentage."""
    if limit is None:
        return len(days), None, None
    good = sum(one <= limit for one in days)
    return len(days), good, 100 * good / len(days) if days else None
