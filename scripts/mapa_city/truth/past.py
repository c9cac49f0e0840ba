"""The right answers on the history of the offer: what counts on each date, the diary, the notice.

Who is who comes from the lives that the city itself tells (`past`), never from what files say. Each
delivery is expanded as a whole and looked up slot by slot; nothing is sliced, netted or compared as
the project's SQL does it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from mapa_city.arrays import MISSING, Ints, codes, day_number, day_text, numbers, texts
from mapa_city.city import City
from mapa_city.past import Records, seen_on, states
from mapa_city.slots import HORIZON, KINDS, MINUTES, SlotDays, slot_days
from mapa_city.truth.offer import agreed_limits, month_offers, real_offers

NOTICE = 30
"""Days of notice below which a slot that goes is counted as withdrawn."""

RENEWAL = 30
"""Days between two schedules of which the second still renews the first."""

DATED = ("schedules", "leaves_professional", "leaves_unit", "holidays")
"""Tables whose records count date by date."""

ENDS = ("expirada", "inativada", "excluida", "desaparecida")
CHANGES = ("horario_alterado", "quantidade_alterada", "remanejada", "vigencia_alterada")
WITHDRAWN = {"EXCLUIDA": "excluida", "INATIVA": "inativada"}
LEAVES = ("feriado", "afastamento_unidade", "afastamento_profissional")

Row = dict[str, Any]
Place = tuple[int, int]
Slot = tuple[int, int, int]
"""Record of a schedule, day and kind of slot."""

Where = tuple[Place, tuple[int, int]]
"""Place and hours."""

Picture = dict[Slot, dict[Where, int]]
"""Active slots by place and hours of each slot whose quantity is known and not zero."""


@dataclass(frozen=True)
class Delivery:
    """The records of one delivery and the day on which they were seen."""

    seen: int
    records: Records


@dataclass(frozen=True)
class Movement:
    """Slots of one schedule and day that a delivery gave or took, and why."""

    seen: int
    step: int
    slot: Slot
    place: Place
    cause: str
    change: int


def deliveries(city: City, days: Sequence[date]) -> list[Delivery]:
    """Return what was delivered, oldest first."""
    seen = [day_number(day) for day in seen_on(days)]
    return [Delivery(s, r) for s, r in zip(seen, states(city, days), strict=True)]


# --- what counts on each date ----------------------------------------------------------------


def in_force(
    city: City, delivered: Sequence[Delivery], reference: int, since: int = -(2**40)
) -> tuple[City, SlotDays]:
    """Return the slots of each date by the records in force on it, from a day on.

    Dates before a record was first seen count by its first version.

    Returns:
        The city, with the schedules of all stretches below its own and the holidays in force on
        their own dates, and the slots; their schedules are rows of that table.
    """
    tables, parts, feasts = [city.schedules], list[SlotDays](), list[pa.Table]()
    offset = len(city.schedules)
    for number, delivery in enumerate(delivered):
        effective = _completed(delivered, number)
        days = slot_days(_from(effective, since), reference)
        begin = delivery.seen if number else -(2**40)
        end = delivered[number + 1].seen if number + 1 < len(delivered) else 2**40
        inside = (days.day >= begin) & (days.day < end)
        parts.append(
            SlotDays(
                days.schedule[inside] + offset,
                days.day[inside],
                days.total[inside],
                days.blocked[inside],
            )
        )
        when = numbers(effective.holidays, "date")
        feasts.append(effective.holidays.filter(pa.array((when >= begin) & (when < end))))
        tables.append(effective.schedules.drop_columns("record"))
        offset += len(effective.schedules)
    joined = SlotDays(
        *(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(SlotDays))
    )
    schedules, holidays = pa.concat_tables(tables), pa.concat_tables(feasts)
    return replace(city, schedules=schedules, holidays=holidays), joined


def _completed(delivered: Sequence[Delivery], number: int) -> Records:
    """Add to the records of a delivery the first version of what was only seen later."""
    completed = {}
    for name in DATED:
        tables = [getattr(each.records, name) for each in delivered]
        known = {record for table in tables[: number + 1] for record in _ids(table)}
        parts = [tables[number]]
        for later in tables[number + 1 :]:
            new = [record not in known for record in _ids(later)]
            parts.append(later.filter(pa.array(new, pa.bool_())))
            known.update(_ids(later))
        completed[name] = pa.concat_tables(parts)
    return replace(delivered[number].records, **completed)


def _ids(table: pa.Table) -> list[int]:
    """Return which record each row is of."""
    ids: list[int] = table["record"].to_pylist()
    return ids


def _from(records: Records, day: int) -> Records:
    """Forget the days of the schedules before a day, which nobody will look at."""
    starts = numbers(records.schedules, "valid_from")
    starts = np.where(starts == MISSING, MISSING, np.maximum(starts, day))
    column = pa.array(starts.view("datetime64[D]"), pa.date32(), mask=starts == MISSING)
    at = records.schedules.schema.get_field_index("valid_from")
    schedules = records.schedules.set_column(at, records.schedules.schema.field(at), column)
    return replace(records, schedules=schedules)


# --- the diary -------------------------------------------------------------------------------


def picture(records: Records, reference: int, window: tuple[int, int]) -> Picture:
    """Return the active slots of the days of a window, as if nothing else would change."""
    days = slot_days(_from(records, window[0]), reference)
    inside = np.flatnonzero((days.day >= window[0]) & (days.day <= window[1]))
    rows = records.schedules.to_pylist()
    wheres = [_where(row) for row in rows]
    found: Picture = defaultdict(lambda: defaultdict(int))
    columns = (days.schedule, days.day, days.total, days.active)
    for which, day, totals, actives in zip(
        *(column[inside].tolist() for column in columns), strict=True
    ):
        for kind, (total, active) in enumerate(zip(totals, actives, strict=True)):
            if total > 0:
                found[rows[which]["record"], day, kind][wheres[which]] += active
    return dict(found)


def movements(delivered: Sequence[Delivery]) -> Iterator[Movement]:
    """Yield every gain and loss of slots between one delivery and the next."""
    ever: set[int] = set()
    for old, new in pairwise(delivered):
        ever.update(_ids(old.records.schedules))
        window = (new.seen, old.seen - 1 + HORIZON)
        mixed = replace(old.records, schedules=new.records.schedules)
        steps = [picture(old.records, new.seen - 1, window)]
        for name in ("schedules", "holidays", "leaves_unit", "leaves_professional"):
            mixed = replace(mixed, **{name: getattr(new.records, name)})
            steps.append(picture(mixed, new.seen - 1, window))
        why = _Why(old.records, new.records, frozenset(ever))
        for step, (before, after) in enumerate(pairwise(steps), start=1):
            for slot in before.keys() | after.keys():
                for place, change in _changes(before.get(slot), after.get(slot)):
                    cause = LEAVES[step - 2] if step > 1 else why(slot, new.seen)
                    yield Movement(new.seen, step, slot, place, cause, change)


def _where(row: Row) -> Where:
    """Return where and when a row offers; hours that say nothing are the whole day."""
    start, end = row["start_minute"], row["end_minute"]
    known = start is not None and end is not None and end > start
    hours = (start, end) if known else (0, MINUTES)
    return (row["unit_idx"], row["procedure_idx"]), hours


def _changes(
    before: Mapping[Where, int] | None, after: Mapping[Where, int] | None
) -> Iterator[tuple[Place, int]]:
    """Yield what a slot lost where and when it was, and gained where and when it is."""
    sums: dict[Where, int] = defaultdict(int)
    for sign, side in ((-1, before), (1, after)):
        for where, active in (side or {}).items():
            sums[where] += sign * active
    yield from ((place, change) for (place, _), change in sums.items() if change)


class _Why:
    """Why a schedule gives or no longer gives a date; the rows of one record speak together."""

    def __init__(self, old: Records, new: Records, ever: frozenset[int]) -> None:
        self.ever = ever
        self.old, self.new = _by_record(old.schedules), _by_record(new.schedules)
        self.cpf = codes(old.professionals, "cpf")
        self.ends: dict[Any, list[tuple[int, date]]] = defaultdict(list)
        for record, rows in self.old.items():
            for row in rows:
                if _offers(row) and row["valid_to"]:
                    self.ends[self._place(row)].append((record, row["valid_to"]))

    def _place(self, row: Row) -> tuple[int, int, int]:
        """Return who offers what where; the same person may stand in several rows."""
        return int(self.cpf[row["professional_idx"]]), row["unit_idx"], row["procedure_idx"]

    def __call__(self, slot: Slot, seen: int) -> str:
        """Name the cause of a change of the schedules at a slot."""
        record, day, _ = slot
        old, new = self.old.get(record, []), self.new.get(record, [])
        given = [row for row in old if _gives(row, day)]
        gives = [row for row in new if _gives(row, day)]
        if given and gives:
            (places, hours), (new_places, new_hours) = map(_places_and_hours, (given, gives))
            if places != new_places:
                return "remanejada"
            return "quantidade_alterada" if hours == new_hours else "horario_alterado"
        return self._came(record, old, new, day) if gives else _went(new, day)

    def _came(self, record: int, old: list[Row], new: list[Row], day: int) -> str:
        if not old:
            if record in self.ever:
                return "reaparecida"
            return "renovada" if self._renews(record, new) else "nova"
        if not any(map(_offers, old)) and all(row["status"] in WITHDRAWN for row in old):
            return "reativada"
        return _within(old, day, beyond="renovada")

    def _renews(self, record: int, new: list[Row]) -> bool:
        """Tell whether one of the same professional and place ends shortly before it begins."""
        return any(
            other != record and (row["valid_from"] - end).days in range(1, RENEWAL + 1)
            for row in new
            if row["valid_from"]
            for other, end in self.ends[self._place(row)]
        )


def _by_record(schedules: pa.Table) -> dict[int, list[Row]]:
    rows: dict[int, list[Row]] = defaultdict(list)
    for row in schedules.to_pylist():
        rows[row["record"]].append(row)
    return dict(rows)


def _places_and_hours(rows: Iterable[Row]) -> tuple[set[Place], set[tuple[int, int]]]:
    places, hours = zip(*map(_where, rows), strict=True)
    return set(places), set(hours)


def _offers(row: Row) -> bool:
    """Tell whether a schedule can give slots at all."""
    start, end = row["valid_from"], row["valid_to"]
    return (
        row["status"] in ("ATIVA", "EXPIRADA")
        and start is not None
        and row["weekday"] is not None
        and not (end and end < start)
    )


def _gives(row: Row, day: int) -> bool:
    """Tell whether a row gives a day to come; one without end gives none."""
    if not _offers(row) or row["valid_to"] is None:
        return False
    on_its_weekday = (day + 3) % 7 + 1 == row["weekday"]
    return on_its_weekday and day_number(row["valid_from"]) <= day <= day_number(row["valid_to"])


def _within(rows: list[Row], day: int, *, beyond: str) -> str:
    """Say where a date stands that some rows could give and do not."""
    offering = [row for row in rows if _offers(row)]
    ends = [day_number(row["valid_to"]) for row in offering if row["valid_to"]]
    if ends and day > max(ends):
        return beyond
    if offering and day >= min(day_number(row["valid_from"]) for row in offering):
        return "horario_alterado"
    return "vigencia_alterada"


def _went(new: list[Row], day: int) -> str:
    if not new:
        return "desaparecida"
    if not any(map(_offers, new)) and all(row["status"] in WITHDRAWN for row in new):
        # Deleted is more than switched off: one row that is only off can be put on again.
        off = any(row["status"] == "INATIVA" for row in new)
        return WITHDRAWN["INATIVA" if off else "EXCLUIDA"]
    return _within(new, day, beyond="expirada")


def diary(city: City, delivered: Sequence[Delivery], moves: Sequence[Movement]) -> dict[str, Any]:
    """Add up the diary by day seen, place, kind, month and cause."""
    cnes, code = texts(city.units, "cnes").tolist(), texts(city.procedures, "codigo").tolist()
    sums: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0])
    # A schedule never changes its central.
    central = {
        number: name
        for each in delivered
        for number, name in zip(
            *(each.records.schedules[column].to_pylist() for column in ("record", "central")),
            strict=True,
        )
    }
    for move in moves:
        _, day, kind = move.slot
        place = (central[move.slot[0]], cnes[move.place[0]], code[move.place[1]])
        _add(sums, (_text(move.seen), *place, KINDS[kind], _month(day), move.cause), move.change)
    for number in range(1, len(delivered)):
        for where, cause, change in _limit_changes(city, delivered, number):
            month, *agenda = where
            key = (_text(delivered[number].seen), *agenda, "todos", month, cause)
            _add(sums, key, change)
    return {
        "chave": [
            "visto_em",
            "central_executora_codigo",
            "unidade_executante_cnes",
            "procedimento_codigo",
            "vaga_tipo",
            "competencia",
            "diario_causa",
        ],
        "colunas": ["qtd_vagas_ganhas", "qtd_vagas_perdidas"],
        "linhas": [(*key, *values) for key, values in sums.items()],
    }


def _add(sums: dict[tuple[str, ...], list[int]], key: tuple[str, ...], change: int) -> None:
    if change:
        sums[key][change < 0] += abs(change)


def _text(day: int) -> str:
    return str(day_text(np.array([day]))[0])


def _month(day: int) -> str:
    return _text(day)[:8] + "01"


def _limit_changes(
    city: City, delivered: Sequence[Delivery], number: int
) -> Iterator[tuple[tuple[str, str, str, str], str, int]]:
    """Yield what changed limits give to the real offers of months not yet over, or take."""
    # Agreements and ceilings before and after.
    old, new = (
        agreed_limits(replace(city, ppi=each.records.ppi, ceilings=each.records.ceilings))
        for each in delivered[number - 1 : number + 1]
    )
    seen = delivered[number].seen
    first = _month(seen)
    since = day_number(date.fromisoformat(first))
    known, days = in_force(city, delivered[: number + 1], seen - 1, since)
    code = texts(city.procedures, "codigo").tolist()
    for (month, procedure), units in month_offers(known, days).items():
        text = str(np.datetime64(month, "M").astype("datetime64[D]"))
        if text < first:
            continue
        before, between, after = (
            real_offers(
                units,
                [ceilings.get((month, unit.cnes, procedure)) for unit in units],
                agreed.get((month, procedure)),
            )
            for ceilings, agreed in ((old[1], old[0]), (new[1], old[0]), (new[1], new[0]))
        )
        for unit, *steps in zip(units, before, between, after, strict=True):
            reals = [step.real for step in steps]
            for cause, (was, now) in zip(("teto", "ppi"), pairwise(reals), strict=True):
                if was is not None and now is not None:
                    place = (text, unit.central, unit.cnes, code[procedure])
                    yield place, cause, now - was


# --- slots withdrawn at short notice ---------------------------------------------------------


def withdrawn(
    city: City,
    delivered: Sequence[Delivery],
    moves: Sequence[Movement],
    real: Mapping[str, Any],
) -> dict[str, Any]:
    """Count, per month and unit, the slots known with notice and those gone on their date.

    Args:
        city: the finished city.
        delivered: the deliveries.
        moves: the diary, which tells the causes and never the number.
        real: right answer of `oferta_real_por_mes`, for the units and months that offer anything.
    """
    until = day_number(city.until)
    first = delivered[0].seen
    known = _known(delivered, NOTICE, until)
    final = _known(delivered, 0, until)
    cnes = texts(city.units, "cnes").tolist()
    slots: dict[tuple[str, str], int] = defaultdict(int)
    gone: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    causes = _losses(moves)
    for (slot, place), number in known.items():
        cell = (_month(slot[1]), cnes[place[0]])
        slots[cell] += number
        lacking = number - final.get((slot, place), 0)
        for cause, lost in causes.get((slot, place), ()) if lacking > 0 else ():
            taken = min(lost, lacking)
            gone[cell][cause] += taken
            lacking -= taken
        if lacking > 0:
            raise AssertionError("a slot went and the diary does not say why")
    unknown = _unknown(city, delivered, until)
    begin, end = _month(first), _month(until)
    months = {(row[0], row[2]) for row in real["linhas"] if begin <= row[0] <= end}
    covered = _text(first + NOTICE)
    lines = []
    for month, unit in sorted(months | slots.keys()):
        cell = (month, unit)
        told = _notice(slots.get(cell), gone[cell], unknown=cell in unknown)
        lines.append((month, unit, *(told if month >= covered else [None] * len(told))))
    return {
        "chave": ["competencia", "unidade_executante_cnes"],
        "colunas": [
            "qtd_vagas_conhecidas",
            "qtd_vagas_retiradas",
            "qtd_vagas_retiradas_fim_da_escala",
            "qtd_vagas_retiradas_mudanca_da_escala",
            *(f"qtd_vagas_retiradas_{cause}" for cause in LEAVES),
            "pct_retiradas",
        ],
        "linhas": lines,
    }


def _notice(slots: int | None, gone: Mapping[str, int], *, unknown: bool) -> tuple[Any, ...]:
    """Write the measures of one month and unit; slots of unknown quantity alone are unknown."""
    if slots is None and unknown:
        return (None, 0, 0, 0, 0, 0, 0, None)
    whole = sum(gone.values())
    groups = (sum(gone[cause] for cause in some) for some in (ENDS, CHANGES))
    share = 100 * whole / slots if slots else None
    return (slots or 0, whole, *groups, *(gone[cause] for cause in LEAVES), share)


def _known(delivered: Sequence[Delivery], notice: int, until: int) -> dict[tuple[Slot, Place], int]:
    """Return the active slots of each day as they were known so many days before it."""
    found: dict[tuple[Slot, Place], int] = {}
    for window, delivery in _windows(delivered, notice, until):
        for slot, wheres in picture(delivery.records, delivery.seen - 1, window).items():
            for (place, _), active in wheres.items():
                found[slot, place] = found.get((slot, place), 0) + active
    return found


def _windows(
    delivered: Sequence[Delivery], notice: int, until: int
) -> Iterator[tuple[tuple[int, int], Delivery]]:
    """Yield the days whose notice falls upon each delivery."""
    for number, delivery in enumerate(delivered):
        later = delivered[number + 1].seen if number + 1 < len(delivered) else until + 1
        yield (delivery.seen + notice, min(later + notice - 1, until)), delivery


def _unknown(city: City, delivered: Sequence[Delivery], until: int) -> set[tuple[str, str]]:
    """Return the months and units that offer some slots of unknown quantity."""
    cnes = texts(city.units, "cnes")
    found = set()
    for (low, high), delivery in _windows(delivered, NOTICE, until):
        records = delivery.records
        days = slot_days(_from(records, low), delivery.seen - 1)
        inside = (days.day >= low) & (days.day <= high) & (days.total < 0).any(axis=1)
        units: Ints = numbers(records.schedules, "unit_idx")[days.schedule[inside]]
        found |= {
            (_month(day), str(cnes[unit]))
            for day, unit in zip(days.day[inside].tolist(), units.tolist(), strict=True)
        }
    return found


def _losses(moves: Sequence[Movement]) -> dict[tuple[Slot, Place], list[tuple[str, int]]]:
    """Return the losses of each slot at short notice, the newest first."""
    found: dict[tuple[Slot, Place], list[tuple[str, int]]] = defaultdict(list)
    for move in sorted(moves, key=lambda move: (move.seen, move.step), reverse=True):
        if move.change < 0 and move.slot[1] - move.seen < NOTICE:
            found[move.slot, move.place].append((move.cause, -move.change))
    return found
