"""From the queue to the slot: who is booked when, who comes, and the record of it all.

Each simulated day the slots that are open are given to the requests that may be booked, pool by
pool: the earliest free slot to whoever stands first. The order of a queue never changes, so it is
computed once; a day is a few passes over arrays, never a loop over requests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mapa_city.arrays import (
    DAY,
    FAR,
    MISSING,
    Flags,
    Floats,
    Ints,
    Span,
    digits,
    iso_weekday,
    matches,
    numbers,
    pick,
)
from mapa_city.demand import Demand, Script
from mapa_city.schemas import BOOKINGS, EVENTS, table
from mapa_city.slots import SlotDays

FIRST_BOOKING = 400_000_001
OVERBOOKED = 0.01
"""Share of blocks in which one patient more than there are slots is squeezed in."""

EARLY, LATE = 0.09, 0.11
"""Share of bookings cancelled before their day; up to which others are cancelled on it or later."""

LATEST = 8
BOOKED_AGAIN = 0.5
"""Share of the cancelled that stay in the queue, for another booking of the same request."""

PRIORITY_DAYS = np.array([0, 720, 240, 60, 0])
"""Days of waiting that each risk class is worth; the first is for requests without class."""

_RETURN_KIND = 1
OUTCOMES = ("confirmada", "falta", "sem_confirmacao", "cancelada", "futura")
_CONFIRMADA, _FALTA, _SEM_CONFIRMACAO, _CANCELADA, _FUTURA = range(5)
EVENT_KINDS = (
    "solicitada",
    "visualizada",
    "devolvida",
    "reenviada",
    "agendada",
    "negada",
    "cancelada",
    "reaberta",
    "alterada",
    "confirmada",
    "falta",
    "cancelamento_agendamento",
)
PROFILES = ("SOLICITANTE", "REGULADOR", "COORDENADOR", "FILA DE ESPERA", "EXECUTANTE")
_REQUESTER, _REGULATOR, _COORDINATOR, _LIST, _EXECUTOR = range(5)


@dataclass(frozen=True)
class _Cells:
    """Bookable slots: one row per schedule, day and kind, sorted by queue and day.

    Attributes:
        queue: which queue they serve: twice the pool, plus one for return slots.
        schedule: row of the schedule.
        day: day of the appointment.
        kind: 0 first visit, 1 return, 2 reserve.
        opens: first day on which they may be booked.
        size: how many may be booked, overbooking included.
    """

    queue: Ints
    schedule: Ints
    day: Ints
    kind: Ints
    opens: Ints
    size: Ints


@dataclass(frozen=True)
class Booked:
    """Bookings in the order in which they were made.

    Attributes:
        request: row of the request.
        day: day of the booking.
        schedule: row of the schedule.
        appointment: day of the appointment.
        kind: kind of slot.
        position: how many had taken slots of that kind and block before.
        cancelled: day on which the booking is cancelled, or `FAR`.
    """

    request: Ints
    day: Ints
    schedule: Ints
    appointment: Ints
    kind: Ints
    position: Ints
    cancelled: Ints


def book(
    demand: Demand,
    script: Script,
    supply: tuple[pa.Table, SlotDays],
    span: Span,
    rng: np.random.Generator,
) -> Booked:
    """Give slots to requests, day by day.

    Args:
        demand: the requests.
        script: from when and until when each of them may be booked.
        supply: schedules and the slots of their days.
        span: the days to live through.
        rng: source of chance.
    """
    cells = _cells(*supply, span, rng)
    order, queue = _queues(demand, cells, rng)
    ready, cancelled = script.ready[order], script.cancelled[order]
    regulated, waiting = demand.regulated[order], script.ready[order] < FAR
    chance = rng.random((2, len(order)))
    stays = rng.random(len(order)) < BOOKED_AGAIN
    again: dict[int, list[Ints]] = {}
    ledger = _Ledger(cells)
    made: list[tuple[Ints, Ints, Ints, Ints]] = []
    for day in range(span.start, span.until + 1):
        for place in again.pop(day, []):
            waiting[place] = True
        able = waiting & (ready < day) & (cancelled > day)
        if iso_weekday(np.array([day]))[0] > 5:
            able &= ~regulated
        place, cell = _match(queue, np.flatnonzero(able), cells, ledger.free(day))
        waiting[place] = False
        ends = _withdrawals(chance[:, place], day, cells.day[cell])
        made.append((place, cell, ledger.take(cell, ends), ends))
        # Whoever is booked again decides anew.
        chance[:, place] = rng.random((2, len(place)))
        kept = stays[place] & (ends < FAR)
        for end in np.unique(ends[kept]).tolist():
            again.setdefault(end + 1, []).append(place[kept & (ends == end)])
    days = np.repeat(np.arange(span.start, span.until + 1), [len(part[0]) for part in made])
    place, cell, position, ends = (np.concatenate(part) for part in zip(*made, strict=True))
    return Booked(
        request=order[place],
        day=days,
        schedule=cells.schedule[cell],
        appointment=cells.day[cell],
        kind=cells.kind[cell],
        position=position,
        cancelled=ends,
    )


class _Ledger:
    """How many of each cell are left, as bookings take them and cancellations give them back."""

    def __init__(self, cells: _Cells) -> None:
        """Begin with every slot free."""
        self._cells = cells
        self._left = cells.size.copy()
        self._used = np.zeros_like(cells.size)
        self._returns: dict[int, list[Ints]] = {}

    def free(self, day: int) -> Ints:
        """Return how many of each cell may be booked on a day: two days ahead at least."""
        for cell in self._returns.pop(day, []):
            np.add.at(self._left, cell, 1)
        bookable = (self._cells.opens <= day) & (self._cells.day >= day + 2)
        return self._left * bookable

    def take(self, cell: Ints, ends: Ints) -> Ints:
        """Book cells until the days in `ends`; return how many had booked each before."""
        position: Ints = self._used[cell] + _turn(cell)
        np.subtract.at(self._left, cell, 1)
        np.add.at(self._used, cell, 1)
        for day in np.unique(ends[ends < FAR]).tolist():
            self._returns.setdefault(day, []).append(cell[ends == day])
        return position


def _cells(schedules: pa.Table, days: SlotDays, span: Span, rng: np.random.Generator) -> _Cells:
    """List the active slots that the network may book; local agendas are not for it."""
    local = schedules["local_agenda"].to_numpy()[days.schedule]
    inside = (days.day > span.start) & ~local
    row, kind = np.nonzero((days.active > 0) & inside[:, None])
    schedule, day = days.schedule[row], days.day[row]
    pool = numbers(schedules, "procedure_idx")
    queue = 2 * pool[schedule] + (kind == _RETURN_KIND)
    window = rng.integers(20, 76, pool.max() + 1)
    typed = numbers(schedules, "created_at")[schedule] // DAY
    opens = np.maximum(day - window[pool[schedule]], typed + 1)
    size = days.active[row, kind] + (rng.random(len(row)) < OVERBOOKED)
    order = np.lexsort((day, queue))
    return _Cells(*(part[order] for part in (queue, schedule, day, kind, opens, size)))


def _queues(demand: Demand, cells: _Cells, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return the requests in the order of their queues, and the queue of each.

    Who asks for a return queues for return slots where there are any; a few are let through on
    first-visit slots, as happens in the real system.
    """
    served = np.isin(2 * demand.pool + 1, cells.queue) & (rng.random(len(demand.pool)) > 0.06)
    queue = 2 * demand.pool + (demand.wants_return & served)
    risk = np.where(demand.risk == MISSING, 0, demand.risk)
    turn = demand.at / DAY - PRIORITY_DAYS[risk] + rng.normal(0, 8, len(risk))
    order = np.lexsort((turn, queue))
    return order, queue[order]


