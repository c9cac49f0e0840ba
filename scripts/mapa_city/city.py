"""The synthetic city: its tables, and the order in which they come to be.

Everything is drawn from one seed, so the same parameters give byte-identical tables. Nothing here
is a real person, unit or number: identifiers carry valid check digits over low serials.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from mapa_city.arrays import DAY, Span, day_number, numbers
from mapa_city.booking import book, booking_table, event_table
from mapa_city.contracts import build_contracts
from mapa_city.demand import Demand, build_demand, build_script, request_table
from mapa_city.doors.restless import change, in_force, vanish
from mapa_city.families import build_families
from mapa_city.limits import build_limits
from mapa_city.network import Network, build_catalogue, build_plan, build_units
from mapa_city.offer import build_offer
from mapa_city.people import Population, build_population
from mapa_city.slips import SLIP_SHARE, typed_identities
from mapa_city.slots import SlotDays, slot_days
from mapa_city.territory import FEDERAL_DISTRICT, Territory

FEWEST_PEOPLE = 500
FEWEST_DAYS = 30


@dataclass(frozen=True)
class Parameters:
    """What a city is made from.

    Attributes:
        people: residents, those of neighbouring municipalities included.
        days: length of the simulated life, the last day being `until`.
        seed: of every draw.
        until: last simulated day.
    """

    people: int
    days: int
    seed: int
    until: date


@dataclass(frozen=True)
class City:
    """A finished city; the columns of each table are in `mapa_city.schemas`."""

    parameters: Parameters
    start: date
    until: date
    territory: Territory
    procedures: pa.Table
    units: pa.Table
    professionals: pa.Table
    schedules: pa.Table
    leaves_professional: pa.Table
    leaves_unit: pa.Table
    holidays: pa.Table
    ppi: pa.Table
    ceilings: pa.Table
    quotas: pa.Table
    contracts: pa.Table
    persons: pa.Table
    cards: pa.Table
    requests: pa.Table
    events: pa.Table
    bookings: pa.Table
    changes: pa.Table
    absences: pa.Table
    identities: pa.Table


def build(  # noqa: PLR0913, PLR0917 - what a city is made from
    people: int,
    days: int,
    seed: int,
    until: date,
    territory: Territory = FEDERAL_DISTRICT,
    slips: float = SLIP_SHARE,
) -> City:
    """Build the city; the same arguments give the same tables, byte for byte.

    `slips` is the share of requests whose numbers are wrong, another's or missing.

    Raises:
        ValueError: when people or days are too few for a network to be drawn.
    """
    if people < FEWEST_PEOPLE or days < FEWEST_DAYS:
        raise ValueError(f"a city needs at least {FEWEST_PEOPLE} people and {FEWEST_DAYS} days")
    start = until - timedelta(days=days - 1)
    span = Span(day_number(start), day_number(until))
    # One stream of chance per part: a change in one does not stir the others.
    *parts, of_families, of_slips = np.random.default_rng(seed).spawn(12)
    chance = iter(parts)
    catalogue = build_catalogue()
    units = build_units(territory, people, next(chance))
    plan = build_plan(catalogue, people, next(chance))
    network = Network(catalogue, units, plan, territory)
    offered = build_offer(network, span, next(chance))
    slots = slot_days(offered, span.until)
    limits = build_limits(network, offered, slots, span, next(chance))
    population = build_families(
        build_population(territory, people, span, next(chance)), span, of_families
    )
    demand = build_demand(network, population, span, next(chance))
    requests = request_table(network, population, demand, next(chance))
    bookings, events = _live(demand, population, (offered.schedules, slots), span, next(chance))
    contracts = build_contracts(offered, slots, span, next(chance))
    changes, absences, bookings, events = _correct(
        demand, requests, (bookings, events), span, next(chance)
    )
    population, identities = typed_identities(population, requests, absences, slips, of_slips)
    tables = vars(offered) | vars(limits) | vars(population)
    return City(
        parameters=Parameters(people, days, seed, until),
        start=start,
        until=until,
        territory=territory,
        procedures=catalogue.procedures,
        units=units,
        requests=requests,
        events=events,
        bookings=bookings,
        changes=changes,
        absences=absences,
        identities=identities,
        contracts=contracts,
        **tables,
    )


def _live(
    demand: Demand,
    population: Population,
    supply: tuple[pa.Table, SlotDays],
    span: Span,
    chance: np.random.Generator,
) -> tuple[pa.Table, pa.Table]:
    """Live through the days and write down bookings and events."""
    death = numbers(population.persons, "death_date")[demand.person]
    script = build_script(demand, death, chance)
    booked = book(demand, script, supply, span, chance)
    waits = (demand.at, death, demand.procedure)
    bookings = booking_table(booked, supply[0], waits, span, chance)
    events = event_table(demand, script, (booked, bookings), chance)
    # The script knows the future; the record does not.
    past = pa.array(numbers(events, "at") < (span.until + 1) * DAY)
    return bookings, events.filter(past).combine_chunks()


def _correct(
    demand: Demand,
    requests: pa.Table,
    life: tuple[pa.Table, pa.Table],
    span: Span,
    chance: np.random.Generator,
) -> tuple[pa.Table, pa.Table, pa.Table, pa.Table]:
    """Let requests be corrected and vanish; return changes, absences, bookings and events."""
    bookings, events = life
    changes = change(demand, requests, events, span, chance)
    corrected = changes.select(["request_idx", "at"])
    corrected = corrected.append_column("kind", pa.array(["alterada"] * len(changes), pa.string()))
    corrected = corrected.append_column(
        "actor_profile", pa.array(["SOLICITANTE"] * len(changes), pa.string())
    )
    events = pa.concat_tables([events, corrected.cast(events.schema)])
    events = events.sort_by([("request_idx", "ascending"), ("at", "ascending")]).combine_chunks()
    asked = in_force(
        changes, requests, numbers(bookings, "request_idx"), numbers(bookings, "approved_at")
    )
    place = bookings.schema.get_field_index("procedure_idx")
    field = bookings.schema.field(place)
    bookings = bookings.set_column(place, field, pa.array(asked, field.type))
    return changes, vanish(demand, events, span, chance), bookings, events
