"""The right answers on the use of the offer: what is booked, attended, freed and left empty."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mapa_city.arrays import (
    DAY,
    day_text,
    matches,
    month_number,
    month_start,
    numbers,
    texts,
)
from mapa_city.city import City
from mapa_city.slots import KINDS, largest_remainder
from mapa_city.truth.offer import known_sum, rows
from mapa_city.truth.seen import Known, cancelled_at

Cell = tuple[str, str, str, str]
"""Month, unit, procedure and kind of slot."""

_OUTCOMES = ("confirmada", "falta", "sem_confirmacao", "cancelada_tarde", "futura", "liberada")
_OFFER = (
    "qtd_vagas_total",
    "qtd_vagas_bloqueadas",
    "qtd_vagas_ativas",
    "qtd_vagas_perdidas_teto",
    "qtd_vagas_perdidas_ppi",
    "qtd_oferta_real",
)


def funnel_per_month(city: City, known: Known, real: Mapping[str, Any]) -> dict[str, Any]:
    """Follow the slots of each month, unit, agenda and kind to what became of them.

    Args:
        city: the finished city.
        known: what the readings showed.
        real: right answer of `oferta_real_por_mes`.
    """
    offers = _offers(real)
    met, aside = _meet(_bookings(city, known), offers)
    lines = [
        (
            *cell,
            *_line(cell, offers.get(cell, (0,) * len(_OFFER)), met.get(cell, []), aside[cell]),
        )
        for cell in sorted(offers.keys() | met.keys() | aside.keys())
    ]
    return {
        "chave": ["competencia", "unidade_executante_cnes", "procedimento_codigo", "vaga_tipo"],
        "colunas": [
            "grupo_codigo",
            *_OFFER,
            "qtd_marcadas",
            "qtd_atendidas",
            "qtd_faltas",
            "qtd_sem_confirmacao",
            "qtd_canceladas_tarde",
            "qtd_futuras",
            "qtd_na_agenda_do_grupo",
            "qtd_excedentes",
            "qtd_liberadas",
            "qtd_reaproveitadas",
            "qtd_vazias",
            "qtd_liberadas_vazias",
            "qtd_nunca_preenchidas",
            "pct_marcacao",
            "pct_vazias",
            "pct_atendimento",
        ],
        "linhas": lines,
    }


def offer_per_kind(real: Mapping[str, Any]) -> dict[str, Any]:
    """Say what each limit leaves of each kind of slot that somebody offers.

    Args:
        real: right answer of `oferta_real_por_mes`.
    """
    return {
        "chave": ["competencia", "unidade_executante_cnes", "procedimento_codigo", "vaga_tipo"],
        "colunas": list(_OFFER),
        "linhas": [(*cell, *values) for cell, values in _offers(real).items()],
    }


def _line(
    cell: Cell, offer: Sequence[int | None], bookings: Sequence[_Booking], aside: int
) -> tuple[Any, ...]:
    """Write the measures of one cell; what hangs on an unknown offer is unknown."""
    outcomes = Counter(booking.outcome for booking in bookings)
    *held, freed = (outcomes[name] for name in _OUTCOMES)
    reused = _reused(bookings)
    booked, real = sum(held), offer[-1]
    excess = empty = left = never = None
    shares: tuple[float | None, ...] = (None, None, None)
    if real is not None:
        excess, empty = max(booked - real, 0), max(real - booked, 0)
        left = min(empty, freed - reused)
        never = empty - left
        if real > 0:
            shares = tuple(100 * part / real for part in (booked, empty, held[0]))
    use = (booked, *held, aside, excess, freed, reused, empty, left, never)
    return (cell[2][:4] + "000", *offer, *use, *shares)


def _offers(real: Mapping[str, Any]) -> dict[Cell, tuple[int | None, ...]]:
    """Take the real offer apart by kind, all centrals of a unit together.

    A kind that nobody offers is left out.
    """
    parts: dict[Cell, list[tuple[int | None, ...]]] = defaultdict(list)
    for values in real["linhas"]:
        row = dict(zip([*real["chave"], *real["colunas"]], values, strict=True))
        limits = limits_per_kind(row)
        for kind in KINDS:
            if row[f"qtd_vagas_total_{kind}"] == 0:
                continue
            places = ("competencia", "unidade_executante_cnes", "procedimento_codigo")
            month, unit, procedure = (row[name] for name in places)
            measures = (
                *(row[f"{name}_{kind}"] for name in _OFFER[:3]),
                *(*limits[kind], row[f"qtd_oferta_real_{kind}"]),
            )
            parts[month, unit, procedure, kind].append(measures)
    return {
        cell: tuple(known_sum(values) for values in zip(*of_centrals, strict=True))
        for cell, of_centrals in parts.items()
    }


def limits_per_kind(row: Mapping[str, Any]) -> dict[str, tuple[int | None, int | None]]:
    """Share what ceiling and agreement take of one row of the real offer between the kinds.

    Args:
        row: measures of `oferta_real_por_mes` by name.
    """
    lost = {kind: _lost(row, kind) for kind in KINDS}
    by_ceiling = dict.fromkeys(KINDS, 0)
    if row["qtd_vagas_perdidas_teto"] is not None:
        shares = largest_remainder(
            row["qtd_vagas_perdidas_teto"], [lost[kind] or 0 for kind in KINDS]
        )
        by_ceiling = dict(zip(KINDS, shares, strict=True))
    return {
        kind: (None, None) if taken is None else (by_ceiling[kind], taken - by_ceiling[kind])
        for kind, taken in lost.items()
    }


def _lost(row: Mapping[str, Any], kind: str) -> int | None:
    """Return what the limits take of a kind; None when that is unknown."""
    active, real = row[f"qtd_vagas_ativas_{kind}"], row[f"qtd_oferta_real_{kind}"]
    return None if active is None or real is None else active - real


@dataclass(frozen=True)
class _Booking:
    """A booking of one cell: what became of it, for which day, made and freed when."""

    outcome: str
    day: int
    made: int
    code: str
    freed: int

    @property
    def is_held(self) -> bool:
        """Tell whether it kept its slot."""
        return self.outcome != "liberada"


def _bookings(city: City, known: Known) -> dict[Cell, list[_Booking]]:
    """Return the bookings that were seen, by month, unit, procedure and kind of slot."""
    freed_at = cancelled_at(city)
    appointment = numbers(city.bookings, "appointment_at") // DAY
    schedule = numbers(city.bookings, "schedule_idx")
    procedure = numbers(city.bookings, "procedure_idx")
    outcome = texts(city.bookings, "outcome")
    gone = matches(city.bookings, "outcome", ["cancelada"])
    outcome[gone] = "cancelada_tarde"
    outcome[gone & (freed_at // DAY < appointment)] = "liberada"
    cells = rows(
        day_text(month_start(month_number(appointment))),
        texts(city.units, "cnes")[numbers(city.schedules, "unit_idx")[schedule]],
        texts(city.procedures, "codigo")[procedure],
        np.array(KINDS, dtype=object)[numbers(city.bookings, "slot_kind")],
    )
    approved = numbers(city.bookings, "approved_at")
    codes = texts(city.requests, "codigo")[numbers(city.bookings, "request_idx")]
    facts = rows(outcome, appointment, approved, codes, freed_at)
    found: dict[Cell, list[_Booking]] = defaultdict(list)
    for cell, told, seen in zip(cells, facts, known.bookings.tolist(), strict=True):
        if seen:
            found[cell].append(_Booking(*told))
    return found


def _meet(
    booked: Mapping[Cell, Sequence[_Booking]], offers: Mapping[Cell, Sequence[int | None]]
) -> tuple[dict[Cell, list[_Booking]], Counter[Cell]]:
    """Put each booking where it meets the offer: its own agenda, then the one of its group.

    Returns:
        The bookings of each agenda, and how many of each procedure are held in its group's.
    """
    met: dict[Cell, list[_Booking]] = defaultdict(list)
    aside: Counter[Cell] = Counter()
    for cell, bookings in booked.items():
        month, unit, procedure, kind = cell
        shared = (month, unit, procedure[:4] + "000", kind)
        room: float | None = float("inf")
        if shared != cell and shared in offers:
            room = offers[cell][-1] if cell in offers else 0
        # Of an unknown number of slots, any number may be booked.
        left = room = float("inf") if room is None else room
        for booking in sorted(bookings, key=lambda b: (b.day, b.made, b.code)):
            if booking.is_held:
                at_home = left > 0
                left -= 1
            else:
                at_home = room > 0
            met[cell if at_home else shared].append(booking)
            aside[cell] += booking.is_held and not at_home
    return met, +aside


def _reused(bookings: Sequence[_Booking]) -> int:
    """Count the freed slots of one agenda that were used again."""
    by_day: dict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for booking in bookings:
        by_day[booking.day][0].append(booking.made)
        if not booking.is_held:
            by_day[booking.day][1].append(booking.freed)
    return sum(_pairs(sorted(made), sorted(freed)) for made, freed in by_day.values())


def _pairs(bookings: list[int], releases: list[int]) -> int:
    """Pair each release, earliest first, with the earliest later booking that is still free."""
    found = position = 0
    for release in releases:
        while position < len(bookings) and bookings[position] <= release:
            position += 1
        if position == len(bookings):
            break
        found, position = found + 1, position + 1
    return found