def _match(queue: Ints, able: Ints, cells: _Cells, free: Ints) -> tuple[Ints, Ints]:
    """Give the n-th free slot of each queue to the n-th request that stands in it.

    Args:
        queue: queue of every request, sorted.
        able: positions of the requests that may be booked, ascending.
        cells: the slots, sorted by queue and day.
        free: how many of each may be booked today.

    Returns:
        Position of each booked request and its cell.
    """
    size = int(max(queue.max(initial=0), cells.queue.max(initial=0))) + 1
    standing = np.bincount(queue[able], minlength=size)
    slots = np.bincount(cells.queue, free, minlength=size).astype(np.int64)
    rank = np.arange(len(able)) - (np.cumsum(standing) - standing)[queue[able]]
    served = rank < slots[queue[able]]
    number = (np.cumsum(slots) - slots)[queue[able]] + rank
    return able[served], np.searchsorted(np.cumsum(free), number[served], side="right")


def _turn(cell: Ints) -> Ints:
    """Return the turn of each booking of one day within its cell; equal cells stand together."""
    first = np.searchsorted(cell, cell, side="left")
    return np.arange(len(cell)) - first


def _withdrawals(chance: Floats, day: int, appointment: Ints) -> Ints:
    """Draw who cancels the booking, and when.

    Most do between the day after it and the day before the appointment, some on the day itself or
    after it, when nobody can use the slot any more.
    """
    room = appointment - day - 1
    early = day + 1 + np.floor(chance[1] * room).astype(np.int64)
    late = appointment + np.floor(chance[1] ** 2 * LATEST).astype(np.int64)
    return np.select(
        [(chance[0] < EARLY) & (room > 0), (chance[0] >= EARLY) & (chance[0] < LATE)],
        [early, late],
        FAR,
    )


