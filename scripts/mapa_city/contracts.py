"""What CNES says that professionals are hired for: hours a week, per unit, occupation and bond.

Most contracts fit the schedules. The others are the discrepancies that the project must find: too
few hours, far too many, none, unknown ones, several contracts, contracts without any schedule, and
units whose register is missing, old or not of every month.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np
import pyarrow as pa

from mapa_city.arrays import (
    MISSING,
    Floats,
    Span,
    month_number,
    month_start,
    numbers,
    texts,
)
from mapa_city.identifiers import cpf
from mapa_city.offer import Offered
from mapa_city.schemas import CONTRACTS, table
from mapa_city.slots import SlotDays

# Kinds of contract: hours as a share of those of a usual week, and how many are so.
KINDS = {
    "short": (0.5, 0.08),
    "fits": (1.1, 0.62),
    "long": (3.0, 0.08),
    "double": (1.2, 0.06),
    "zero": (0.0, 0.04),
    "unknown": (1.0, 0.05),
    "none": (1.0, 0.07),
}
IDLE_SHARE = 0.06
"""Contracts without schedules, for each professional that has some."""

IDLE_SERIAL = 80_001
"""First serial of the CPF of people who have a contract and no schedule."""

REGISTERS = 8
"""One unit in so many has no register, and one has only the first."""

WEEKS = 13
"""Weeks before the last day that tell what a usual week is."""


@dataclass(frozen=True)
class _Person:
    """Somebody in a unit, and what is written down of them."""

    cpf: str
    unit: int
    cbo: str
    kind: str
    hours: int


def build_contracts(
    offered: Offered, days: SlotDays, span: Span, rng: np.random.Generator
) -> pa.Table:
    """Draw the registers of the simulated months."""
    people = [*_professionals(offered, days, span, rng), *_idle(offered, rng)]
    first, last = month_number(np.array([span.start, span.until])).tolist()
    rows = [
        (month, person.cpf, person.unit, cbo, bond, hours)
        for month in range(first, last + 1)
        for person in people
        if _registered(person.unit, month, first)
        for cbo, bond, hours in _contracts(person, month)
    ]
    month, number, unit, cbo, bond, hours = zip(*rows, strict=True)
    return table(
        CONTRACTS,
        {
            "competencia": month_start(np.array(month)),
            "cpf": list(number),
            "unit_idx": np.array(unit),
            "cbo": list(cbo),
            "bond": list(bond),
            "weekly_hours": np.array(hours),
        },
    )


def _professionals(
    offered: Offered, days: SlotDays, span: Span, rng: np.random.Generator
) -> Iterator[_Person]:
    """Give the professionals of the schedules their contracts; some have none."""
    usual = _usual_hours(offered, days, span)
    shares = np.array([share for _, share in KINDS.values()])
    drawn = rng.choice(len(KINDS), len(usual), p=shares / shares.sum())
    table_of = offered.professionals
    columns = (texts(table_of, "cpf"), numbers(table_of, "unit_idx"), texts(table_of, "cbo"))
    # Whatever the chance, each kind occurs in every city, and where it can be seen.
    seen = np.where(columns[1] % REGISTERS > 1, usual, 0)
    busiest = np.argsort(-seen, kind="stable")[: len(KINDS)]
    drawn[busiest] = np.arange(len(busiest))
    for number, unit, cbo, kind, hours in zip(*columns, drawn, usual, strict=True):
        name = list(KINDS)[kind]
        if name != "none":
            yield _Person(number, int(unit), cbo, name, ceil(KINDS[name][0] * hours))


def _usual_hours(offered: Offered, days: SlotDays, span: Span) -> Floats:
    """Return the weekly hours that the schedules of each professional took lately, at least one."""
    names = ("minutes_first", "minutes_return", "minutes_reserve")
    minutes = np.column_stack([numbers(offered.schedules, name) for name in names])
    minutes = np.where(minutes == MISSING, 15, minutes)[days.schedule]
    recent = (days.day > span.until - 7 * WEEKS) & (days.day <= span.until)
    taken = (np.maximum(days.total, 0) * minutes).sum(axis=1) * recent
    who = numbers(offered.schedules, "professional_idx")[days.schedule]
    total = np.bincount(who, taken, offered.professionals.num_rows) / (60 * WEEKS)
    at_least: Floats = np.maximum(total, 1.0)
    return at_least


def _idle(offered: Offered, rng: np.random.Generator) -> Iterator[_Person]:
    """Make colleagues who have no schedule; one in four has no hours either."""
    count = max(4, int(IDLE_SHARE * offered.professionals.num_rows))
    like = rng.integers(0, offered.professionals.num_rows, count)
    number = texts(pa.table({"cpf": cpf(IDLE_SERIAL + np.arange(count))}), "cpf")
    unit = numbers(offered.professionals, "unit_idx")[like]
    cbo = texts(offered.professionals, "cbo")[like]
    for i in range(count):
        yield _Person(number[i], int(unit[i]), cbo[i], "fits", 0 if i % 4 == 0 else 20)


def _registered(unit: int, month: int, first: int) -> bool:
    """Tell whether a unit has a register of a month; most skip one month in three."""
    if unit % REGISTERS == 0:
        return False
    return month == first or (unit % REGISTERS > 1 and month % 3 != 1)


def _contracts(person: _Person, month: int) -> Iterator[tuple[str, str, int]]:
    """Write down the contracts of a month: occupation, bond and hours.

    Hours rise by two in even months for one in five, so that an old register is told from a new.
    """
    rise = 2 if month % 2 == 0 and int(person.cpf[:9]) % 5 == 0 and person.hours else 0
    if person.kind == "double":
        part = person.hours // 3
        yield person.cbo, "010202", part
        yield "225125", "010101", MISSING if month % 4 == 0 else 1
        yield person.cbo, "010101", person.hours - part + rise
    else:
        yield person.cbo, "010101", MISSING if person.kind == "unknown" else person.hours + rise
