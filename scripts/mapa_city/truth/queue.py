"""The right answers on the queue: who waits, how long, and who does not come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mapa_city.arrays import (
    DAY,
    FAR,
    MISSING,
    Flags,
    Ints,
    Texts,
    day_number,
    day_text,
    matches,
    month_number,
    month_start,
    numbers,
    texts,
    unless,
)
from mapa_city.city import City
from mapa_city.truth.offer import rows
from mapa_city.truth.seen import ALWAYS, NEVER, Known, cancelled_at

FEWEST = 30
"""Cases below which no mean or percentile is told."""

LONGEST_WAIT = 1826
"""Days of five years; a longer wait is taken for an error of the record."""

RISKS = ("1", "2", "3", "4", "nao_informado")
WAITING, SCHEDULED, RETURNED, CLOSED = range(4)
_STATE_AFTER = {
    "solicitada": WAITING,
    "reenviada": WAITING,
    "reaberta": WAITING,
    "devolvida": RETURNED,
    "agendada": SCHEDULED,
    "negada": CLOSED,
    "cancelada": CLOSED,
    "cancelamento_agendamento": CLOSED,
}
APPOINTMENT, _GONE, _BACK, _MOVED = "agendamento_chegou", "sumiu", "voltou", "mudou"


@dataclass(frozen=True)
class History:
    """States of every request, one row per state and cell, sorted by request and instant.

    Attributes:
        request: row of the request.
        day: day on which the row begins.
        until: day on which the next row of the request begins, or `FAR`.
        kind: what happened.
        state: state after it.
        before: state before it; closed for the first row.
        first: whether it is the first row of the request.
        cell: row of what the request is counted as meanwhile.
        left: row of what it was counted as before.
    """

    request: Ints
    day: Ints
    until: Ints
    kind: Texts
    state: Ints
    before: Ints
    first: Flags
    cell: Ints
    left: Ints

    def at(self, day: int, state: int) -> Ints:
        """Return the rows that hold at the end of a day."""
        there: Ints = np.flatnonzero((self.day <= day) & (day < self.until) & (self.state == state))
        return there


@dataclass(frozen=True)
class Calendar:
    """Months from the first request to the reference day.

    Attributes:
        months: month numbers.
        ends: last day of each month; of the last one, the reference day.
    """

    months: Ints
    ends: list[int]

    def names(self) -> Texts:
        """Return the competência of each month."""
        return day_text(month_start(self.months))


def history(city: City, known: Known) -> History:
    """Follow each request through its states as the readings let it be known.

    An appointment that has come closes a request, if the booking was seen at all. What the source
    was known not to have is closed meanwhile. A correction moves a request to another cell.
    """
    parts = [*_life(city, known), *_absence(known), *_moves(known)]
    request, at = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    kind = np.concatenate([part[2] for part in parts])
    begun = numbers(city.requests, "requested_at")
    kept = known.seen[request] & ~city.requests["undated"].to_numpy()[request]
    kept &= (at >= begun[request]) & (at < (day_number(city.until) + 1) * DAY)
    request, at, kind = request[kept], at[kept], kind[kept]
    # A correction that comes with another change is part of it.
    order = np.lexsort((kind != _MOVED, at, request))
    request, at, kind = request[order], at[order], kind[order]
    state = _states(request.tolist(), kind.tolist())
    cell = known.cells.at(request, at)
    first = np.r_[True, request[1:] != request[:-1]]
    before = np.where(first, CLOSED, np.r_[CLOSED, state[:-1]])
    left = np.where(first, cell, np.r_[0, cell[:-1]])
    told = first | (state != before) | ((cell != left) & (kind == _MOVED))
    # Of a correction and another change at one instant only the other one is a step.
    together = np.r_[(request[1:] == request[:-1]) & (at[1:] == at[:-1]), False]
    changes = np.r_[state[1:] != state[:-1], False]
    told &= ~((kind == _MOVED) & together & changes & ~first)
    request, at, kind, state, cell = (part[told] for part in (request, at, kind, state, cell))
    first = np.r_[True, request[1:] != request[:-1]]
    return History(
        request=request,
        day=at // DAY,
        until=np.r_[np.where(first[1:], FAR, at[1:] // DAY), FAR],
        kind=kind,
        state=state,
        before=np.where(first, CLOSED, np.r_[CLOSED, state[:-1]]),
        first=first,
        cell=cell,
        left=np.where(first, cell, np.r_[0, cell[:-1]]),
    )


_Facts = tuple[Ints, Ints, Texts]
"""Requests, instants and kinds of what happened."""


def _named(request: Ints, at: Ints, name: str) -> _Facts:
    return request, at, np.full(len(request), name, dtype=object)


def _life(city: City, known: Known) -> list[_Facts]:
    """Return what happened to requests, and the appointments that came.

    What happened to a request after the source showed it for the last time nobody could know.
    """
    changes = matches(city.events, "kind", list(_STATE_AFTER))
    changes &= numbers(city.events, "at") < known.last[numbers(city.events, "request_idx")]
    appointment = numbers(city.bookings, "appointment_at")
    came = known.bookings & (cancelled_at(city) >= appointment)
    request, at = numbers(city.events, "request_idx"), numbers(city.events, "at")
    return [
        (request[changes], at[changes], texts(city.events, "kind")[changes]),
        _named(numbers(city.bookings, "request_idx")[came], appointment[came], APPOINTMENT),
    ]


def _absence(known: Known) -> list[_Facts]:
    """Return when requests were missed and found again."""
    back = known.missed.until < NEVER
    return [
        _named(known.missed.request, known.missed.since, _GONE),
        _named(known.missed.request[back], known.missed.until[back], _BACK),
    ]


def _moves(known: Known) -> list[_Facts]:
    """Return when requests began to be counted as something else."""
    later = known.cells.since > ALWAYS
    return [_named(known.cells.request[later], known.cells.since[later], _MOVED)]


def _states(request: list[int], kind: list[str]) -> Ints:
    """Go through what happened, request by request, and return the state after each step."""
    states: list[int] = []
    who, says, away = -1, CLOSED, False
    for row, what in zip(request, kind, strict=True):
        if row != who:
            who, says, away = row, CLOSED, False
        if what == APPOINTMENT:
            says = CLOSED
        elif what in _STATE_AFTER:
            says = _STATE_AFTER[what]
        elif what in (_GONE, _BACK):
            away = what == _GONE
        states.append(CLOSED if away else says)
    return np.array(states, dtype=np.int64)


def calendar(city: City) -> Calendar:
    """Return the months that the queue has lived through."""
    reference = np.array([day_number(city.until)])
    first = numbers(city.requests, "requested_at").min() // DAY
    months = np.arange(month_number(np.array([first]))[0], month_number(reference)[0] + 1)
    ends = np.minimum(month_start(months + 1) - 1, reference)
    return Calendar(months, ends.tolist())


def queue_per_month(city: City, known: Known, past: History, when: Calendar) -> dict[str, Any]:
    """Count stock and flows of each procedure, health region and risk class."""
    cells, regions = known.cells, list(city.territory.region_names)
    risk = np.where(cells.risk == MISSING, len(RISKS), cells.risk) - 1
    combination = (cells.procedure * len(regions) + cells.region) * len(RISKS) + risk
    distinct, group = np.unique(combination, return_inverse=True)
    flows, stocks = _flows(past, when, group), _stocks(city, past, when, group)
    before = np.zeros((len(distinct), 1), dtype=np.int64)
    opening = np.column_stack([before, stocks["qtd_aguardando"][:, :-1]])
    measures = {"qtd_estoque_inicial": opening} | flows | stocks
    begun = np.cumsum(sum((flows | stocks).values()), axis=1) > 0
    row, month = np.nonzero(begun)
    key = distinct[row]
    return {
        "chave": ["competencia", "procedimento_codigo", "regiao_saude_codigo", "risco_codigo"],
        "colunas": list(measures),
        "linhas": rows(
            when.names()[month],
            texts(city.procedures, "codigo")[key // len(RISKS) // len(regions)],
            np.array(regions, dtype=object)[key // len(RISKS) % len(regions)],
            np.array(RISKS, dtype=object)[key % len(RISKS)],
            *(values[begun] for values in measures.values()),
        ),
    }


def _flows(past: History, when: Calendar, group: Ints) -> dict[str, Ints]:
    """Count what happened in each month, per group of cells: arrays of groups and months."""
    shape = (int(group.max()) + 1, len(when.months))
    month = month_number(past.day) - when.months[0]
    waits, waited = past.state == WAITING, past.before == WAITING
    moved = past.kind == _MOVED

    def count(happened: Flags, cell: Ints) -> Ints:
        place = group[cell[happened]] * shape[1] + month[happened]
        return np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape)

    def into(*kinds: str) -> Ints:
        return count(waits & ~waited & np.isin(past.kind, kinds), past.cell)

    def out(*kinds: str) -> Ints:
        return count(~waits & waited & np.isin(past.kind, kinds), past.left)

    return {
        "qtd_entradas": into("solicitada"),
        "qtd_agendamentos": out("agendada"),
        "qtd_devolucoes": out("devolvida"),
        "qtd_reenvios": into("reenviada"),
        "qtd_cancelamentos": out("cancelada"),
        "qtd_negativas": out("negada"),
        "qtd_reaberturas": into("reaberta"),
        "qtd_desaparecimentos": out(_GONE),
        "qtd_reaparecimentos": into(_BACK),
        "qtd_outras_saidas": np.zeros(shape, dtype=np.int64),
        "qtd_reclassificadas_entrada": count(waits & waited & moved, past.cell),
        "qtd_reclassificadas_saida": count(waits & waited & moved, past.left),
    }


def _stocks(city: City, past: History, when: Calendar, group: Ints) -> dict[str, Ints]:
    """Count who is in which state at the end of each month, per group of cells."""
    person = numbers(city.requests, "person_idx")[past.request]
    death, untold = deaths(city)
    death, untold = death[person], untold[person]
    people = city.persons.num_rows
    of = group[past.cell]
    ends: list[list[Ints]] = []
    for end in when.ends:
        waiting = past.at(end, WAITING)
        dead = waiting[(death[waiting] != MISSING) & (death[waiting] <= end)]
        pairs = np.unique(of[waiting] * people + person[waiting])
        scheduled, returned = past.at(end, SCHEDULED), past.at(end, RETURNED)
        counted = (waiting, scheduled, returned)
        undated = waiting[untold[waiting]]
        ends.append([*(of[part] for part in counted), pairs // people, of[dead], of[undated]])
    names = (
        "qtd_aguardando",
        "qtd_agendadas",
        "qtd_devolvidas",
        "qtd_pessoas_aguardando",
        "qtd_aguardando_obito",
        "qtd_aguardando_obito_sem_data",
    )
    size = int(group.max()) + 1
    return {
        name: np.column_stack([np.bincount(part, minlength=size) for part in parts])
        for name, parts in zip(names, zip(*ends, strict=True), strict=True)
    }


def deaths(city: City) -> tuple[Ints, Flags]:
    """Return the day from which the register lets each person be dead, and who is without a day."""
    day = numbers(city.persons, "death_date")
    month_end = month_start(month_number(day) + 1) - 1
    known = texts(city.persons, "death_known")
    dead = day != MISSING
    told = np.where(known == "month", month_end, day)
    return np.where(dead & (known != "nothing"), told, MISSING), dead & (known == "nothing")


def waits_per_month(city: City, known: Known, past: History, when: Calendar) -> dict[str, Any]:
    """Describe completed waits of each month and the ages of the queue at its end."""
    asked = numbers(city.requests, "requested_at") // DAY
    request, appointment, of = _served(city, known)
    undated = city.requests["undated"].to_numpy()[request]
    wait, month = appointment - asked[request], month_number(appointment)
    code, names = texts(city.procedures, "codigo").tolist(), when.names().tolist()
    lines: list[tuple[Any, ...]] = []
    for name, number, end in zip(names, when.months.tolist(), when.ends, strict=True):
        waiting = past.at(end, WAITING)
        age, queue = end - asked[past.request[waiting]], known.cells.procedure[past.cell[waiting]]
        now = month == number
        for p in np.unique(np.r_[of[now], queue]).tolist():
            mine = now & (of == p)
            measures = _waits(wait[mine & ~undated], age[queue == p], int((mine & undated).sum()))
            lines.append((name, code[p], *measures))
    return {
        "chave": ["competencia", "procedimento_codigo"],
        "colunas": [
            "qtd_atendidas",
            "dias_espera_media",
            "dias_espera_p50",
            "dias_espera_p90",
            "qtd_aguardando",
            "qtd_aguardando_acima_do_limite",
            "dias_em_fila_p50",
            "dias_em_fila_p90",
            "dias_em_fila_max",
            "qtd_atendidas_sem_data",
            "qtd_esperas_implausiveis",
        ],
        "linhas": lines,
    }


def _served(city: City, known: Known) -> tuple[Ints, Ints, Ints]:
    """Return request, day and procedure of each appointment that was attended and is no return."""
    served = matches(city.bookings, "outcome", ["confirmada"]) & known.bookings
    served &= numbers(city.bookings, "slot_kind") != 1
    request = numbers(city.bookings, "request_idx")[served]
    appointment = numbers(city.bookings, "appointment_at")[served] // DAY
    # What the request was counted as at the end of that day.
    return (
        request,
        appointment,
        known.cells.procedure[known.cells.at(request, (appointment + 1) * DAY - 1)],
    )


def completed(city: City, known: Known) -> tuple[Ints, Ints, Ints]:
    """Return days waited, day and procedure of each attended appointment whose request is dated."""
    request, appointment, of = _served(city, known)
    dated = ~city.requests["undated"].to_numpy()[request]
    asked = numbers(city.requests, "requested_at")[request] // DAY
    return (appointment - asked)[dated], appointment[dated], of[dated]


def waiting_at(past: History, day: int) -> Ints:
    """Return the rows of the requests that wait at the end of a day."""
    return past.at(day, WAITING)


def _waits(completed: Ints, ages: Ints, undated: int) -> tuple[Any, ...]:
    """Return the measures of one procedure and month.

    Implausible completed waits are left out; of those who wait too long only the maximum tells.
    """
    done, still = completed[_plausible(completed)], ages[_plausible(ages)]
    mean = float(done.mean()) if len(done) >= FEWEST else None
    longest = int(ages.max()) if len(ages) >= FEWEST else None
    return (
        *(len(done), mean, *_percentiles(done)),
        *(len(ages), len(ages) - len(still), *_percentiles(still), longest),
        *(undated, len(completed) - len(done)),
    )


def _plausible(days: Ints) -> Flags:
    """Tell which waits can be true."""
    fit: Flags = (days >= 0) & (days <= LONGEST_WAIT)
    return fit


def _percentiles(days: Ints) -> tuple[float | None, float | None]:
    """Return median and 90th percentile; None when the cases are too few."""
    if len(days) < FEWEST:
        return None, None
    p50, p90 = np.percentile(days, [50, 90]).tolist()
    return p50, p90


def _due(city: City, known: Known) -> tuple[Ints, Flags, Ints]:
    """Return the day of each appointment, whether somebody was due, and the row of its unit."""
    appointment = numbers(city.bookings, "appointment_at") // DAY
    due = appointment <= day_number(city.until)
    due &= ~matches(city.bookings, "outcome", ["cancelada"]) & known.bookings
    unit = numbers(city.schedules, "unit_idx")[numbers(city.bookings, "schedule_idx")]
    return appointment, due, unit


def homes_per_month(city: City, known: Known) -> dict[str, Any]:
    """Count the appointments that were due, per region in which people lived then, and unit."""
    appointment, due, unit = _due(city, known)
    request = numbers(city.bookings, "request_idx")[due]
    # What the request was counted as at the end of that day.
    home = known.cells.region[known.cells.at(request, (appointment[due] + 1) * DAY - 1)]
    keys = np.column_stack([month_number(appointment[due]), home, unit[due]])
    distinct, count = np.unique(keys, axis=0, return_counts=True)
    regions = np.array(list(city.territory.region_names), dtype=object)
    return {
        "chave": ["competencia", "regiao_residencia_codigo", "unidade_executante_cnes"],
        "colunas": ["qtd_agendamentos_devidos"],
        "linhas": rows(
            day_text(month_start(distinct[:, 0])),
            regions[distinct[:, 1]],
            texts(city.units, "cnes")[distinct[:, 2]],
            count,
        ),
    }


def absence_per_month(city: City, known: Known) -> dict[str, Any]:
    """Count what came of the appointments that were due, per executing unit and procedure."""
    appointment, due, unit = _due(city, known)
    procedure = numbers(city.bookings, "procedure_idx")
    keys = np.column_stack([month_number(appointment), unit, procedure])[due]
    distinct, where = np.unique(keys, axis=0, return_inverse=True)
    came, missed, silent = (
        np.bincount(
            where.ravel()[matches(city.bookings, "outcome", [name])[due]], minlength=len(distinct)
        )
        for name in ("confirmada", "falta", "sem_confirmacao")
    )
    all_due = came + missed + silent
    return {
        "chave": ["competencia", "unidade_executante_cnes", "procedimento_codigo"],
        "colunas": [
            "qtd_agendamentos_devidos",
            "qtd_confirmados",
            "qtd_faltas",
            "qtd_sem_confirmacao",
            "pct_falta_desfecho_conhecido",
            "pct_falta_minimo",
            "pct_falta_maximo",
            "pct_sem_confirmacao",
        ],
        "linhas": rows(
            day_text(month_start(distinct[:, 0])),
            texts(city.units, "cnes")[distinct[:, 1]],
            texts(city.procedures, "codigo")[distinct[:, 2]],
            *(all_due, came, missed, silent),
            _percent(missed, missed + came),
            _percent(missed, all_due),
            _percent(missed + silent, all_due),
            _percent(silent, all_due),
        ),
    }


def _percent(part: Ints, whole: Ints) -> Texts:
    """Return percentages; None where there is nothing to divide by."""
    return unless(whole == 0, 100 * part / np.maximum(whole, 1))