def booking_table(
    booked: Booked,
    schedules: pa.Table,
    waits: tuple[Ints, Ints, Ints],
    span: Span,
    rng: np.random.Generator,
) -> pa.Table:
    """Write the bookings with the hour of the appointment and what came of it, by request.

    Args:
        booked: the bookings.
        schedules: the schedule table.
        waits: instant of the request, day of the person's death and first procedure, per request.
        span: the simulated days.
        rng: source of chance.
    """
    order = np.argsort(booked.request, kind="stable")
    booked = Booked(*(getattr(booked, name)[order] for name in Booked.__dataclass_fields__))
    asked, death, procedure = (part[booked.request] for part in waits)
    unit = numbers(schedules, "unit_idx")[booked.schedule]
    approved = booked.day * DAY + 6 * 3600 + rng.integers(0, 12 * 3600, len(order))
    number = np.empty(len(order), dtype=np.int64)
    number[np.argsort(approved, kind="stable")] = np.arange(len(order))
    dead = (death != MISSING) & (death <= booked.appointment)
    wait = booked.appointment - asked // DAY
    return table(
        BOOKINGS,
        {
            "request_idx": booked.request,
            "codigo": digits(FIRST_BOOKING + number, 9),
            "procedure_idx": procedure,
            "schedule_idx": booked.schedule,
            "appointment_at": booked.appointment * DAY + 60 * _minute(booked, schedules),
            "slot_kind": booked.kind,
            "approved_at": approved,
            "outcome": pick(OUTCOMES, _outcomes(booked, (unit, wait, dead), span, rng)),
        },
    )


def _minute(booked: Booked, schedules: pa.Table) -> Ints:
    """Return the minute of day of each appointment: an own one, or the start of the block."""
    row = booked.schedule

    def of(name: str, default: int) -> Ints:
        values = numbers(schedules, name)
        return np.where(values == MISSING, default, values)[row]

    first, again = of("first_slots", 0), of("return_slots", 0)
    minutes = np.select(
        [booked.kind == 0, booked.kind == 1],
        [of("minutes_first", 15), of("minutes_return", 15)],
        of("minutes_reserve", 15),
    )
    before = np.select([booked.kind == 0, booked.kind == 1], [0, first], first + again)
    start = of("start_minute", 480)
    end = np.maximum(of("end_minute", 1080), start + 60)
    split = schedules["auto_split"].to_numpy()[row]
    own = np.where(split, start + (before + booked.position) * minutes, start)
    minute: Ints = np.minimum(own, end - 10)
    return minute


def _outcomes(
    booked: Booked, facts: tuple[Ints, Ints, Flags], span: Span, rng: np.random.Generator
) -> Ints:
    """Draw what came of each booking; the longer the wait, the fewer come."""
    unit, wait, dead = facts
    n = len(unit)
    chance = rng.random((2, n))
    silent = (0.02 + 0.3 * rng.random(unit.max(initial=0) + 1) ** 2)[unit]
    careless = rng.normal(0, 0.04, unit.max(initial=0) + 1)[unit]
    absent = np.where(
        dead, 1.0, np.clip(0.16 + 0.0003 * np.minimum(wait, 500) + careless, 0.04, 0.4)
    )
    known = np.where(chance[1] < absent, _FALTA, _CONFIRMADA)
    return np.select(
        [booked.cancelled <= span.until, booked.appointment > span.until, chance[0] < silent],
        [_CANCELADA, _FUTURA, _SEM_CONFIRMACAO],
        known,
    )


