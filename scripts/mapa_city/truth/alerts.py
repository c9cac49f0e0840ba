"""The right answers on what deserves a look: overlaps, endings, falls, and offers nobody uses.

Plain loops over days and sets: slow next to the project's SQL, and nothing like it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any

import numpy as np

from mapa_city.arrays import DAY, day_number, month_number, numbers, texts
from mapa_city.city import City
from mapa_city.slots import FATES, SlotDays, fates
from mapa_city.truth.hours import Month, hour_alerts
from mapa_city.truth.seen import Known

AHEAD = 90
"""Days ahead over which overlapping and ending schedules are looked at."""

NOTICE = 30
"""Days before its end from which a schedule should have a successor."""

SILENCE = 90
"""Days without a booking."""

SEVERITY = {
    "sobreposicao_mesma_unidade": "baixa",
    "sobreposicao_outra_unidade": "alta",
    "escala_vencendo": "media",
    "queda_de_oferta": "media",
    "oferta_desaparecida": "alta",
    "fila_sem_oferta": "alta",
    "unidade_sem_marcacao": "media",
    "procedimento_sem_marcacao": "media",
    "horas_acima_do_contrato": "media",
    "oferta_sem_contrato": "media",
    "horas_abaixo_do_contrato": "baixa",
}

Subject = tuple[str, str | None, str | None, str | None, str]
"""Rule, unit, procedure, professional and month of an alert."""


@dataclass(frozen=True)
class _Schedule:
    """A schedule in force; hours and end are None when unknown."""

    professional: str
    unit: str
    procedure: str
    start: date
    end: date | None
    weekday: int
    hours: tuple[int, int] | None
    slots: int | None

    def days(self, first: date, last: date) -> Iterator[date]:
        """Return its days between two days, as if nothing but its own end ended it."""
        day = max(first, self.start)
        while day <= min(last, self.end or last):
            if day.isoweekday() == self.weekday:
                yield day
            day += timedelta(days=1)

    @property
    def first(self) -> date:
        """Its first day."""
        return self.start + timedelta(days=(self.weekday - self.start.isoweekday()) % 7)

    @property
    def place(self) -> tuple[str, str, str]:
        """Who offers what where."""
        return self.unit, self.procedure, self.professional


def alerts(
    city: City,
    known: Known,
    offered: tuple[City, SlotDays],
    marts: Mapping[str, Mapping[str, Any]],
    hours: Iterable[Month],
) -> dict[str, Any]:
    """List the alerts of the last day; professionals are counted, not named.

    Args:
        city: the finished city.
        known: what the readings of the API showed.
        offered: slots of each date by the records in force on it, and whose schedules they are.
        marts: right answers of `fila_por_mes` and `oferta_real_por_mes`.
        hours: offered and contracted hours of each professional.
    """
    schedules = _in_force(city)
    found: dict[Subject, int | None] = {
        **_overlaps(schedules, city.until),
        **_endings(schedules, city.until),
        **_falls(*offered, schedules),
        **_unserved(city, schedules, marts),
        **_unbooked(*offered, known),
    }
    count: Counter[tuple[str | None, ...]] = Counter()
    slots: dict[tuple[str | None, ...], int | None] = {}
    subjects = [
        *(((rule, unit, what), month, n) for (rule, unit, what, _, month), n in found.items()),
        *(((rule, unit, None), m, n) for rule, unit, m, n in hour_alerts(hours, city.until)),
    ]
    for (rule, unit, procedure), month, number in subjects:
        key = (rule, SEVERITY[rule], unit, procedure, month)
        count[key] += 1
        slots[key] = _plus(slots.get(key), number)
    return {
        "chave": [
            "regra_codigo",
            "gravidade_codigo",
            "unidade_executante_cnes",
            "procedimento_codigo",
            "competencia",
        ],
        "colunas": ["qtd_linhas", "qtd_vagas"],
        "linhas": [(*key, count[key], slots[key]) for key in count],
    }


def _plus(left: int | None, right: int | None) -> int | None:
    """Add two numbers; an unknown one adds nothing."""
    if left is None or right is None:
        return right if left is None else left
    return left + right


def _month(day: date) -> str:
    return day.replace(day=1).isoformat()


def _in_force(city: City) -> list[_Schedule]:
    """Return the schedules that are ATIVA and have a day in the period."""
    fate = fates(city.schedules, day_number(city.until)).tolist()
    cpf, unit = texts(city.professionals, "cpf"), texts(city.units, "cnes")
    procedure = texts(city.procedures, "codigo")
    schedules = []
    for row, end in zip(city.schedules.to_pylist(), fate, strict=True):
        if row["status"] != "ATIVA" or FATES[end] != "expandida":
            continue
        start, finish = row["start_minute"], row["end_minute"]
        known = start is not None and finish is not None and finish > start
        kinds = [row[f"{kind}_slots"] for kind in ("first", "return", "reserve")]
        slots = sum(kind or 0 for kind in kinds)
        schedules.append(
            _Schedule(
                professional=cpf[row["professional_idx"]],
                unit=unit[row["unit_idx"]],
                procedure=procedure[row["procedure_idx"]],
                start=row["valid_from"],
                end=row["valid_to"],
                weekday=row["weekday"],
                hours=(start, finish) if known else None,
                slots=None if slots == 0 and None in kinds else slots,
            )
        )
    return schedules


def _overlaps(schedules: list[_Schedule], until: date) -> dict[Subject, int | None]:
    """Find the days on which somebody should be in two schedules at once."""
    on: dict[tuple[str, date], list[_Schedule]] = defaultdict(list)
    for schedule in schedules:
        if schedule.hours:
            for day in schedule.days(until + timedelta(days=1), until + timedelta(days=AHEAD)):
                on[schedule.professional, day].append(schedule)
    found: dict[Subject, int | None] = {}
    for (professional, day), busy in on.items():
        for one in busy:
            for rule in {_clash(one, other) for other in busy if other is not one} - {None}:
                key = (str(rule), one.unit, None, professional, _month(day))
                found[key] = _plus(found.get(key), one.slots)
    return found


def _clash(one: _Schedule, other: _Schedule) -> str | None:
    """Name the rule that two schedules of one day break."""
    if one.hours is None or other.hours is None:
        return None
    if one.hours[0] >= other.hours[1] or other.hours[0] >= one.hours[1]:
        return None
    where = "mesma" if one.unit == other.unit else "outra"
    return f"sobreposicao_{where}_unidade"


def _endings(schedules: list[_Schedule], until: date) -> dict[Subject, int | None]:
    """Find the slots that end with a schedule which nothing follows."""
    notice, last = until + timedelta(days=NOTICE), until + timedelta(days=AHEAD)
    offered = [schedule for schedule in schedules if schedule.slots != 0]
    lasting = {
        schedule.place
        for schedule in offered
        if (schedule.end is None or schedule.end > notice) and schedule.first <= last
    }
    found: dict[Subject, int | None] = {}
    for schedule in offered:
        if schedule.end is None or not until <= schedule.end <= notice:
            continue
        if schedule.place in lasting:
            continue
        day = schedule.end
        while (day := day + timedelta(days=1)) <= last:
            if day.isoweekday() == schedule.weekday:
                key = ("escala_vencendo", *schedule.place, _month(day))
                found[key] = _plus(found.get(key), schedule.slots)
    return found


def _falls(city: City, days: SlotDays, schedules: list[_Schedule]) -> dict[Subject, int | None]:
    """Compare next month with the six before it, per professional, unit and procedure."""
    tomorrow = city.until + timedelta(days=1)
    now = int(month_number(np.array([day_number(tomorrow)]))[0])
    month = month_number(days.day)
    window = np.flatnonzero((month >= now - 6) & (month <= now) & (days.total != 0).any(axis=1))
    cpf = texts(city.professionals, "cpf")[numbers(city.schedules, "professional_idx")]
    unit = texts(city.units, "cnes")[numbers(city.schedules, "unit_idx")]
    procedure = texts(city.procedures, "codigo")[numbers(city.schedules, "procedure_idx")]
    offers: dict[tuple[str, str, str], dict[int, int | None]] = defaultdict(dict)
    for row in window.tolist():
        which, at = days.schedule[row], int(month[row])
        known = [value for value in days.total[row].tolist() if value > 0]
        of = offers[unit[which], procedure[which], cpf[which]]
        of[at] = _plus(of.get(at), sum(known) if known else None)
    endless = {schedule.place for schedule in schedules if schedule.end is None}
    found: dict[Subject, int | None] = {}
    for place, months in offers.items():
        before = [months.get(at, 0) for at in range(now - 6, now)]
        rule, lost = _fall([value for value in before if value is not None], months.get(now, 0))
        if rule and place not in endless:
            found[rule, *place, _month(tomorrow)] = lost
    return found


def _fall(before: list[int], offer: int | None) -> tuple[str | None, int]:
    """Judge an offer by the months before it; return the rule it breaks and the slots lost."""
    if not before or offer is None or not median(before):
        return None, 0
    usual = median(before)
    spread = median(abs(value - usual) for value in before)
    lost = usual - offer
    if offer == 0:
        return "oferta_desaparecida", int(lost)
    enough = lost >= 3 * 1.4826 * spread and 100 * lost >= (20 if spread else 50) * usual
    return ("queda_de_oferta" if enough else None), int(lost)


def _unserved(
    city: City, schedules: list[_Schedule], marts: Mapping[str, Mapping[str, Any]]
) -> dict[Subject, int | None]:
    """Find the procedures that somebody waits for and neither they nor their group offer."""
    tomorrow = _month(city.until + timedelta(days=1))
    offering = {schedule.procedure for schedule in schedules if schedule.end is None}
    for row in _rows(marts["oferta_real_por_mes"]):
        if row["competencia"] == tomorrow and row["qtd_oferta_real"] != 0:
            offering.add(row["procedimento_codigo"])
    waiting: Counter[str] = Counter()
    for row in _rows(marts["fila_por_mes"]):
        if row["competencia"] == _month(city.until):
            waiting[row["procedimento_codigo"]] += row["qtd_aguardando"]
    return {
        ("fila_sem_oferta", None, procedure, None, tomorrow): number
        for procedure, number in waiting.items()
        if number and not offering & {procedure, procedure[:4] + "000"}
    }


def _rows(mart: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """Return the rows of a right answer by name of column."""
    names = [*mart["chave"], *mart["colunas"]]
    return (dict(zip(names, values, strict=True)) for values in mart["linhas"])


def _unbooked(city: City, days: SlotDays, known: Known) -> dict[Subject, int | None]:
    """Find units and procedures that offered slots and got no booking in the last days."""
    last = day_number(city.until)
    made = (numbers(city.bookings, "approved_at") // DAY > last - SILENCE) & known.bookings
    unit = texts(city.units, "cnes")[numbers(city.schedules, "unit_idx")]
    procedure = texts(city.procedures, "codigo")
    booked = unit[numbers(city.bookings, "schedule_idx")[made]].tolist()
    named = procedure[numbers(city.bookings, "procedure_idx")[made]].tolist()
    used = {*booked, *named, *(code[:4] + "000" for code in named)}
    recent = (days.day > last - SILENCE) & (days.day <= last)
    active = np.maximum(days.active, 0).sum(axis=1)[recent]
    schedule = days.schedule[recent]
    offered: Counter[Subject] = Counter()
    of_schedule = procedure[numbers(city.schedules, "procedure_idx")]
    month = _month(city.until)
    for which, slots in zip(schedule.tolist(), active.tolist(), strict=True):
        offered["unidade_sem_marcacao", unit[which], None, None, month] += slots
        offered["procedimento_sem_marcacao", None, of_schedule[which], None, month] += slots
    return {
        subject: slots
        for subject, slots in offered.items()
        if slots and (subject[1] or subject[2]) not in used
    }
