"""The right answers on the offer: slots of each day, and the real offer of each month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mapa_city.arrays import Ints, Texts, day_text, month_number, numbers, texts, unless
from mapa_city.city import City
from mapa_city.slots import KINDS, SlotDays, largest_remainder
from mapa_city.territory import FEDERAL_DISTRICT

CAUSES = ("feriado", "afastamento_unidade", "afastamento_profissional")
"""What blocks slots, in the order of `SlotDays.blocked`."""


def per_day(city: City, days: SlotDays) -> dict[str, Any]:
    """Add up the slots of each day, unit, procedure and kind.

    A kind without slots has no row; a row of unknown quantities only has unknown sums.
    """
    row, kind = np.nonzero(days.total != 0)
    keys = np.column_stack([days.day[row], *_places(city, days.schedule[row]), kind])
    distinct, where = np.unique(keys, axis=0, return_inverse=True)
    total, blocked = days.total[row, kind], days.blocked[row, :, kind]
    is_known = total >= 0
    sums = [_sums(values * is_known, where, len(distinct)) for values in (total, *blocked.T)]
    known = _sums(is_known, where, len(distinct)) > 0
    blocked_sum = sums[1] + sums[2] + sums[3]
    columns = (sums[0], blocked_sum, *sums[1:], sums[0] - blocked_sum)
    day, unit, procedure, kind = distinct.T
    return {
        "chave": ["data", "unidade_executante_cnes", "procedimento_codigo", "vaga_tipo"],
        "colunas": [
            "qtd_vagas_total",
            "qtd_vagas_bloqueadas",
            "qtd_vagas_bloqueadas_feriado",
            "qtd_vagas_bloqueadas_afastamento_unidade",
            "qtd_vagas_bloqueadas_afastamento_profissional",
            "qtd_vagas_ativas",
        ],
        "linhas": rows(
            day_text(day),
            texts(city.units, "cnes")[unit],
            texts(city.procedures, "codigo")[procedure],
            np.array(KINDS, dtype=object)[kind],
            *(unless(~known, values) for values in columns),
        ),
    }


def rows(*columns: Ints | Texts) -> list[tuple[Any, ...]]:
    """Turn columns into rows of plain Python values."""
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _places(city: City, schedule: Ints) -> tuple[Ints, Ints]:
    """Return unit and procedure of each schedule."""
    names = ("unit_idx", "procedure_idx")
    unit, procedure = (numbers(city.schedules, name)[schedule] for name in names)
    return unit, procedure


def _sums(values: Any, where: Ints, size: int) -> Ints:
    """Add up whole numbers per group; exact, as they stay far below 2^53."""
    return np.bincount(where.ravel(), values, size).astype(np.int64)


@dataclass(frozen=True)
class MonthOffer:
    """Slots of one unit and procedure in one month, per kind; None is unknown.

    Attributes:
        cnes: the unit.
        total: slots of the schedules.
        blocked: those that holidays and leaves take.
        causes: what each cause of `CAUSES` blocks, over all kinds.
        central: for which the unit executes them.
        agreed: whether PPI is agreed with that central.
    """

    cnes: str
    total: tuple[int | None, ...]
    blocked: tuple[int | None, ...]
    causes: tuple[int, ...] = (0, 0, 0)
    central: str = FEDERAL_DISTRICT.central
    agreed: bool = True

    @property
    def active(self) -> tuple[int | None, ...]:
        """Slots per kind that nothing blocks."""
        pairs = zip(self.total, self.blocked, strict=True)
        return tuple(None if t is None or b is None else t - b for t, b in pairs)

    def over_kinds(self, values: Sequence[int | None]) -> int | None:
        """Add up what is known of the kinds that are offered; None when that is nothing.

        A kind without slots says nothing about the unknown ones, so its zero does not count.
        """
        offered = [value for value, total in zip(values, self.total, strict=True) if total != 0]
        return known_sum(offered) if offered else 0


@dataclass(frozen=True)
class RealOffer:
    """What the limits leave of an offer.

    Attributes:
        after_ceiling: the smaller of active slots and ceiling.
        real: what PPI leaves of that.
        per_kind: real offer shared between the kinds.
        limit: which limit binds.
    """

    after_ceiling: int | None
    real: int | None
    per_kind: tuple[int | None, ...]
    limit: str | None


def known_sum(values: Sequence[int | None]) -> int | None:
    """Add up what is known; None when nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def real_offers(
    offers: Sequence[MonthOffer], ceilings: Sequence[int | None], ppi: int | None
) -> list[RealOffer]:
    """Apply ceilings and PPI to the units that offer one procedure in one month.

    Args:
        offers: offers of all units, each for one executing central.
        ceilings: ceiling of the unit of each offer, over all centrals; None is no limit.
        ppi: slots agreed with the own central, over all requesting centrals; None is no limit. With
            other executing centrals nothing is agreed.
    """
    active = [offer.over_kinds(offer.active) for offer in offers]
    agreed = [i for i, offer in enumerate(offers) if offer.agreed]
    capped = list(active)
    # A tie of remainders goes to the smaller code.
    for unit in {offer.cnes for offer in offers}:
        mine = [i for i, offer in enumerate(offers) if offer.cnes == unit]
        mine.sort(key=lambda i: offers[i].central)
        _cut(capped, mine, ceilings[mine[0]])
    real = list(capped)
    _cut(real, sorted(agreed, key=lambda i: offers[i].cnes), ppi)
    return [
        RealOffer(
            after_ceiling=capped[i],
            real=real[i],
            per_kind=_per_kind(real[i], offers[i].active),
            limit=_limit(
                active[i], capped[i], real[i], (ceilings[i], ppi if i in agreed else None)
            ),
        )
        for i in range(len(offers))
    ]


