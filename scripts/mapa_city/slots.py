"""From weekly schedules to the slots of each day, and to what leaves and holidays take of them.

All arithmetic is on whole numbers. The minutes of every cause that touches a block are laid on a
line of 1440 minutes, so overlaps are united by construction; what a cause blocks is what the causes
declared up to it block together, less what those before it did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from mapa_city.arrays import (
    MISSING,
    Ints,
    codes,
    expand,
    iso_weekday,
    matches,
    numbers,
)

HORIZON = 365
"""Days after the reference day for which schedules are expanded."""

KINDS = ("primeira_vez", "retorno", "reserva")
CAUSES = ("feriado", "afastamento_unidade", "afastamento_profissional")
"""Kinds of slot and causes of blocking, both in declared order."""

FATES = (
    "excluida",
    "inativa",
    "sem_vigencia_inicial",
    "vigencia_invertida",
    "dia_semana_invalido",
    "sem_data_no_periodo",
    "expandida",
)
"""What becomes of a schedule: the first that applies."""

WORKED = "nenhuma"
"""Scope of a date of which the operator's table says that it is no holiday."""

MINUTES = 1440
_CHUNK = 8_000


class Offer(Protocol):
    """The tables that slots come from."""

    @property
    def professionals(self) -> pa.Table: ...  # noqa: D102
    @property
    def schedules(self) -> pa.Table: ...  # noqa: D102
    @property
    def leaves_professional(self) -> pa.Table: ...  # noqa: D102
    @property
    def leaves_unit(self) -> pa.Table: ...  # noqa: D102
    @property
    def holidays(self) -> pa.Table: ...  # noqa: D102


@dataclass(frozen=True)
class SlotDays:
    """Slots of each schedule on each of its days; rows are sorted by schedule and day.

    Attributes:
        schedule: row of the schedule.
        day: day number.
        total: slots per kind, shape (rows, 3); -1 when the schedule does not say how many.
        blocked: slots per cause and kind, shape (rows, 3, 3); 0 where the total is unknown.
    """

    schedule: Ints
    day: Ints
    total: Ints
    blocked: Ints

    @property
    def active(self) -> Ints:
        """Slots per kind that nothing blocks; -1 when unknown."""
        active: Ints = self.total - self.blocked.sum(axis=1)
        return active


@dataclass(frozen=True)
class _Touches:
    """Minutes taken from slot-days: one row per slot-day and leave or holiday."""

    row: Ints
    cause: Ints
    start: Ints
    end: Ints


def slot_days(offer: Offer, reference: int) -> SlotDays:
    """Expand the schedules of an offer and subtract its leaves and holidays.

    Args:
        offer: schedules, leaves and holidays.
        reference: day number of the reference day; caps schedules without end.
    """
    schedule, day = dated(offer.schedules, reference)
    names = ("first_slots", "return_slots", "reserve_slots")
    total = np.column_stack([numbers(offer.schedules, name) for name in names])[schedule]
    total = np.where(total == MISSING, -1, total)
    touches = _touches(offer, schedule, day)
    start, end = _blocks(offer.schedules)
    blocked = np.zeros((len(day), len(CAUSES), len(KINDS)), dtype=np.int64)
    rows, position = np.unique(touches.row, return_inverse=True)
    touches = _Touches(position, touches.cause, touches.start, touches.end)
    minutes, length = united_minutes(touches, start[schedule[rows]], end[schedule[rows]])
    blocked[rows] = blocked_slots(np.maximum(total[rows], 0), minutes, length)
    return SlotDays(schedule, day, total, blocked)


def fates(schedules: pa.Table, reference: int) -> Ints:
    """Return the fate of each schedule as a position in `FATES`."""
    start, end = numbers(schedules, "valid_from"), numbers(schedules, "valid_to")
    _, count = _occurrences(schedules, reference)
    reasons = (
        matches(schedules, "status", ["EXCLUIDA"]),
        matches(schedules, "status", ["INATIVA"]),
        start == MISSING,
        (end != MISSING) & (end < start),
        numbers(schedules, "weekday") == MISSING,
        count == 0,
    )
    return np.select(reasons, range(len(reasons)), default=len(reasons)).astype(np.int64)


