"""The right answers on the queue: who waits, how long, and who does not come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mapa.simulate.arrays import (
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
from mapa.simulate.city import City
from mapa.simulate.territory import DISTRICT, OUTSIDE, REGION_CODES, UNIDENTIFIED, health_region
from mapa.simulate.truth_offer import rows

FEWEST = 30
"""Cases below which no mean or percentile is told."""

LONGEST_WAIT = 1826
"""Days of five years; a longer wait is taken for an error of the record."""

RISKS = ("1", "2", "3", "4", "nao_informado")
_WAITING, _SCHEDULED, _RETURNED, _CLOSED = range(4)
_STATE_AFTER = {
    "solicitada": _WAITING,
    "reenviada": _WAITING,
    "devolvida": _RETURNED,
    "agendada": _SCHEDULED,
    "negada": _CLOSED,
    "cancelada": _CLOSED,
    "cancelamento_agendamento": _CLOSED,
}
_APPOINTMENT = "agendamento_chegou"


@dataclass(frozen=True)
class History:
    """States of every request, one row per change, sorted by request and instant.

    Attributes:
        request: row of the request.
        day: day of the change.
        until: day of the next change of the request, or `FAR`.
        kind: what happened.
        state: state after the change.
        before: state before it; closed for the first change.
    """

    request: Ints
    day: Ints
    until: Ints
    kind: Texts
    state: Ints
    before: Ints

    def at(self, day: int, state: int) -> Ints:
        """Return the requests that are in a state at the end of a day."""
        there: Ints = self.request[(self.day <= day) & (day < self.until) & (self.state == state)]
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


def history(city: City) -> History:
    """Follow each request through its states; an appointment that has come closes it."""
    changes = matches(city.events, "kind", list(_STATE_AFTER))
    kept = ~matches(city.bookings, "outcome", ["cancelada"])
    appointment = numbers(city.bookings, "appointment_at")[kept] // DAY * DAY
    request = np.concatenate(
        [
            numbers(city.events, "request_idx")[changes],
            numbers(city.bookings, "request_idx")[kept],
        ]
    )
    at = np.concatenate([numbers(city.events, "at")[changes], appointment])
    arrived = np.full(len(appointment), _APPOINTMENT, dtype=object)
    kind = np.concatenate([texts(city.events, "kind")[changes], arrived])
    order = np.lexsort((at, request))
    request, at, kind = request[order], at[order], kind[order]
    state = np.array([_STATE_AFTER.get(name, _CLOSED) for name in kind.tolist()], dtype=np.int64)
    same = request[1:] == request[:-1]
    return History(
        request=request,
        day=at // DAY,
        until=np.r_[np.where(same, at[1:] // DAY, FAR), FAR],
        kind=kind,
        state=state,
        before=np.r_[_CLOSED, np.where(same, state[:-1], _CLOSED)],
    )


def calendar(city: City) -> Calendar:
    """Return the months that the queue has lived through."""
    reference = np.array([day_number(city.until)])
    first = numbers(city.requests, "requested_at").min() // DAY
    months = np.arange(month_number(np.array([first]))[0], month_number(reference)[0] + 1)
    ends = np.minimum(month_start(months + 1) - 1, reference)
    return Calendar(months, ends.tolist())


def regions(city: City) -> Ints:
    """Return the health region of the residence in each request, as a position in the codes.

    It is that of the real place, where the city wrote an address that tells it.
    """
    region = [
        OUTSIDE if municipality != DISTRICT else health_region(ra) if tells else UNIDENTIFIED
        for municipality, ra, tells in zip(
            *(city.requests[name].to_pylist() for name in ("city_ibge6", "ra", "bairro_tells")),
            strict=True,
        )
    ]
    return np.array([REGION_CODES.index(name) for name in region], dtype=np.int64)


def queue_per_month(city: City, past: History, when: Calendar) -> dict[str, Any]:
    """Count stock and flows of each procedure, health region and risk class."""
    risk = numbers(city.requests, "risk")
    risk = np.where(risk == MISSING, len(RISKS), risk) - 1
    procedure = numbers(city.requests, "procedure_idx")
    combination = (procedure * len(REGION_CODES) + regions(city)) * len(RISKS) + risk
    distinct, group = np.unique(combination, return_inverse=True)
    measures = _flows(past, when, group) | _stocks(city, past, when, group)
    before = np.zeros((len(distinct), 1), dtype=np.int64)
    opening = np.column_stack([before, measures["qtd_aguardando"][:, :-1]])
    measures = {"qtd_estoque_inicial": opening} | measures
    begun = np.cumsum(measures["qtd_entradas"], axis=1) > 0
    row, month = np.nonzero(begun)
    key = distinct[row]
    return {
        "chave": ["competencia", "procedimento_codigo", "regiao_saude_codigo", "risco_codigo"],
        "colunas": list(measures),
        "linhas": rows(
            when.names()[month],
            texts(city.procedures, "codigo")[key // len(RISKS) // len(REGION_CODES)],
            np.array(REGION_CODES, dtype=object)[key // len(RISKS) % len(REGION_CODES)],
            np.array(RISKS, dtype=object)[key % len(RISKS)],
            *(values[begun] for values in measures.values()),
        ),
    }


def _flows(past: History, when: Calendar, group: Ints) -> dict[str, Ints]:
    """Count what happened in each month, per group of requests: arrays of groups and months."""
    shape = (int(group.max()) + 1, len(when.months))
    month = month_number(past.day) - when.months[0]

    def count(happened: Flags) -> Ints:
        place = group[past.request[happened]] * shape[1] + month[happened]
        return np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape)

    return {
        "qtd_entradas": count(past.kind == "solicitada"),
        "qtd_agendamentos": count(past.kind == "agendada"),
        "qtd_devolucoes": count(past.kind == "devolvida"),
        "qtd_reenvios": count(past.kind == "reenviada"),
        "qtd_cancelamentos": count((past.kind == "cancelada") & (past.before == _WAITING)),
        "qtd_negativas": count(past.kind == "negada"),
    }


def _stocks(city: City, past: History, when: Calendar, group: Ints) -> dict[str, Ints]:
    """Count who is in which state at the end of each month, per group of requests."""
    person = numbers(city.requests, "person_idx")
    death, untold = _deaths(city)
    death, untold = death[person], untold[person]
    people = city.persons.num_rows
    ends: list[list[Ints]] = []
    for end in when.ends:
        waiting = past.at(end, _WAITING)
        dead = waiting[(death[waiting] != MISSING) & (death[waiting] <= end)]
        pairs = np.unique(group[waiting] * people + person[waiting])
        scheduled, returned = past.at(end, _SCHEDULED), past.at(end, _RETURNED)
        undated = waiting[untold[waiting]]
        counted = (waiting, scheduled, returned)
        ends.append(
            [*(group[part] for part in counted), pairs // people, group[dead], group[undated]]
        )
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


def _deaths(city: City) -> tuple[Ints, Flags]:
    """Return the day from which the register lets each person be dead, and who is without a day."""
    day = numbers(city.persons, "death_date")
    month_end = month_start(month_number(day) + 1) - 1
    known = texts(city.persons, "death_known")
    dead = day != MISSING
    told = np.where(known == "month", month_end, day)
    return np.where(dead & (known != "nothing"), told, MISSING), dead & (known == "nothing")


def waits_per_month(city: City, past: History, when: Calendar) -> dict[str, Any]:
    """Describe completed waits of each month and the ages of the queue at its end."""
    asked = numbers(city.requests, "requested_at") // DAY
    procedure = numbers(city.requests, "procedure_idx")
    served = matches(city.bookings, "outcome", ["confirmada"])
    served &= numbers(city.bookings, "slot_kind") != 1
    request = numbers(city.bookings, "request_idx")[served]
    appointment = numbers(city.bookings, "appointment_at")[served] // DAY
    wait, month, of = appointment - asked[request], month_number(appointment), procedure[request]
    code, names = texts(city.procedures, "codigo").tolist(), when.names().tolist()
    lines: list[tuple[Any, ...]] = []
    for name, number, end in zip(names, when.months.tolist(), when.ends, strict=True):
        waiting = past.at(end, _WAITING)
        age, queue = end - asked[waiting], procedure[waiting]
        now = month == number
        for p in np.unique(np.r_[of[now], queue]).tolist():
            lines.append((name, code[p], *_waits(wait[now & (of == p)], age[queue == p])))
    return {
        "chave": ["competencia", "procedimento_codigo"],
        "colunas": [
            "qtd_atendidas",
            "dias_espera_media",
            "dias_espera_p50",
            "dias_espera_p90",
            "qtd_aguardando",
            "dias_em_fila_p50",
            "dias_em_fila_p90",
            "dias_em_fila_max",
            "qtd_esperas_implausiveis",
        ],
        "linhas": lines,
    }


def _waits(completed: Ints, ages: Ints) -> tuple[Any, ...]:
    """Return the measures of one procedure and month; implausible waits are left out."""
    done, still = completed[_plausible(completed)], ages[_plausible(ages)]
    mean = float(done.mean()) if len(done) >= FEWEST else None
    longest = int(still.max()) if len(still) >= FEWEST else None
    return (
        *(len(done), mean, *_percentiles(done)),
        *(len(ages), *_percentiles(still), longest),
        len(completed) - len(done),
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


def absence_per_month(city: City) -> dict[str, Any]:
    """Count what came of the appointments that were due, per executing unit and procedure."""
    appointment = numbers(city.bookings, "appointment_at") // DAY
    due = appointment <= day_number(city.until)
    due &= ~matches(city.bookings, "outcome", ["cancelada"])
    unit = numbers(city.schedules, "unit_idx")[numbers(city.bookings, "schedule_idx")]
    procedure = numbers(city.requests, "procedure_idx")[numbers(city.bookings, "request_idx")]
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