def _cut(values: list[int | None], order: Sequence[int], limit: int | None) -> None:
    """Cut the known ones of some values down to a limit on their sum, in proportion."""
    known = [i for i in order if values[i] is not None]
    weights = [values[i] or 0 for i in known]
    if limit is not None and limit < sum(weights):
        for i, share in zip(known, largest_remainder(limit, weights), strict=True):
            values[i] = share


def _per_kind(real: int | None, active: Sequence[int | None]) -> tuple[int | None, ...]:
    """Share the real offer between the kinds in proportion to their active slots."""
    if real is None:
        return (None,) * len(active)
    shares = largest_remainder(real, [value or 0 for value in active])
    return tuple(
        None if value is None else share for value, share in zip(active, shares, strict=True)
    )


def _limit(
    active: int | None, capped: int | None, real: int | None, limits: tuple[int | None, int | None]
) -> str | None:
    """Name the limit that binds; an offer of which nothing is known has none."""
    if limits == (None, None):
        return "nao_informado"
    if active is None or capped is None or real is None:
        return None
    if real < capped:
        return "ppi"
    return "teto" if capped < active else "escala"


def per_month(city: City, days: SlotDays) -> dict[str, Any]:
    """Compute the real offer of each month, unit and procedure."""
    ppi, ceilings = agreed_limits(city)
    code = texts(city.procedures, "codigo").tolist()
    lines: list[tuple[Any, ...]] = []
    for (month, procedure), units in month_offers(city, days).items():
        competencia = np.datetime64(month, "M").astype("datetime64[D]").item().isoformat()
        own = [ceilings.get((month, offer.cnes, procedure)) for offer in units]
        agreed = ppi.get((month, procedure))
        for offer, ceiling, real in zip(units, own, real_offers(units, own, agreed), strict=True):
            place = (competencia, offer.central, offer.cnes, code[procedure])
            limit = agreed if offer.agreed else None
            lines.append((*place, *_line(offer, real, (limit, ceiling))))
    return {
        "chave": [
            "competencia",
            "central_executora_codigo",
            "unidade_executante_cnes",
            "procedimento_codigo",
        ],
        "colunas": _COLUMNS,
        "linhas": lines,
    }


def agreed_limits(city: City) -> tuple[dict[tuple[int, int], int], dict[tuple[int, str, int], int]]:
    """Return PPI per month and procedure, and ceilings per month, unit and procedure."""
    ppi: dict[tuple[int, int], int] = defaultdict(int)
    months = month_number(numbers(city.ppi, "competencia"))
    columns = (numbers(city.ppi, name) for name in ("procedure_idx", "quantity"))
    for month, procedure, quantity in rows(months, *columns):
        ppi[month, procedure] += quantity
    months = month_number(numbers(city.ceilings, "competencia"))
    unit = texts(city.units, "cnes")[numbers(city.ceilings, "unit_idx")]
    columns = (numbers(city.ceilings, name) for name in ("procedure_idx", "quantity"))
    ceilings = {
        (month, cnes, procedure): quantity
        for month, cnes, procedure, quantity in rows(months, unit, *columns)
    }
    return dict(ppi), ceilings


