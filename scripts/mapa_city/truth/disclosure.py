"""What of the right answers may leave the house: nothing that tells a professional's leave.

Worked out day by day from the slots of the city, as someone would who knows the agenda, the leaves
of the unit and the staff list, and wants to know who was absent when.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np

from mapa_city.arrays import day_text, numbers, texts
from mapa_city.city import City
from mapa_city.slots import KINDS, SlotDays
from mapa_city.truth.offer import agreed_limits

PROFESSIONALS = 5
BY_DAY, BY_MONTH, KEPT = "por_dia", "por_mes", "nao_divulgada"

Place = tuple[str, str, str, str]
"""Month, executing central, unit and procedure."""


@dataclass
class _Day:
    """One day of a place: who works, what is free of other causes, what leaves take, per kind."""

    staff: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    free: list[int] = field(default_factory=lambda: [0, 0, 0])
    taken: list[int] = field(default_factory=lambda: [0, 0, 0])


def disclosure(city: City, days: SlotDays) -> dict[Place, str]:
    """Say for each month, central, unit and procedure how finely leaves may be told.

    Args:
        city: the city with the schedules that the slots come from.
        days: slots of each schedule and day.
    """
    places = _places(city, days)
    enough: dict[tuple[str, str, str], bool] = defaultdict(lambda: True)
    for (month, _, unit, procedure), found in places.items():
        fewest = min(len(people) for day in found.values() for people in day.staff.values())
        enough[month, unit, procedure] &= fewest >= PROFESSIONALS
    told = {
        place: enough[place[0], place[2], place[3]]
        or (not _under_way(place[0], city.until) and _leaves_doubt(list(found.values())))
        for place, found in places.items()
    }
    agreed, own = _agreed(city), city.territory.central
    silent = {
        (month, procedure)
        for (month, central, _, procedure), is_told in told.items()
        if not is_told and central == own and (month, procedure) in agreed
    }
    kept = {
        (month, unit, procedure)
        for (month, central, unit, procedure), is_told in told.items()
        if not is_told or (central == own and (month, procedure) in silent)
    }
    levels = {}
    for place in places:
        here = (place[0], place[2], place[3])
        levels[place] = KEPT if here in kept else BY_DAY if enough[here] else BY_MONTH
    return levels


def staff(city: City, days: SlotDays) -> dict[Place, set[int]]:
    """Say who has schedules in each month, central, unit and procedure.

    Args:
        city: the city with the schedules that the slots come from.
        days: slots of each schedule and day.
    """
    return {
        place: {
            person for day in found.values() for people in day.staff.values() for person in people
        }
        for place, found in _places(city, days).items()
    }


def listed(procedures: Mapping[str, Any], offered: Iterable[str]) -> dict[str, Any]:
    """Leave out the procedures that nobody offers or has ceased to offer.

    Args:
        procedures: right answer of `dim_procedimentos`.
        offered: codes of the procedures with slots, or whose slots went.
    """
    codes = set(offered)
    codes |= {code[:4] + "000" for code in codes}
    return {**procedures, "linhas": [line for line in procedures["linhas"] if line[0] in codes]}


def _places(city: City, days: SlotDays) -> dict[Place, dict[int, _Day]]:
    """Lay the slots out by place and day."""
    table = city.schedules
    unit = texts(city.units, "cnes")[numbers(table, "unit_idx")].tolist()
    procedure = texts(city.procedures, "codigo")[numbers(table, "procedure_idx")].tolist()
    central, worker = texts(table, "central").tolist(), numbers(table, "professional_idx").tolist()
    months = day_text(days.day).tolist()
    places: dict[Place, dict[int, _Day]] = defaultdict(lambda: defaultdict(_Day))
    for at, (row, number) in enumerate(zip(days.schedule.tolist(), days.day.tolist(), strict=True)):
        total = days.total[at].tolist()
        if not any(total):
            continue
        day = places[months[at][:8] + "01", central[row], unit[row], procedure[row]][number]
        blocked = days.blocked[at]
        for kind in range(len(KINDS)):
            if total[kind] != 0:
                day.staff[kind].add(worker[row])
            if total[kind] > 0:
                day.free[kind] += total[kind] - int(blocked[0, kind]) - int(blocked[1, kind])
                day.taken[kind] += int(blocked[2, kind])
    return places


def _leaves_doubt(days: list[_Day]) -> bool:
    """Tell whether the sums of a month leave each of its days in doubt."""
    alike: dict[tuple[int, ...], list[_Day]] = defaultdict(list)
    for day in days:
        if any(day.free):
            alike[tuple(day.free)].append(day)
    taken = [sum(day.taken[kind] for day in days) for kind in range(len(KINDS))]
    free = [sum(day.free[kind] for day in days) for kind in range(len(KINDS))]
    return (
        all(len(group) > 1 for group in alike.values())
        and all(2 * sum(taken) < len(group) * sum(slots) for slots, group in alike.items())
        and all(2 * part < whole for part, whole in zip(taken, free, strict=True) if whole)
    )


def _under_way(month: str, until: date) -> bool:
    """Tell whether a month has begun and not ended at the end of a day."""
    return month == until.replace(day=1).isoformat() and (until + timedelta(days=1)).day != 1


def _agreed(city: City) -> set[tuple[str, str]]:
    """Return the months and procedures for which a PPI is agreed."""
    code = texts(city.procedures, "codigo").tolist()
    return {
        (np.datetime64(month, "M").astype("datetime64[D]").item().isoformat(), code[procedure])
        for month, procedure in agreed_limits(city)[0]
    }
