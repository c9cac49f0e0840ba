"""SISREG's report of the real offer on the city, with the differences that real ones have.

Each month and procedure of the report follows one of the ways in which SISREG may count; rows are
missing or too many, cells blank or wrong, and some reports are older than the schedules. Chance is
seeded, so that the report and the truth about it can be made apart.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from mapa import synthetic
from mapa_city.arrays import (
    DAY,
    MISSING,
    day_number,
    matches,
    month_number,
    month_start,
    numbers,
    texts,
)
from mapa_city.city import City
from mapa_city.past import Records
from mapa_city.slots import HORIZON, KINDS
from mapa_city.truth.offer import MonthOffer, agreed_limits, known_sum, month_offers
from mapa_city.truth.past import Delivery, deliveries, in_force

AGENDAS = ("todas", "rede", "local")
PARTS = ("total", "bloqueada", "ativa")
LIMITS = ("ppi_total", "ppi_local", "ppi_pactuada", "teto")
MEASURES = (
    *(f"{part}_{kind}" for part in PARTS for kind in (*KINDS, "geral")),
    *LIMITS,
    "oferta_real",
)
WAYS = (
    "mapa",
    "agenda_local",
    "escala_sem_fim",
    "feriado_calculado",
    "bloqueio_de_um_procedimento",
    "bloqueio_parcial",
    "bloqueio_de_um_procedimento_e_parcial",
)
"""How slots may be counted: as we do, or with one rule changed."""

EARLIER = "antes"
"""As we do, but on an earlier day: what was typed in since is not there yet."""

DAYS_EARLIER = 45
PROCEDURES = 20
MONTHS = 5

Values = dict[str, int | None]
Place = tuple[int, int, str, str]
"""Month number, procedure, CNES and kind of agenda."""

Offers = dict[tuple[int, int, str], MonthOffer]


@dataclass(frozen=True)
class Report:
    """What SISREG says.

    Attributes:
        rows: measures by place.
        made: day on which the report of a month and procedure was made.

    """

    rows: dict[Place, Values] = field(default_factory=dict)
    made: dict[tuple[int, int], date] = field(default_factory=dict)


class Pictures:
    """The offer of the months and procedures of the report under each way of counting."""

    def __init__(self, city: City, seen: Sequence[Delivery]) -> None:
        """Choose months and procedures: some past months, the present one and the next.

        Args:
            city: the city.
            seen: what was delivered to us, by which each date counts.

        """
        self.city, self.seen = city, seen
        last = int(month_number(np.array([day_number(city.until)]))[0])
        self.months = range(last - MONTHS + 1, last + 2)
        procedure = numbers(city.schedules, "procedure_idx")
        # The report is one central's: what units execute for another, too, is not asked for.
        others = np.unique(procedure[~matches(city.schedules, "central", [city.territory.central])])
        chosen, count = np.unique(procedure[~np.isin(procedure, others)], return_counts=True)
        self.procedures = sorted(chosen[np.argsort(-count, kind="stable")][:PROCEDURES].tolist())
        self.agendas = {
            procedure: ("rede", "local") if position % 5 == 4 else ("todas",)
            for position, procedure in enumerate(self.procedures)
        }
        # An agenda that moved to another procedure is known by all that it ever was.
        self.records = {
            record
            for delivery in seen
            for record, of in zip(
                *(delivery.records.schedules[n].to_pylist() for n in ("record", "procedure_idx")),
                strict=True,
            )
            if of in self.procedures
        }
        self.offers = cache(self._offers)

    def _offers(self, way: str, agenda: str) -> Offers:
        """Return the offers by month, procedure and unit."""
        seen = [replace(d, records=self._records(d.records, way, agenda)) for d in self.seen]
        first = int(month_start(np.array([self.months.start]))[0])
        dated, days = in_force(self.city, seen, day_number(self.city.until), since=first)
        return {
            (month, procedure, offer.cnes): offer
            for (month, procedure), units in month_offers(dated, days).items()
            if month in self.months and procedure in self.procedures
            for offer in units
        }

    def _records(self, records: Records, way: str, agenda: str) -> Records:
        """Return the records as they would have to be for this way to be ours."""
        records = replace(records, schedules=self._schedules(records.schedules, way, agenda))
        if "um_procedimento" in way:
            leaves = _without(records.leaves_professional, "procedure_idx")
            records = replace(records, leaves_professional=leaves)
        if "parcial" in way:
            hours = ("start_minute", "end_minute")
            records = replace(
                records,
                leaves_professional=_without(records.leaves_professional, *hours),
                leaves_unit=_without(records.leaves_unit, *hours),
            )
        if way == "feriado_calculado":
            records = replace(records, holidays=records.holidays.filter(records.holidays["listed"]))
        return records

    def at(self, way: str, agenda: str, month: int, procedure: int) -> dict[str, MonthOffer]:
        """Return the offers of one month and procedure by unit."""
        offers = self.offers(way, agenda)
        return {
            unit: offer for (m, p, unit), offer in offers.items() if (m, p) == (month, procedure)
        }

    def _schedules(self, table: pa.Table, way: str, agenda: str) -> pa.Table:
        if way == EARLIER:
            limit = (day_number(self.city.until) - DAYS_EARLIER + 1) * DAY
            table = table.filter(pa.array(numbers(table, "created_at") < limit))
        local = table["local_agenda"].to_numpy()
        kept = np.isin(numbers(table, "record"), list(self.records))
        if agenda != "todas":
            kept &= local == (agenda == "local")
        elif way == "agenda_local":
            kept &= ~local
        table = table.filter(pa.array(kept))
        if way != "escala_sem_fim":
            return table
        end = numbers(table, "valid_to")
        end = np.where(end == MISSING, day_number(self.city.until) + HORIZON, end)
        position = table.schema.get_field_index("valid_to")
        dates = pa.array(end.astype("datetime64[D]"), pa.date32())
        return table.set_column(position, "valid_to", dates)


def _without(table: pa.Table, *names: str) -> pa.Table:
    """Return a table in which some columns are unknown."""
    for name in names:
        position = table.schema.get_field_index(name)
        empty = pa.nulls(table.num_rows, table.schema.field(name).type)
        table = table.set_column(position, name, empty)
    return table


def slot_measures(offer: MonthOffer | None) -> Values:
    """Return the measures of slots of one place; without an offer all are zero."""
    if offer is None:
        return dict.fromkeys(MEASURES[:12], 0)
    values: Values = {}
    for part, numbers_of in zip(PARTS, (offer.total, offer.blocked, offer.active), strict=True):
        values |= {f"{part}_{kind}": n for kind, n in zip(KINDS, numbers_of, strict=True)}
        values[f"{part}_geral"] = offer.over_kinds(numbers_of)
    return values


def smallest(active: int | None, *limits: int | None) -> int | None:
    """Return the smallest of the active slots and the limits that are known."""
    return None if active is None else min([active, *(n for n in limits if n is not None)])


def ppi_of(city: City) -> dict[tuple[int, int], Values]:
    """Return the agreements by month and procedure, split by who asks."""
    found: dict[tuple[int, int], Values] = {}
    months = month_number(numbers(city.ppi, "competencia")).tolist()
    asking = texts(city.ppi, "requesting_central").tolist()
    own = city.territory.central
    procedures, quantities = (numbers(city.ppi, n).tolist() for n in ("procedure_idx", "quantity"))
    for month, procedure, central, quantity in zip(
        months, procedures, asking, quantities, strict=True
    ):
        values = found.setdefault((month, procedure), dict.fromkeys(LIMITS[:3], 0))
        for name in ("ppi_total", "ppi_local" if central == own else "ppi_pactuada"):
            values[name] = known_sum([values[name], quantity])
    return found


def build(city: City, pictures: Pictures, ceilings: dict[tuple[int, str, int], int]) -> Report:
    """Make the report: one way of counting for each month and procedure, and then its faults."""
    rng = np.random.default_rng([city.parameters.seed, 65])
    report, used = Report(), Counter[str]()
    ppi = ppi_of(city)
    executing = city.units.filter(city.units["is_executing"])["cnes"].to_pylist()
    for month, procedure in ((m, p) for m in pictures.months for p in pictures.procedures):
        agendas = pictures.agendas[procedure]
        way = _way(pictures, (month, procedure, agendas[0]), used)
        earlier = timedelta(days=DAYS_EARLIER if way == EARLIER else 0)
        report.made[month, procedure] = city.until - earlier
        invented = rng.random() < 0.3
        for agenda in agendas:
            offers = pictures.at(way, agenda, month, procedure)
            for unit, offer in sorted(offers.items()):
                limits: Values = dict.fromkeys(LIMITS)
                limits |= ppi.get((month, procedure), {})
                limits["teto"] = ceilings.get((month, unit, procedure))
                row = _spoiled(_row(offer, limits, invented=invented), rng)
                if row:
                    report.rows[month, procedure, unit, agenda] = row
            stranger = str(rng.choice(executing))
            if stranger not in offers and rng.random() < 0.1:
                offer = MonthOffer(stranger, (4, 0, 0), (0, 0, 0), central=city.territory.central)
                report.rows[month, procedure, stranger, agenda] = _row(
                    offer, dict.fromkeys(LIMITS), invented=False
                )
    return report


def _way(pictures: Pictures, of: tuple[int, int, str], used: Counter[str]) -> str:
    """Choose the way that was used least among those that change anything here."""
    month, procedure, agenda = of
    ours = pictures.at("mapa", agenda, month, procedure)
    changing = [
        way for way in (*WAYS[1:], EARLIER) if pictures.at(way, agenda, month, procedure) != ours
    ]
    way = min(["mapa", *changing], key=lambda name: used[name])
    used[way] += 1
    return way


def _row(offer: MonthOffer, limits: Values, *, invented: bool) -> Values:
    """Return a row as the system prints it, on request with limits that nobody told us."""
    if invented:
        ours = {"ppi_total": 9, "ppi_local": 9, "ppi_pactuada": 0, "teto": 5}
        limits = {name: ours[name] if value is None else value for name, value in limits.items()}
    values = slot_measures(offer) | limits
    values = {name: _as_printed(name, value) for name, value in values.items()}
    real = smallest(values["ativa_geral"], values["ppi_total"], values["teto"])
    return values | {"oferta_real": real}


def _as_printed(name: str, value: int | None) -> int | None:
    """Return what the system prints: it knows no unknown slots, only limits that do not exist."""
    return value if name in LIMITS else value or 0


def _spoiled(values: Values, rng: np.random.Generator) -> Values | None:
    """Return the row with its faults, None when it is left out."""
    fate = rng.random()
    if fate < 0.06:
        return None
    if fate < 0.12:
        # A number that nothing explains, and what the system makes of it.
        more = (values["total_primeira_vez"] or 0) + 101
        return values | {"total_primeira_vez": more}
    if fate < 0.17:
        return values | {"oferta_real": (values["oferta_real"] or 0) + 77}
    if fate < 0.24:
        return values | {MEASURES[int(rng.integers(len(MEASURES) - 1))]: None}
    return values


_AGENDA = {"todas": "GERAL", "rede": "AGENDA DA REDE", "local": "AGENDA LOCAL"}
HEADER: tuple[tuple[str, Callable[[City, Report, Place], str]], ...] = (
    ("COMPETÊNCIA", lambda city, report, place: f"{_month(place[0]):%m/%Y}"),
    ("TIPO DE AGENDA", lambda city, report, place: _AGENDA[place[3]]),
    (
        "PROCEDIMENTO",
        lambda city, report, place: city.procedures["codigo"][place[1]].as_py().lstrip("0"),
    ),
    ("DATA DO RELATÓRIO", lambda city, report, place: f"{report.made[place[:2]]:%d/%m/%Y}"),
    ("CNES", lambda city, report, place: place[2]),
    ("UNIDADE EXECUTANTE", lambda city, report, place: 'UNIDADE "FICTÍCIA"; SEDE'),
)
_GROUP = {"total": "TOTAL DISPONÍVEL", "bloqueada": "BLOQUEADA", "ativa": "ATIVA", "ppi": "PPI"}
_KIND = {"primeira_vez": "1ª VEZ"}


def write(city: City, directory: Path, delivered: Sequence[date] = ()) -> Path:
    """Write the report as the system would: windows-1252, points in thousands, a line of totals."""
    pictures = Pictures(city, deliveries(city, delivered or (city.until,)))
    report = build(city, pictures, agreed_limits(city)[1])
    path = directory / f"OFERTA_REAL_{city.until:%Y%m%d}.csv"
    synthetic.mark(directory)
    with path.open("w", encoding="windows-1252", newline="") as file:
        table = csv.writer(file, delimiter=";")
        table.writerow([*(name for name, _ in HEADER), *map(_title, MEASURES)])
        for place in sorted(report.rows):
            values = report.rows[place]
            cells = [text(city, report, place) for _, text in HEADER]
            table.writerow([*cells, *(_printed(values[name]) for name in MEASURES)])
        real = [values["oferta_real"] or 0 for values in report.rows.values()]
        empty = [""] * (len(HEADER) - 5 + len(MEASURES))
        table.writerow(["", "", "", "", "TOTAL GERAL", *empty, _printed(sum(real))])
    return path


def _month(number: int) -> date:
    return date(1970 + number // 12, number % 12 + 1, 1)


def _title(measure: str) -> str:
    group, _, kind = measure.partition("_")
    if group not in _GROUP:
        return measure.replace("_", " ").upper()
    return f"{_GROUP[group]} - {_KIND.get(kind, kind.upper())}"


def _printed(value: int | None) -> str:
    return "---" if value is None else f"{value:,}".replace(",", ".")


def places(pictures: Pictures, report: Report) -> Iterator[Place]:
    """Yield every place of the report's months and procedures that we or the report have."""
    ours = {
        (month, procedure, unit, agenda)
        for procedure, agendas in pictures.agendas.items()
        for agenda in agendas
        for month, of, unit in pictures.offers("mapa", agenda)
        if of == procedure
    }
    yield from sorted(ours | report.rows.keys())
