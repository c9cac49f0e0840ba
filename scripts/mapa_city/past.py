"""What the records of the offer said on earlier days.

The city's own tables are the end of the story. Here it is told backwards: which row was not there
yet, which had other values, and which rows have been there and are gone. The draws have a stream of
their own, so that a city is the same whether or not anybody asks for its past.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from mapa_city.city import City
from mapa_city.slots import WORKED

Row = dict[str, Any]
WINDOW = 100
"""Days before the last one in which records are edited."""

TABLES = ("schedules", "leaves_professional", "leaves_unit", "holidays", "ppi", "ceilings")


@dataclass(frozen=True)
class Records:
    """The tables of the offer as they stood at the end of a day.

    Besides the city's own columns, `record` says which record a row is of: the city knows, as it
    tells the lives; schedules that carry one number are one record.
    """

    professionals: pa.Table
    schedules: pa.Table
    leaves_professional: pa.Table
    leaves_unit: pa.Table
    holidays: pa.Table
    ppi: pa.Table
    ceilings: pa.Table


@dataclass(frozen=True)
class _Life:
    """A row that is or was there: in from `born` on, gone on `gone`, absent between two days.

    `edited` and `before`: until that day it had these values. `record`: whose row it is.
    """

    row: Row
    record: int = 0
    born: date = date.min
    gone: date = date.max
    away: tuple[date, date] | None = None
    edited: date = date.min
    before: Row | None = None

    def at(self, day: date) -> Row | None:
        """Return the row as it stood at the end of a day; None when it was not there."""
        if not self.born <= day < self.gone:
            return None
        if self.away and self.away[0] <= day < self.away[1]:
            return None
        return self.row | (self.before or {}) if day < self.edited else self.row


def as_of(city: City, day: date) -> Records:
    """Return the records as they stood at the end of `day`; on the last day, the city's own."""
    rng = np.random.default_rng([city.parameters.seed, 31])
    lives = {
        "schedules": _of_numbers(_schedules(city, rng)),
        "leaves_professional": _each(_leaves(city, city.leaves_professional, rng)),
        "leaves_unit": _each(_leaves(city, city.leaves_unit, rng)),
        "holidays": _each([*_holidays(city, rng), *_late_holiday(city)]),
        "ppi": _each(_limits(city, city.ppi, rng)),
        "ceilings": _each(_limits(city, city.ceilings, rng)),
    }
    tables = {}
    for name, told in lives.items():
        seen = [(life.record, life.at(day)) for life in told]
        rows = [row | {"record": record} for record, row in seen if row is not None]
        if name == "schedules" and day < city.until:
            rows = [_as_typed(row, day) for row in rows]
        schema = getattr(city, name).schema.append(pa.field("record", pa.int64()))
        tables[name] = pa.Table.from_pylist(rows, schema=schema)
    return Records(professionals=city.professionals, **tables)


def _each(lives: list[_Life]) -> list[_Life]:
    """Make each life a record of its own."""
    return [replace(life, record=number) for number, life in enumerate(lives)]


def _of_numbers(lives: list[_Life]) -> list[_Life]:
    """Make the schedules of one number one record."""
    numbers: dict[str, int] = {}
    return [
        replace(life, record=numbers.setdefault(life.row["codigo"], len(numbers))) for life in lives
    ]


def _day(city: City, rng: np.random.Generator) -> date:
    """Draw a day of the window, the last one included."""
    window = min(WINDOW, city.parameters.days)
    return city.until - timedelta(days=int(rng.integers(0, window)))


def _as_typed(row: Row, day: date) -> Row:
    """Take from a schedule what nobody could know at the end of a day: later work, its end."""
    typed = dict(row)
    if row["changed_at"].date() > day:
        typed |= {"changed_at": row["created_at"], "activated_at": None}
        if row["status"] in ("INATIVA", "EXCLUIDA"):
            typed["status"] = "ATIVA"
    if row["status"] == "EXPIRADA" and row["valid_to"] and row["valid_to"] >= day:
        typed["status"] = "ATIVA"
    return typed