def dated(schedules: pa.Table, reference: int) -> tuple[Ints, Ints]:
    """Return schedule and day of every day on which a schedule offers slots."""
    first, count = _occurrences(schedules, reference)
    status = matches(schedules, "status", ["ATIVA", "EXPIRADA"])
    schedule, step = expand(np.zeros(len(first), dtype=np.int64), np.where(status, count, 0))
    return schedule, first[schedule] + 7 * step


def _occurrences(schedules: pa.Table, reference: int) -> tuple[Ints, Ints]:
    """Return the first day and the number of days of each schedule, whatever its status."""
    start, end = numbers(schedules, "valid_from"), numbers(schedules, "valid_to")
    weekday = numbers(schedules, "weekday")
    fit = (start != MISSING) & (weekday != MISSING)
    last = np.minimum(np.where(end == MISSING, reference, end), reference + HORIZON)
    safe = np.where(fit, start, 0)
    first = safe + (np.where(fit, weekday, 1) - iso_weekday(safe)) % 7
    return first, np.where(fit & (first <= last), (last - first) // 7 + 1, 0)


def _blocks(schedules: pa.Table) -> tuple[Ints, Ints]:
    """Return the minutes of each block; a block without hours is (0, 0)."""
    start, end = numbers(schedules, "start_minute"), numbers(schedules, "end_minute")
    known = (start != MISSING) & (end != MISSING) & (end > start)
    return np.where(known, start, 0), np.where(known, end, 0)


def _touches(offer: Offer, schedule: Ints, day: Ints) -> _Touches:
    """Find every leave and holiday on every slot-day."""
    unit = numbers(offer.schedules, "unit_idx")
    holiday = _holiday_touches(offer.holidays, unit[schedule], day)
    leave, other = _unit_pairs(offer)
    by_unit = _leave_touches(offer.leaves_unit, (leave, other), (schedule, day))
    leave, other = _professional_pairs(offer)
    by_person = _leave_touches(offer.leaves_professional, (leave, other), (schedule, day))
    parts = (holiday, by_unit, by_person)
    return _Touches(
        row=np.concatenate([part[0] for part in parts]),
        cause=np.repeat(np.arange(len(CAUSES)), [len(part[0]) for part in parts]),
        start=np.concatenate([part[1] for part in parts]),
        end=np.concatenate([part[2] for part in parts]),
    )


def _holiday_touches(holidays: pa.Table, unit: Ints, day: Ints) -> tuple[Ints, Ints, Ints]:
    """Return slot-day, start and end minute of each holiday: the whole day, everywhere or there.

    What is said of a unit goes before what is said of all; a day of which it is said that it is
    worked is none, whoever else lists it.
    """
    order = np.argsort(day, kind="stable")
    dates, place = numbers(holidays, "date"), numbers(holidays, "unit_idx")
    low = np.searchsorted(day[order], dates, side="left")
    high = np.searchsorted(day[order], dates, side="right")
    owner, position = expand(low, high - low)
    row = order[position]
    worked = matches(holidays, "scope", [WORKED])
    own = (place != MISSING) & ~matches(holidays, "scope", ["nacional"])
    closed = np.zeros(len(day), dtype=np.bool_)
    # Later steps overrule earlier ones.
    for about in (~own, own):
        for result in (True, False):
            chosen = (about & (worked != result))[owner]
            closed[row[chosen & (~own[owner] | (place[owner] == unit[row]))]] = result
    taken = np.flatnonzero(closed)
    return taken, np.zeros(len(taken), dtype=np.int64), np.full(len(taken), MINUTES)


def _unit_pairs(offer: Offer) -> tuple[Ints, Ints]:
    """Pair each unit leave with each schedule of the unit."""
    return _same(numbers(offer.leaves_unit, "unit_idx"), numbers(offer.schedules, "unit_idx"))


def _professional_pairs(offer: Offer) -> tuple[Ints, Ints]:
    """Pair each professional leave with each schedule of the same CPF that it concerns."""
    leaves, schedules = offer.leaves_professional, offer.schedules
    cpf = codes(offer.professionals, "cpf")
    leave, schedule = _same(
        cpf[numbers(leaves, "professional_idx")], cpf[numbers(schedules, "professional_idx")]
    )
    concerned = np.ones(len(leave), dtype=np.bool_)
    for name in ("unit_idx", "procedure_idx"):
        only = numbers(leaves, name)[leave]
        concerned &= (only == MISSING) | (only == numbers(schedules, name)[schedule])
    return leave[concerned], schedule[concerned]


def _same(left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """Pair the positions of equal values of two arrays."""
    order = np.argsort(right, kind="stable")
    low = np.searchsorted(right[order], left, side="left")
    high = np.searchsorted(right[order], left, side="right")
    owner, position = expand(low, high - low)
    return owner, order[position]


def _leave_touches(
    leaves: pa.Table, pairs: tuple[Ints, Ints], slot_day: tuple[Ints, Ints]
) -> tuple[Ints, Ints, Ints]:
    """Return slot-day, start and end minute of each day of each leave of each pair.

    The first day begins at the start minute, the last ends at the end minute; a missing end, like
    23:59, is the end of the day.
    """
    leave, schedule = pairs
    first, last = numbers(leaves, "start_date"), numbers(leaves, "end_date")
    # Slot-days are sorted by schedule and day: a leave covers one run of them.
    place = slot_day[0] * 2**20 + slot_day[1]
    low = np.searchsorted(place, schedule * 2**20 + first[leave], side="left")
    high = np.searchsorted(place, schedule * 2**20 + last[leave], side="right")
    owner, row = expand(low, np.maximum(high - low, 0))
    which, day = leave[owner], slot_day[1][row]
    start, end = numbers(leaves, "start_minute"), numbers(leaves, "end_minute")
    start = np.where(start == MISSING, 0, start)
    end = np.where((end == MISSING) | (end == MINUTES - 1), MINUTES, end)
    begins = np.where(day == first[which], start[which], 0)
    ends = np.where(day == last[which], end[which], MINUTES)
    return row, begins, ends


def united_minutes(touches: _Touches, start: Ints, end: Ints) -> tuple[Ints, Ints]:
    """Measure how much of each block the causes take together.

    A block without hours counts as one minute, taken as soon as anything touches the day.

    Args:
        touches: intervals; `row` is a position in `start` and `end`.
        start: first minute of each block.
        end: minute after the last of each block; not greater than `start` means without hours.

    Returns:
        Minutes taken by the causes up to each, shape (blocks, 3), and the length of each block.
    """
    hourless = end <= start
    low, high = np.where(hourless, 0, start), np.where(hourless, MINUTES, end)
    taken = np.zeros((len(start), len(CAUSES)), dtype=np.int64)
    order = np.argsort(touches.row, kind="stable")
    for begin in range(0, len(start), _CHUNK):
        size = min(_CHUNK, len(start) - begin)
        edges = np.searchsorted(touches.row[order], (begin, begin + size))
        part = order[edges[0] : edges[1]]
        row, cause = touches.row[part] - begin, touches.cause[part]
        lines = np.zeros((len(CAUSES), size, MINUTES + 1), dtype=np.int16)
        left = np.clip(touches.start[part], low[begin + row], high[begin + row])
        right = np.clip(touches.end[part], left, high[begin + row])
        np.add.at(lines, (cause, row, left), 1)
        np.add.at(lines, (cause, row, right), -1)
        covered = np.cumsum(lines, axis=2, dtype=np.int16) > 0
        united = np.logical_or.accumulate(covered, axis=0)
        taken[begin : begin + size] = united.sum(axis=2).T
    return np.where(hourless[:, None], taken > 0, taken), np.where(hourless, 1, end - start)


def blocked_slots(slots: Ints, minutes: Ints, length: Ints) -> Ints:
    """Turn minutes into slots, rounded up, and give each cause what it adds to those before it.

    Args:
        slots: slots of each block per kind, shape (blocks, kinds).
        minutes: minutes taken by the causes up to each, shape (blocks, causes).
        length: minutes of each block.

    Returns:
        Slots per block, cause and kind.
    """
    product = minutes[:, :, None] * slots[:, None, :]
    together: Ints = -(-product // length[:, None, None])
    return np.diff(together, axis=1, prepend=0)


def largest_remainder(total: int, weights: list[int]) -> list[int]:
    """Share `total` in proportion to whole weights; ties go to the earlier weight.

    Raises:
        ValueError: when there is something to share and nothing to share it by.
    """
    whole = sum(weights)
    if whole == 0:
        if total:
            raise ValueError("cannot share by weights that are all zero")
        return [0] * len(weights)
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares
