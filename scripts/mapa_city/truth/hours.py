"""The right answers on hours: what the schedules of a professional take, and what was contracted.

Day by day and contract by contract, in whole minutes. Professionals are counted, not named: rows
with the same numbers are one row of the truth, so that every cell is compared all the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from mapa_city.arrays import texts
from mapa_city.city import City
from mapa_city.slots import WORKED, SlotDays

VALID_MONTHS = 3
"""Months for which a register holds, its own included."""

ABOVE, BELOW = 110, 50
"""Percent of the contracted hours from which an offer is too much or too little."""

PACE = {
    "2232": (3, 100),
    "2235": (3, 100),
    "2236": (4, 100),
    "2237": (3, 100),
    "2251": (4, 100),
    "2252": (4, 100),
    "2515": (3, 100),
}
"""Appointments an hour and percent of the hours that are for them, by family of occupations."""

ALERTS = {
    "acima": "horas_acima_do_contrato",
    "contrato_sem_horas": "horas_acima_do_contrato",
    "sem_contrato": "oferta_sem_contrato",
    "abaixo": "horas_abaixo_do_contrato",
}
EPOCH = date(1970, 1, 1)
Sum = int | None


@dataclass
class Taken:
    """What schedules take of a month; None is unknown."""

    slots: Sum = None
    slots_on_holidays: Sum = None
    minutes: Sum = 0
    minutes_on_holidays: Sum = 0
    minutes_of_blocks: Sum = 0

    def add(self, other: Taken) -> None:
        """Add what other schedules take: slots that are known, minutes if all are."""
        self.slots = known(self.slots, other.slots)
        self.slots_on_holidays = known(self.slots_on_holidays, other.slots_on_holidays)
        self.minutes = both(self.minutes, other.minutes)
        self.minutes_on_holidays = both(self.minutes_on_holidays, other.minutes_on_holidays)
        self.minutes_of_blocks = both(self.minutes_of_blocks, other.minutes_of_blocks)

    @property
    def offered(self) -> Sum:
        """Minutes outside holidays."""
        return both(self.minutes, None if (h := self.minutes_on_holidays) is None else -h)


@dataclass
class Month:
    """A professional in a unit in a month.

    Attributes:
        by_procedure: what the schedules take, per procedure and family of occupations.
        register: month of the register that holds for the unit.
        contracts: weekly hours of each contract, None when unknown.
        working_days: of the unit.
    """

    month: date
    unit: str
    by_procedure: dict[tuple[str, str], Taken] = field(default_factory=dict)
    register: date | None = None
    contracts: list[Sum] = field(default_factory=list)
    working_days: int = 0

    @property
    def taken(self) -> Taken:
        """What all schedules take."""
        total = Taken() if self.by_procedure else Taken(0, 0)
        for part in self.by_procedure.values():
            total.add(part)
        return total

    @property
    def weekly(self) -> Sum:
        """Contracted hours a week."""
        hours = [value for value in self.contracts if value is not None]
        return sum(hours) if self.contracts and len(hours) == len(self.contracts) else None

    @property
    def contracted(self) -> Sum:
        """Contracted minutes of the month: a fifth of the weekly ones each working day."""
        return None if self.weekly is None else self.weekly * 60 * self.working_days // 5

    @property
    def state(self) -> str:
        """How the two compare."""
        if self.register is None or not self.contracts:
            return "sem_contrato" if self.register else "sem_informacao"
        offered, contracted = self.taken.offered, self.contracted
        if offered is None or contracted is None:
            return "horas_desconhecidas"
        if not contracted or not self.by_procedure:
            return "sem_escala" if contracted else "contrato_sem_horas"
        if 100 * offered > ABOVE * contracted:
            return "acima"
        return "abaixo" if 100 * offered < BELOW * contracted else "dentro"


def known(left: Sum, right: Sum) -> Sum:
    """Add what is known."""
    return right if left is None else left if right is None else left + right


def both(left: Sum, right: Sum) -> Sum:
    """Add two numbers that must both be known."""
    return None if left is None or right is None else left + right


def months(city: City, days: SlotDays) -> list[Month]:
    """Put schedules and contracts of the complete months side by side."""
    found: dict[tuple[date, str, str], Month] = {}
    last = last_month(city.until)
    for (month, unit, person), parts in _offers(city, days).items():
        if month <= last:
            found[month, unit, person] = Month(month, unit, parts)
    # Who works where nothing is offered is no part of the offer.
    offering = {unit for _, unit, _ in found}
    registers = {unit: held for unit, held in _registers(city).items() if unit in offering}
    for unit, written in registers.items():
        for month in _each_month(min(written), last):
            register = _holding(written, month)
            for person, hours in written[register].items() if register else ():
                known_hours = [h for h in hours if h != 0]
                if (month, unit, person) in found or known_hours:
                    key = (month, unit, person)
                    found.setdefault(key, Month(month, unit)).contracts = list(hours)
    working = _working_days(city)
    for (month, unit, _), row in found.items():
        row.register = _holding(registers.get(unit, {}), month)
        row.working_days = working(month, unit)
    return list(found.values())


def last_month(until: date) -> date:
    """Return the newest month that is over at the end of a day."""
    return ((until + timedelta(days=1)).replace(day=1) - timedelta(days=1)).replace(day=1)


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _each_month(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first = _next(first)


def _holding(written: Iterable[date], month: date) -> date | None:
    """Return the newest register up to a month, unless it is too old."""
    newest = max((register for register in written if register <= month), default=None)
    if newest is None:
        return None
    age = 12 * (month.year - newest.year) + month.month - newest.month
    return newest if age < VALID_MONTHS else None


def _registers(city: City) -> dict[str, dict[date, dict[str, list[Sum]]]]:
    """Return the weekly hours of the contracts by unit, month of the register and CPF."""
    cnes = texts(city.units, "cnes")
    found: dict[str, dict[date, dict[str, list[Sum]]]] = {}
    for row in city.contracts.to_pylist():
        people = found.setdefault(cnes[row["unit_idx"]], {}).setdefault(row["competencia"], {})
        people.setdefault(row["cpf"], []).append(row["weekly_hours"])
    return found


def _closed(city: City) -> Callable[[str, date], bool]:
    """Return the function that tells whether a holiday closes a unit on a day."""
    cnes = texts(city.units, "cnes")
    everywhere, worked = set[date](), set[date]()
    own: dict[tuple[str, date], bool] = {}
    for row in city.holidays.to_pylist():
        is_holiday = row["scope"] != WORKED
        if row["unit_idx"] is not None:
            own[cnes[row["unit_idx"]], row["date"]] = is_holiday
        else:
            (everywhere if is_holiday else worked).add(row["date"])
    everywhere -= worked
    return lambda unit, day: own.get((unit, day), day in everywhere)


def _working_days(city: City) -> Any:
    """Return the function that counts the working days of a month in a unit."""
    closed = _closed(city)

    def count(month: date, unit: str) -> int:
        length = (_next(month) - month).days
        every = (month + timedelta(days=n) for n in range(length))
        return sum(day.isoweekday() <= 5 and not closed(unit, day) for day in every)

    return count


def _offers(
    city: City, days: SlotDays
) -> dict[tuple[date, str, str], dict[tuple[str, str], Taken]]:
    """Add up what the schedules take by month, unit and CPF, per procedure and family."""
    closed = _closed(city)
    cnes, procedure = texts(city.units, "cnes"), texts(city.procedures, "codigo")
    people = city.professionals.to_pylist()
    daily = [_of_a_day(row) for row in city.schedules.to_pylist()]
    places = [
        (cnes[row["unit_idx"]], procedure[row["procedure_idx"]], people[row["professional_idx"]])
        for row in city.schedules.to_pylist()
    ]
    offered = (days.total != 0).any(axis=1)
    found: dict[Any, dict[tuple[str, str], Taken]] = defaultdict(dict)
    rows = zip(days.schedule[offered].tolist(), days.day[offered].tolist(), strict=True)
    for schedule, number in rows:
        day = EPOCH + timedelta(days=number)
        unit, code, person = places[schedule]
        slots, minutes, of_block = daily[schedule]
        away = closed(unit, day)
        sums = found[day.replace(day=1), unit, person["cpf"]]
        of = sums.setdefault((code, person["cbo"][:4]), Taken())
        if away:
            lost = (slots, minutes)
        else:
            lost = (None if slots is None else 0, None if minutes is None else 0)
        block = None if minutes is None else minutes if of_block else 0
        of.add(Taken(slots, lost[0], minutes, lost[1], block))
    return dict(found)


def _of_a_day(row: dict[str, Any]) -> tuple[Sum, Sum, bool]:
    """Return slots and minutes of one day of a schedule, and whether its block told the minutes."""
    kinds = [
        (row[f"{kind}_slots"], row[f"minutes_{kind}"]) for kind in ("first", "return", "reserve")
    ]
    slots: Sum = None
    for count, _ in kinds:
        slots = known(slots, count or None)
    parts = [0 if n == 0 else n * each if n and each else None for n, each in kinds]
    if None not in parts:
        return slots, sum(part or 0 for part in parts), False
    start, end = row["start_minute"], row["end_minute"]
    if start is None or end is None or end <= start:
        return slots, None, True
    return slots, end - start, True


def hours_per_month(rows: Iterable[Month]) -> dict[str, Any]:
    """Compare offered with contracted hours."""
    table = _Table()
    for row in rows:
        taken, contracted = row.taken, row.contracted
        offered = taken.offered
        share = None
        if offered is not None and contracted:
            share = 100 * offered / contracted
        table.add(
            (
                row.month, row.unit, row.state, row.register, taken.slots,
                taken.slots_on_holidays, taken.minutes, taken.minutes_on_holidays,
                taken.minutes_of_blocks, len(row.contracts) or None, row.weekly, row.working_days,
            ),
            (_hours(offered), _hours(contracted), share),
        )  # fmt: skip
    return table.as_mart(
        [
            "competencia", "unidade_executante_cnes", "situacao_codigo", "contrato_competencia",
            "qtd_vagas_total", "qtd_vagas_em_feriado", "minutos_programados", "minutos_em_feriado",
            "minutos_do_bloco", "qtd_contratos", "qtd_horas_semanais", "qtd_dias_uteis",
        ],
        ["horas_ofertadas", "horas_contratadas", "pct_horas_ofertadas"],
    )  # fmt: skip


def shares_per_month(rows: Iterable[Month]) -> dict[str, Any]:
    """Share the contracted hours between procedures, and say how many slots they are good for."""
    table = _Table()
    for row in rows:
        offered, contracted = row.taken.offered, row.contracted
        for (procedure, family), part in row.by_procedure.items():
            share = 100 * part.offered / offered if part.offered is not None and offered else None
            mine = None
            if share is not None and contracted is not None:
                mine = contracted / 60 * share / 100
            pace, percent = PACE.get(family, (None, None))
            due = beyond = None
            if mine is not None and pace is not None and percent is not None:
                due = mine * percent / 100 * pace
            if due is not None and part.slots is not None and part.slots_on_holidays is not None:
                beyond = part.slots - part.slots_on_holidays - due
            table.add(
                (row.month, row.unit, procedure, family, part.slots, part.slots_on_holidays),
                (share, _hours(contracted), mine, pace, percent, due, beyond),
            )
    return table.as_mart(
        [
            "competencia", "unidade_executante_cnes", "procedimento_codigo", "cbo_familia",
            "qtd_vagas_total", "qtd_vagas_em_feriado",
        ],
        [
            "pct_minutos", "horas_contratadas", "horas_do_procedimento", "consultas_por_hora",
            "pct_horas_em_agenda", "vagas_esperadas", "vagas_alem_das_esperadas",
        ],
    )  # fmt: skip


def hour_alerts(rows: Iterable[Month], until: date) -> Iterator[tuple[str, str, str, Sum]]:
    """Return rule, unit, month and slots at stake of the last complete month."""
    last = last_month(until)
    for row in rows:
        rule, taken, contracted = ALERTS.get(row.state), row.taken, row.contracted
        offered = taken.offered
        if row.month != last or rule is None or offered == 0:
            continue
        on_holidays = taken.slots_on_holidays
        slots = both(taken.slots, None if on_holidays is None else -on_holidays)
        if slots is not None and offered is not None and contracted is not None:
            if offered > contracted:
                slots = -(-slots * (offered - contracted) // offered)
            else:
                slots = slots * (contracted - offered) // offered
        yield rule, row.unit, last.isoformat(), slots


def _hours(minutes: Sum) -> float | None:
    return None if minutes is None else minutes / 60


class _Table:
    """Rows counted by their key, other columns added up where known."""

    def __init__(self) -> None:
        self.count: Counter[tuple[str | None, ...]] = Counter()
        self.sums: dict[tuple[str | None, ...], list[float | None]] = {}

    def add(self, key: tuple[Any, ...], values: tuple[float | None, ...]) -> None:
        text = tuple(None if part is None else str(part) for part in key)
        self.count[text] += 1
        sums = self.sums.setdefault(text, [None] * len(values))
        for i, value in enumerate(values):
            if value is not None:
                sums[i] = value + (sums[i] or 0)

    def as_mart(self, key: list[str], columns: list[str]) -> dict[str, Any]:
        return {
            "chave": key,
            "colunas": ["qtd_linhas", *columns],
            "linhas": [(*k, self.count[k], *sums) for k, sums in self.sums.items()],
        }