def _schedules(city: City, rng: np.random.Generator) -> list[_Life]:
    """Tell the lives of the schedules; every way to gain or lose slots occurs in every city."""
    rows = city.schedules.to_pylist()
    lives = [_Life(row, born=row["created_at"].date()) for row in rows]
    current = [
        index
        for index, row in enumerate(rows)
        if row["status"] == "ATIVA"
        and row["valid_from"]
        and row["valid_to"]
        and row["valid_to"] > city.until + timedelta(days=14)
        and row["weekday"]
        and row["start_minute"] is not None
        and row["end_minute"] is not None
        and row["first_slots"] is not None
    ]
    order = rng.permutation(current).tolist()
    share = max(2, len(rows) // 40)
    for number, index in enumerate(order[: share * len(_EDITS)]):
        lives[index] = _EDITS[number % len(_EDITS)](city, lives[index], rng)
    ghosts = rng.choice(order, max(3, len(rows) // 30)).tolist() if order else []
    first = max(int(row["codigo"]) for row in rows) + 1
    for number, index in enumerate(ghosts):
        row = rows[index] | {"codigo": f"{first + number:07d}"}
        lives.append(_Life(row, born=row["created_at"].date(), gone=_day(city, rng)))
    # Some numbers had a second weekday, which was taken out of them.
    for index in order[-max(2, len(rows) // 60) :]:
        row = rows[index] | {"weekday": rows[index]["weekday"] % 5 + 1}
        lives.append(_Life(row, born=row["created_at"].date(), gone=_day(city, rng)))
    return lives


def _edited(city: City, life: _Life, rng: np.random.Generator, before: Row) -> _Life:
    return replace(life, edited=_day(city, rng), before=before)


def _other_quantity(city: City, life: _Life, rng: np.random.Generator) -> _Life:
    slots = life.row["first_slots"]
    return _edited(city, life, rng, {"first_slots": slots + int(rng.integers(1, 5))})


def _fewer_before(city: City, life: _Life, rng: np.random.Generator) -> _Life:
    return _edited(city, life, rng, {"first_slots": max(0, life.row["first_slots"] - 1)})


def _other_hours(city: City, life: _Life, rng: np.random.Generator) -> _Life:
    moved = {name: life.row[name] - 30 for name in ("start_minute", "end_minute")}
    return _edited(city, life, rng, moved)


def _other_weekday(city: City, life: _Life, rng: np.random.Generator) -> _Life:
    return _edited(city, life, rng, {"weekday": life.row["weekday"] % 5 + 1})


def _other_professional(city: City, life: _Life, rng: np.random.Generator) -> _Life:
    somebody = int(rng.integers(0, city.professionals.num_rows))
    return _edited(city, life, rng, {"professional_idx": somebody})


def _other_procedure(city: City, life: _Life, rng: np.random.Generator) -> _Life:
    offered = np.unique(city.schedules["procedure_idx"].to_numpy())
    return _edited(city, life, rng, {"procedure_idx": int(rng.choice(offered))})


def _other_unit(city: City, life: _Life, rng: np.random.Generator) -> _Life:
    units = np.unique(city.schedules["unit_idx"].to_numpy())
    return _edited(city, life, rng, {"unit_idx": int(rng.choice(units))})


def _shorter_before(city: City, life: _Life, rng: np.random.Generator) -> _Life:
    edited = _day(city, rng)
    end = min(edited + timedelta(days=int(rng.integers(3, 25))), life.row["valid_to"])
    return replace(life, edited=edited, before={"valid_to": end})


def _longer_before(city: City, life: _Life, rng: np.random.Generator) -> _Life:
    return _edited(city, life, rng, {"valid_to": life.row["valid_to"] + timedelta(days=90)})


def _later_before(city: City, life: _Life, rng: np.random.Generator) -> _Life:
    edited = _day(city, rng)
    return replace(life, edited=edited, before={"valid_from": edited + timedelta(days=40)})


def _off_before(city: City, life: _Life, rng: np.random.Generator) -> _Life:
    return _edited(city, life, rng, {"status": str(rng.choice(["INATIVA", "EXCLUIDA"]))})


def _away(city: City, life: _Life, rng: np.random.Generator) -> _Life:
    back = _day(city, rng)
    return replace(life, away=(back - timedelta(days=int(rng.integers(25, 45))), back))


_EDITS = (
    _other_quantity,
    _fewer_before,
    _other_hours,
    _other_weekday,
    _other_professional,
    _other_procedure,
    _other_unit,
    _shorter_before,
    _longer_before,
    _later_before,
    _off_before,
    _away,
)


def _leaves(city: City, table: pa.Table, rng: np.random.Generator) -> list[_Life]:
    """Tell the lives of leaves: typed before or after they begin, changed, cancelled."""
    rows = table.to_pylist()
    lives = []
    for row in rows:
        typed = row["start_date"] - timedelta(days=int(rng.integers(-4, 90)))
        life = _Life(row, born=min(typed, city.until))
        if rng.random() < 0.1:
            longer = {"end_date": row["end_date"] + timedelta(days=int(rng.integers(1, 20)))}
            life = _edited(city, life, rng, longer)
        lives.append(life)
    late = [row for row in rows if row["end_date"] > city.until - timedelta(days=WINDOW)]
    first = max((int(row["codigo"]) for row in rows), default=0) + 1
    for number, index in enumerate(rng.integers(0, len(late), len(late) // 8 + 1) if late else []):
        row = late[index] | {"codigo": f"{first + number:06d}"}
        lives.append(_Life(row, gone=_day(city, rng)))
    return lives


def _holidays(city: City, rng: np.random.Generator) -> list[_Life]:
    """Tell the lives of holidays: local ones are typed late, some for the wrong day.

    One of the law was listed until lately, another was said to be worked, and no longer is.
    """
    lives = []
    lately = city.until - timedelta(days=40)
    for row in city.holidays.to_pylist():
        if row["name"] == "NOSSA SENHORA APARECIDA":
            lives.append(_Life(row, edited=lately, before={"listed": True}))
            continue
        if row["name"] == "INDEPENDÊNCIA DO BRASIL":
            worked = row | {"scope": WORKED, "listed": True}
            lives.append(_Life(worked, gone=min(lately, row["date"])))
        born = row["date"] - timedelta(days=int(rng.integers(0, 60)))
        local = row["scope"] == "local"
        lives.append(_Life(row, born=min(born, city.until) if local else date.min))
        if local and rng.random() < 0.5:
            wrong = row | {"date": row["date"] + timedelta(days=1)}
            lives.append(_Life(wrong, born=date.min, gone=min(born, city.until)))
    return lives


def _late_holiday(city: City) -> list[_Life]:
    """Tell of a unit that closes on a day of work at a month's notice, and unsays it afterwards."""
    day = city.until - timedelta(days=12)
    for row in city.schedules.to_pylist():
        runs = row["status"] == "ATIVA" and row["valid_from"] and row["valid_to"]
        if (
            runs
            and row["weekday"] == day.isoweekday()
            and row["valid_from"] <= city.until - timedelta(days=WINDOW)
            and day <= row["valid_to"]
            and row["first_slots"]
        ):
            feast = {"date": day, "name": "LUTO OFICIAL FICTÍCIO", "scope": "local"}
            feast |= {"unit_idx": row["unit_idx"], "listed": True}
            born, gone = (city.until - timedelta(days=back) for back in (45, 5))
            return [_Life(feast, born=born, gone=gone)]
    return []


def _limits(city: City, table: pa.Table, rng: np.random.Generator) -> list[_Life]:
    """Tell the lives of limits: typed some days before their month, some of them changed."""
    lives = []
    for row in table.to_pylist():
        typed = row["competencia"] - timedelta(days=int(rng.integers(5, 45)))
        life = _Life(row, born=min(typed, city.until))
        if rng.random() < 0.2:
            life = _edited(city, life, rng, {"quantity": int(row["quantity"] * 0.7) + 1})
        lives.append(life)
    return lives


def seen_on(deliveries: Iterable[date]) -> list[date]:
    """Return the days on which deliveries are seen: their files are written after midnight."""
    return [day + timedelta(days=1) for day in deliveries]


def states(city: City, deliveries: Sequence[date]) -> list[Records]:
    """Return the records of each delivery."""
    return [as_of(city, day) for day in deliveries]