def event_table(
    demand: Demand,
    script: Script,
    made: tuple[Booked, pa.Table],
    rng: np.random.Generator,
) -> pa.Table:
    """Write all that happens, sorted by request and instant, also after the last day."""
    booked, bookings = made
    parts = [
        *_before_booking(demand, script, booked, rng),
        *_after_booking(demand, booked, bookings, rng),
    ]
    request = np.concatenate([part[1] for part in parts])
    at = np.concatenate([part[2] for part in parts])
    sizes = [len(part[1]) for part in parts]
    kind = np.repeat([EVENT_KINDS.index(part[0]) for part in parts], sizes)
    profile = np.concatenate([np.broadcast_to(part[3], len(part[1])) for part in parts])
    order = np.lexsort((at, request))
    return table(
        EVENTS,
        {
            "request_idx": request[order],
            "at": at[order],
            "kind": pick(EVENT_KINDS, kind[order]),
            "actor_profile": pick(PROFILES, profile[order]),
        },
    )


_Event = tuple[str, Ints, Ints, Ints | int]
"""Kind, requests, instants and profiles of a batch of events."""


def _before_booking(
    demand: Demand, script: Script, booked: Booked, rng: np.random.Generator
) -> list[_Event]:
    """Turn the script into events, up to what ended it."""
    n = len(demand.at)
    rows = np.arange(n)
    end = np.where(script.denied <= script.cancelled, FAR, script.cancelled)
    end[booked.request] = FAR
    glance = 8 * 3600 + rng.integers(0, 4 * 3600, n)
    decision = glance + 300 + rng.integers(0, 2400, n)
    office = 8 * 3600 + rng.integers(0, 10 * 3600, n)
    steps = (
        ("visualizada", script.seen, glance, _REGULATOR),
        ("devolvida", script.returned, decision, _REGULATOR),
        ("reenviada", script.resent, office, _REQUESTER),
        ("visualizada", script.seen_again, glance, _REGULATOR),
        ("devolvida", script.returned_again, decision, _REGULATOR),
        ("negada", script.denied, decision, _REGULATOR),
        ("reaberta", script.reopened, office, _REGULATOR),
    )
    events: list[_Event] = [("solicitada", rows, demand.at, _REQUESTER)]
    for kind, day, clock, profile in steps:
        happens = np.flatnonzero((day < end) & (day < FAR))
        events.append((kind, happens, day[happens] * DAY + clock[happens], profile))
    happens = np.flatnonzero(end < FAR)
    someone = rng.choice(np.array([_REQUESTER, _REGULATOR, _COORDINATOR]), n, p=[0.65, 0.15, 0.2])
    someone = np.where(script.by_coordinator, _COORDINATOR, someone)
    at = end[happens] * DAY + office[happens]
    return [*events, ("cancelada", happens, at, someone[happens])]


def _after_booking(
    demand: Demand, booked: Booked, bookings: pa.Table, rng: np.random.Generator
) -> list[_Event]:
    """Write bookings, their cancellations and what became known of the appointments."""
    request, appointment = numbers(bookings, "request_idx"), numbers(bookings, "appointment_at")
    n = len(request)
    by_hand = rng.choice(np.array([_LIST, _REQUESTER, _COORDINATOR]), n, p=[0.85, 0.1, 0.05])
    profile = np.where(demand.regulated[request], _REGULATOR, by_hand)
    withdrawn = booked.cancelled[np.argsort(booked.request, kind="stable")]
    by_whom = rng.choice(np.array([_REQUESTER, _REGULATOR, _COORDINATOR]), n, p=[0.7, 0.15, 0.15])
    # After the approval, which is at 18:00 of an earlier day at the latest.
    office = 8 * 3600 + rng.integers(0, 10 * 3600, n)
    cancelled_at = withdrawn * DAY + office
    came_at = appointment + 300 + rng.integers(0, 5100, n)
    missed_at = appointment // DAY * DAY + 20 * 3600 + rng.integers(0, 3 * 3600, n)
    came, missed, gone = (
        np.flatnonzero(matches(bookings, "outcome", [outcome]))
        for outcome in ("confirmada", "falta", "cancelada")
    )
    return [
        ("agendada", request, numbers(bookings, "approved_at"), profile),
        ("confirmada", request[came], came_at[came], _EXECUTOR),
        ("falta", request[missed], missed_at[missed], _EXECUTOR),
        ("cancelamento_agendamento", request[gone], cancelled_at[gone], by_whom[gone]),
    ]
