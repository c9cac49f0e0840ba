"""Who asks for what, and what happens to a request until somebody finds it a slot.

Requests arrive at the same pace before and after the start; of the earlier ones only those stay
that a queue of the planned length would still hold. Everything a regulator or requester may do
before a booking is drawn here, once per request, as a script of days.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapa_city.arrays import (
    DAY,
    FAR,
    MISSING,
    Flags,
    Floats,
    Ints,
    Span,
    digits,
    expand,
    iso_weekday,
    joined,
    matches,
    numbers,
    pick,
    weighted,
)
from mapa_city.identifiers import cpf
from mapa_city.network import FIRST_EXAM_GROUP, GROUPS, LAST_EXAM_GROUP, Network
from mapa_city.people import Population
from mapa_city.schemas import REQUESTS, table
from mapa_city.territory import Territory

LONGEST_BACKLOG = 640
FIRST_REQUEST = 900_000_001
FIRST_REQUESTER_SERIAL = 20_001
REQUESTERS_PER_UNIT = 3
REVISED = 0.3
"""Share of denials that are revised: the request waits again."""

LAGGING, UNDATED = 0.05, 0.006
UNREACHABLE = 0.2
"""Share of requests without a telephone number, or with one typed to get on."""

RETURN, FIRST = 2, 1


@dataclass(frozen=True)
class Demand:
    """Requests as they are made, sorted by instant, and what their bookings depend on.

    Attributes:
        at: instant of each request.
        procedure: first procedure.
        pool: whose schedules it waits for.
        person: who asks.
        risk: 1 to 4 or `MISSING`.
        regulated: whether a regulator decides.
        wants_return: whether it asks for a return slot.
        forgotten: whether it is implausibly old and nobody thinks of cancelling it.
    """

    at: Ints
    procedure: Ints
    pool: Ints
    person: Ints
    risk: Ints
    regulated: Flags
    wants_return: Flags
    forgotten: Flags


@dataclass(frozen=True)
class Script:
    """Days of what may happen to each request before a booking; `FAR` when it does not.

    Attributes:
        seen: first look of the regulator.
        returned: first return to the requester.
        resent: when the requester sends it again.
        seen_again: second look.
        returned_again: second return, for good.
        denied: denial.
        reopened: when a denial is revised.
        ready: day after which it may be booked.
        cancelled: cancellation, if nothing else ends the wait before.
        by_coordinator: whether the cancellation follows a death.
    """

    seen: Ints
    returned: Ints
    resent: Ints
    seen_again: Ints
    returned_again: Ints
    denied: Ints
    reopened: Ints
    ready: Ints
    cancelled: Ints
    by_coordinator: Flags


def build_demand(
    network: Network, population: Population, span: Span, rng: np.random.Generator
) -> Demand:
    """Draw the requests."""
    day = _days(network, span, rng)
    procedure = weighted(rng, network.catalogue.weight, len(day))
    group = network.catalogue.group[procedure]
    as_group = np.array([group.as_group for group in GROUPS])[group]
    pooled = rng.random(len(day)) < as_group
    pool = np.where(pooled, network.catalogue.group_row[group], procedure)
    # Of what came before the start, what a queue of the planned length would still hold.
    age = span.start - day
    kept = age <= network.plan.backlog_days[pool] * (0.6 + 0.8 * rng.random(len(day)))
    person = _people(population.persons, group, rng)
    death = numbers(population.persons, "death_date")[person]
    kept &= (death == MISSING) | (day < death)
    day, procedure, pool, person = day[kept], procedure[kept], pool[kept], person[kept]
    forgotten = _forgotten(day, network.plan.capacity[pool], span, rng)
    day[forgotten] -= rng.integers(6 * 366, 8 * 365, forgotten.sum())
    at = day * DAY + 7 * 3600 + rng.integers(0, 12 * 3600, len(day))
    order = np.argsort(at, kind="stable")
    group = network.catalogue.group[procedure[order]]
    regulated = rng.random(len(day)) < np.array([g.regulated for g in GROUPS])[group]
    exam = (group >= FIRST_EXAM_GROUP) & (group <= LAST_EXAM_GROUP)
    return Demand(
        at=at[order],
        procedure=procedure[order],
        pool=pool[order],
        person=person[order],
        risk=_risks(regulated, rng),
        regulated=regulated,
        wants_return=~exam & (rng.random(len(day)) < 0.17),
        forgotten=forgotten[order],
    )


def _days(network: Network, span: Span, rng: np.random.Generator) -> Ints:
    """Draw the day of each request: working days mostly, slowly more of them."""
    days = np.arange(span.start - LONGEST_BACKLOG, span.until + 1)
    pace = np.array([1.25, 1.3, 1.25, 1.2, 1.1, 0.15, 0.05])[iso_weekday(days) - 1] * 7 / 6.3
    pace = pace * np.linspace(0.9, 1.1, len(days))
    weekly = network.plan.demand.sum()
    return np.repeat(days, rng.poisson(weekly / 7 * pace))


def _people(persons: pa.Table, group: Ints, rng: np.random.Generator) -> Ints:
    """Draw who asks, among those whom the group of the procedure concerns, the old more often."""
    birth, male = numbers(persons, "birth_date"), matches(persons, "sex", ["M"])
    oldest = np.argsort(birth, kind="stable")
    grown = np.quantile(birth, 0.5)
    concerned: dict[str, Flags] = {
        "any": np.ones(len(birth), dtype=np.bool_),
        "F": ~male,
        "M": male,
        "elder": birth < grown,
        "child": birth > np.quantile(birth, 0.85),
    }
    person = np.zeros(len(group), dtype=np.int64)
    for audience, fit in concerned.items():
        groups = [g for g, plan in enumerate(GROUPS) if plan.audience == audience]
        rows = np.flatnonzero(np.isin(group, groups))
        candidates = oldest[fit[oldest]]
        drawn = rng.random(len(rows)) ** 1.4 * len(candidates)
        person[rows] = candidates[np.floor(drawn).astype(np.int64)]
    return person


def _forgotten(day: Ints, capacity: Floats, span: Span, rng: np.random.Generator) -> Flags:
    """Choose a few of the oldest requests to be years older: real queues hold some.

    They wait where much is offered, so that some of them are served in the simulated days.
    """
    chosen = np.zeros(len(day), dtype=np.bool_)
    before = np.flatnonzero(day < span.start - 20)
    if len(before):
        count = 6 + len(before) // 2000
        chosen[before[weighted(rng, capacity[before] ** 2, count)]] = True
    return chosen


def _risks(regulated: Flags, rng: np.random.Generator) -> Ints:
    """Draw the risk class; one request in two hundred has none."""
    n = len(regulated)
    by_regulator = 1 + weighted(rng, np.array([0.05, 0.2, 0.4, 0.35]), n)
    by_list = 1 + weighted(rng, np.array([0.01, 0.09, 0.4, 0.5]), n)
    risk = np.where(regulated, by_regulator, by_list)
    return np.where(rng.random(n) < 0.005, MISSING, risk)


def build_script(demand: Demand, death: Ints, rng: np.random.Generator) -> Script:
    """Draw what happens to each request before a booking.

    Args:
        demand: the requests.
        death: day of death of the person of each request, or `MISSING`.
        rng: source of chance.
    """
    n = len(demand.at)
    day, regulated = demand.at // DAY, demand.regulated
    chance = rng.random((3, n))
    seen = np.where(regulated, _workday(day + rng.geometric(0.15, n)), FAR)
    returned = np.where(chance[0] < 0.09, seen, FAR)
    denied = np.where((chance[0] >= 0.09) & (chance[0] < 0.12), seen, FAR)
    resent = _after(returned, 3 + rng.exponential(20, n), chance[1] < 0.8)
    seen_again = _after(resent, 1 + rng.geometric(0.2, n), chance[1] < 0.8)
    seen_again = np.where(seen_again < FAR, _workday(seen_again), FAR)
    returned_again = np.where(chance[2] < 0.12, seen_again, FAR)
    denied = np.minimum(denied, np.where(chance[2] > 0.96, seen_again, FAR))
    final = np.where(returned < FAR, seen_again, seen)
    lost = (denied < FAR) | (returned_again < FAR)
    reopened = _after(denied, 2 + rng.exponential(20, n), rng.random(n) < REVISED)
    ready = np.where(lost, reopened, np.where(regulated, final, day))
    abandoned = np.where(resent < FAR, returned_again, returned)
    given_up, by_coordinator = _cancellations(demand, abandoned, death, rng)
    return Script(
        seen=seen,
        returned=returned,
        resent=resent,
        seen_again=seen_again,
        returned_again=returned_again,
        denied=denied,
        reopened=reopened,
        ready=ready,
        cancelled=given_up,
        by_coordinator=by_coordinator,
    )


def _workday(days: Ints) -> Ints:
    """Move weekends to the next Monday."""
    weekday = iso_weekday(days)
    return days + np.where(weekday > 5, 8 - weekday, 0)


def _after(days: Ints, delay: Any, happens: Flags) -> Ints:
    """Add a delay of whole days to those days that come and whose sequel happens."""
    later = days + np.maximum(delay, 1).astype(np.int64)
    return np.where((days < FAR) & happens, later, FAR)


def _cancellations(
    demand: Demand, abandoned: Ints, death: Ints, rng: np.random.Generator
) -> tuple[Ints, Flags]:
    """Draw cancellations: people give up, requesters let go, coordinators learn of deaths."""
    n = len(abandoned)
    given_up = demand.at // DAY + 1 + rng.exponential(1400, n).astype(np.int64)
    given_up[demand.forgotten] = FAR
    let_go = _after(abandoned, 20 + rng.exponential(150, n), rng.random(n) < 0.6)
    told = _after(
        np.where(death == MISSING, FAR, death), 10 + rng.exponential(90, n), rng.random(n) < 0.5
    )
    living = np.minimum(given_up, let_go)
    return np.minimum(living, told), told < living


def request_table(
    network: Network, population: Population, demand: Demand, rng: np.random.Generator
) -> pa.Table:
    """Write the requests as the requesting units type them."""
    n = len(demand.at)
    home = _residence(network.territory, population.persons, demand, rng)
    unit = _requesters(network, home["ra"].to_numpy(zero_copy_only=False), rng)
    serial = FIRST_REQUESTER_SERIAL + unit * REQUESTERS_PER_UNIT
    serial = serial + rng.integers(0, REQUESTERS_PER_UNIT, n)
    group = network.catalogue.group[demand.procedure]
    cids = [cid for plan in GROUPS for cid in plan.cids]
    counts = np.array([len(plan.cids) for plan in GROUPS])
    cid = (np.cumsum(counts) - counts)[group] + rng.integers(0, 2**31, n) % counts[group]
    centrals = network.territory.regulating or (network.territory.central,)
    wish = demand.at // DAY + rng.choice(np.array([0, 0, 30, 60]), n)
    return table(
        REQUESTS,
        {
            "codigo": digits(FIRST_REQUEST + np.arange(n), 9),
            "person_idx": demand.person,
            "card_idx": _cards(population.cards, demand.person, rng),
            "procedure_idx": demand.procedure,
            "extra_procedure_idx": _extras(demand.procedure, group, rng),
            "risk": demand.risk,
            "regulation": pick(("F", "R"), demand.regulated.astype(np.int64)),
            "slot_kind": np.where(demand.wants_return, RETURN, FIRST),
            "unit_idx": unit,
            "professional_cpf": cpf(serial),
            "professional_name": joined("SOLICITANTE FICTÍCIO", digits(serial, 5)),
            "cid": pick(cids, cid),
            "requested_at": demand.at,
            "desired_date": np.where(rng.random(n) < 0.2, MISSING, wish),
            **home,
            "lagging": rng.random(n) < LAGGING,
            "undated": rng.random(n) < UNDATED,
            "reachable": rng.random(n) >= UNREACHABLE,
            "central": pick(centrals, rng.integers(0, len(centrals), n)),
        },
    )


def _residence(
    territory: Territory, persons: pa.Table, demand: Demand, rng: np.random.Generator
) -> dict[str, pa.Array]:
    """Return what each request carries of a residence, by the columns of the requests.

    It is where the person lives that day; some who live in other municipalities give an address
    in the territory, and of these some a neighbourhood that is none of its own.
    """
    who = pa.array(demand.person)
    moved = numbers(persons, "moved_at")[demand.person]
    at_new = pa.array((moved != MISSING) & (moved <= demand.at // DAY))
    living = persons.take(who)
    home = {
        name: pc.if_else(
            at_new, living[f"new_{name}"].combine_chunks(), living[name].combine_chunks()
        )
        for name in ("city_ibge6", "bairro", "ra", "bairro_tells")
    }
    names = [area.name for area in territory.areas]
    lent = rng.integers(0, len(names), len(who))
    tells = lent % 5 > 0
    lends = pc.and_(
        pc.not_equal(home["city_ibge6"], territory.seat.code), pa.array(rng.random(len(who)) < 0.1)
    )
    given = {
        "city_ibge6": territory.seat.code,
        "bairro": pc.if_else(pa.array(tells), pick(names, lent), territory.lent_untold),
        "ra": pa.array(np.where(tells, lent + 1, 0)),
        "bairro_tells": pa.array(tells),
    }
    return {name: pc.if_else(lends, given[name], column) for name, column in home.items()}


def _requesters(network: Network, ra: Ints, rng: np.random.Generator) -> Ints:
    """Draw the requesting unit: of the own health region nine times in ten."""
    territory, units = network.territory, network.units
    regions = list(territory.regions)
    region_of_ra = [regions.index(area.region) for area in territory.areas]
    region = np.array([-1, *region_of_ra])[ra]
    region = np.where((region < 0) | (rng.random(len(region)) < 0.1), len(regions), region)
    requesting = units["is_requesting"].to_numpy()
    names = np.asarray(units["regiao_saude"].to_pylist())
    unit = np.zeros(len(region), dtype=np.int64)
    for number, name in enumerate((*regions, "any")):
        fit = requesting if name == "any" else requesting & (names == name)
        candidates, rows = np.flatnonzero(fit), np.flatnonzero(region == number)
        unit[rows] = candidates[rng.integers(0, len(candidates), len(rows))]
    return unit


def _cards(cards: pa.Table, person: Ints, rng: np.random.Generator) -> Ints:
    """Draw which of the person's cards the request carries, mostly the first."""
    owner = numbers(cards, "person_idx")
    count = np.bincount(owner)
    first = np.cumsum(count) - count
    chosen = np.floor(rng.random(len(person)) ** 2 * count[person]).astype(np.int64)
    return first[person] + chosen


def _extras(procedure: Ints, group: Ints, rng: np.random.Generator) -> pa.Array:
    """Add one to three further exams of the same group to a quarter of the exam requests."""
    n, each = len(procedure), len(GROUPS[0].members)
    exam = (group >= FIRST_EXAM_GROUP) & (group <= LAST_EXAM_GROUP)
    some = exam & (rng.random(n) < 0.25)
    count = np.where(some, rng.integers(1, 4, n), 0)
    owner, step = expand(np.ones(n, dtype=np.int64), count)
    values = group[owner] * each + (procedure[owner] % each + step) % each
    offsets = np.r_[0, np.cumsum(count)]
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), pa.array(values, pa.int64()).cast(pa.int32())
    )
