"""What is agreed on paper: PPI between centrals, ceilings of units, quotas of requesters.

They are set around the slots really active in a month, so that some bind, some do not, some are
zero and some are missing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mapa_city.arrays import (
    Flags,
    Ints,
    Span,
    matches,
    month_number,
    month_start,
    numbers,
    pick,
    weighted,
)
from mapa_city.network import Network
from mapa_city.offer import Offered
from mapa_city.schemas import CEILINGS, PPI, QUOTAS, table
from mapa_city.slots import SlotDays
from mapa_city.territory import Territory


@dataclass(frozen=True)
class Limits:
    """The three tables of limits."""

    ppi: pa.Table
    ceilings: pa.Table
    quotas: pa.Table


@dataclass(frozen=True)
class _Supply:
    """Active slots per month, unit and procedure, for the months in which limits are set.

    `shared` tells which units execute the procedure for two centrals.
    """

    month: Ints
    unit: Ints
    procedure: Ints
    active: Ints
    shared: Flags


def build_limits(
    network: Network, offered: Offered, days: SlotDays, span: Span, rng: np.random.Generator
) -> Limits:
    """Set PPI, ceilings and quotas from the first simulated month to the second after the last."""
    territory = network.territory
    supply = _supply(territory.central, offered, days, span)
    return Limits(_ppi(territory, supply, rng), _ceilings(supply, rng), _quotas(network, span, rng))


def _supply(central: str, offered: Offered, days: SlotDays, span: Span) -> _Supply:
    """Add up the active slots."""
    months = month_number(days.day)
    edges = month_number(np.array([span.start, span.until]))
    inside = (months >= edges[0]) & (months <= edges[1] + 2)
    names = ("unit_idx", "procedure_idx")
    places = [numbers(offered.schedules, name)[days.schedule] for name in names]
    keys = np.column_stack([months, *places])[inside]
    distinct, where = np.unique(keys, axis=0, return_inverse=True)
    active = np.bincount(where.ravel(), np.maximum(days.active, 0).sum(axis=1)[inside])
    place = numbers(offered.schedules, "unit_idx") * 10_000 + numbers(
        offered.schedules, "procedure_idx"
    )
    foreign = place[~matches(offered.schedules, "central", [central])]
    shared = np.isin(distinct[:, 1] * 10_000 + distinct[:, 2], foreign)
    month, unit, procedure = distinct.T
    return _Supply(month, unit, procedure, active.astype(np.int64), shared)


def _around(values: Ints, factor: tuple[float, ...], rng: np.random.Generator) -> Ints:
    """Multiply each value by one of the factors, rounded."""
    chosen = rng.choice(np.array(factor), len(values))
    product: Ints = np.round(values * chosen).astype(np.int64)
    return product


def _ppi(territory: Territory, supply: _Supply, rng: np.random.Generator) -> pa.Table:
    """Agree on six procedures in ten: most for the own central, the rest for its neighbours."""
    keys = np.column_stack([supply.month, supply.procedure])
    distinct, where = np.unique(keys, axis=0, return_inverse=True)
    active = np.bincount(where.ravel(), supply.active, len(distinct)).astype(np.int64)
    month, procedure = distinct[:, 0], distinct[:, 1]
    total = _around(active, (0.0, 0.55, 0.8, 1.0, 1.15, 1.3, 1.6), rng)
    agreed = (procedure % 10 < 6) & (rng.random(len(month)) < 0.95)
    total, month, procedure = total[agreed], month[agreed], procedure[agreed]
    centrals = (territory.central, *(city.code for city in territory.neighbours[:4]))
    shares = np.floor(total[:, None] * np.array([0, 0.04, 0.03, 0.02, 0.01])).astype(np.int64)
    shares[:, 0] = total - shares[:, 1:].sum(axis=1)
    # A neighbour without an agreement has no row; the own central always has one, be it zero.
    row, central = np.nonzero(_present(shares))
    return table(
        PPI,
        {
            "competencia": month_start(month[row]),
            "requesting_central": pick(centrals, central),
            "executing_central": pick([territory.central], np.zeros(len(row), dtype=np.int64)),
            "procedure_idx": procedure[row],
            "quantity": shares[row, central],
        },
    )


def _present(shares: Ints) -> Flags:
    """Tell which shares are written down."""
    present: Flags = shares > 0
    present[:, 0] = True
    return present


def _ceilings(supply: _Supply, rng: np.random.Generator) -> pa.Table:
    """Cap six in ten pairs of unit and procedure, now and then at zero.

    Units that execute for two centrals are capped below what they offer for both together, mostly
    above what they offer for each.
    """
    capped = (supply.unit * 31 + supply.procedure) % 10 < 6
    capped &= rng.random(len(capped)) < 0.95
    quantity = _around(supply.active, (0.6, 0.85, 1.0, 1.1, 1.3, 1.5), rng)
    quantity[rng.random(len(quantity)) < 0.01] = 0
    capped |= supply.shared
    quantity = np.where(supply.shared, supply.active * 3 // 4, quantity)
    return table(
        CEILINGS,
        {
            "competencia": month_start(supply.month[capped]),
            "unit_idx": supply.unit[capped],
            "procedure_idx": supply.procedure[capped],
            "quantity": quantity[capped],
        },
    )


def _quotas(network: Network, span: Span, rng: np.random.Generator) -> pa.Table:
    """Give requesting units quotas of some procedures for the last months."""
    requesting = np.flatnonzero(network.units["is_requesting"].to_numpy())
    last = int(month_number(np.array([span.until]))[0])
    size = len(requesting) * 8
    unit = np.repeat(requesting, 8)
    procedure = weighted(rng, network.catalogue.weight, size)
    kind = (rng.random(size) < 0.15).astype(np.int64)
    agreed = np.unique(np.column_stack([unit, procedure, kind]), axis=0)
    months = np.repeat(np.arange(last - 2, last + 2), len(agreed))
    rows = np.tile(agreed, (4, 1))
    return table(
        QUOTAS,
        {
            "competencia": month_start(months),
            "unit_idx": rows[:, 0],
            "procedure_idx": rows[:, 1],
            "kind": pick(("LOCAL", "PACTUADA"), rows[:, 2]),
            "quantity": np.maximum(rng.integers(-2, 30, len(months)), 0),
        },
    )