_COLUMNS = [
    "qtd_vagas_total",
    "qtd_vagas_bloqueadas",
    "qtd_vagas_ativas",
    "qtd_ppi",
    "qtd_teto",
    "qtd_oferta_real",
    "limite_vinculante",
    "causa_principal",
    *(f"qtd_vagas_bloqueadas_{cause}" for cause in CAUSES),
    "qtd_vagas_perdidas_ppi",
    "qtd_vagas_perdidas_teto",
    *(
        f"{measure}_{kind}"
        for kind in KINDS
        for measure in (
            "qtd_vagas_total",
            "qtd_vagas_bloqueadas",
            "qtd_vagas_ativas",
            "qtd_oferta_real",
        )
    ),
]


def _main_cause(taken: list[int | None]) -> str | None:
    """Name the cause that took most; `taken` is by the causes of blocks, PPI and ceiling."""
    if None in taken:
        return None
    names = [*CAUSES, "ppi", "teto"]
    first, second, *_ = sorted(zip((n or 0 for n in taken), names, strict=True), reverse=True)
    if first[0] == 0:
        return "nenhuma"
    return "empate" if first[0] == second[0] else first[1]


def _line(
    offer: MonthOffer, real: RealOffer, limits: tuple[int | None, int | None]
) -> tuple[Any, ...]:
    """Write the measures of one unit, procedure and month in the order of `_COLUMNS`."""
    total, blocked, active = (
        offer.over_kinds(values) for values in (offer.total, offer.blocked, offer.active)
    )
    lost: tuple[int | None, int | None] = (None, None)
    if active is not None and real.after_ceiling is not None and real.real is not None:
        lost = (real.after_ceiling - real.real, active - real.after_ceiling)
    causes: tuple[int | None, ...] = (None,) * 3 if total is None else offer.causes
    kinds = zip(offer.total, offer.blocked, offer.active, real.per_kind, strict=True)
    return (
        *(total, blocked, active, *limits, real.real, real.limit),
        *(_main_cause([*causes, *lost]), *causes, *lost),
        *(value for kind in kinds for value in kind),
    )


def month_offers(city: City, days: SlotDays) -> dict[tuple[int, int], list[MonthOffer]]:
    """Add up the slots per month and procedure, one offer per unit and executing central."""
    row = np.flatnonzero((days.total != 0).any(axis=1))
    unit, procedure = _places(city, days.schedule[row])
    names, central = np.unique(texts(city.schedules, "central"), return_inverse=True)
    of = central.ravel()[days.schedule[row]]
    keys = np.column_stack([month_number(days.day[row]), procedure, unit, of])
    distinct, where = np.unique(keys, axis=0, return_inverse=True)
    total, blocked = days.total[row], days.blocked[row].sum(axis=1)
    known, unknown = (
        np.column_stack([_sums(flags, where, len(distinct)) for flags in marks.T])
        for marks in (total > 0, total < 0)
    )
    slots, lost = (
        np.column_stack([_sums(part, where, len(distinct)) for part in values.T])
        for values in (np.maximum(total, 0), blocked)
    )
    # A kind that only unknown rows offer is unknown; one that nobody offers is zero.
    missing = (known == 0) & (unknown > 0)
    known_slots, known_lost = (unless(missing, values) for values in (slots, lost))
    causes = np.column_stack(
        [_sums(part, where, len(distinct)) for part in days.blocked[row].sum(axis=2).T]
    )
    cnes = texts(city.units, "cnes").tolist()
    offers: dict[tuple[int, int], list[MonthOffer]] = defaultdict(list)
    columns = (distinct, known_slots, known_lost, causes)
    for (month, asked, place, executing), every, taken, by in rows(*columns):
        name = str(names[executing])
        own = name == city.territory.central
        offer = MonthOffer(cnes[place], tuple(every), tuple(taken), tuple(by), name, own)
        offers[month, asked].append(offer)
    return offers
