"""The right answers on the use of the offer: what is booked, attended, freed and left empty."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mapa.simulate.arrays import (
    DAY,
    day_text,
    matches,
    month_number,
    month_start,
    numbers,
    texts,
)
from mapa.simulate.city import City
from mapa.simulate.slots import KINDS, largest_remainder
from mapa.simulate.truth_offer import rows
from mapa.simulate.truth_seen import Known, cancelled_at

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
    """Follow the slots of each month, unit, procedure and kind to what became of them.

    Args:
        city: the finished city.
        known: what the readings showed.
        real: right answer of `oferta_real_por_mes`.
    """
    offers = _offers(real)
    outcomes, reused = _bookings(city, known)
    lines = [
        (*cell, *_line(cell, offers.get(cell, (0,) * len(_OFFER)), outcomes[cell], reused[cell]))
        for cell in sorted(offers.keys() | outcomes.keys())
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


def _line(
    cell: Cell, offer: Sequence[int | None], outcomes: Counter[str], reused: int
) -> tuple[Any, ...]:
    """Write the measures of one cell; what hangs on an unknown offer is unknown."""
    *held, freed = (outcomes[name] for name in _OUTCOMES)
    booked, real = sum(held), offer[-1]
    excess = empty = left = never = None
    shares: tuple[float | None, ...] = (None, None, None)
    if real is not None:
        excess, empty = max(booked - real, 0), max(real - booked, 0)
        left = min(empty, freed - reused)
        never = empty - left
        if real > 0:
            shares = tuple(100 * part / real for part in (booked, empty, held[0]))
    use = (booked, *held, excess, freed, reused, empty, left, never)
    return (cell[2][:4] + "000", *offer, *use, *shares)


def _offers(real: Mapping[str, Any]) -> dict[Cell, tuple[int | None, ...]]:
    """Take the real offer apart by kind; a kind that nobody offers is left out."""
    offers: dict[Cell, tuple[int | None, ...]] = {}
    for values in real["linhas"]:
        row = dict(zip([*real["chave"], *real["colunas"]], values, strict=True))
        lost = {kind: _lost(row, kind) for kind in KINDS}
        by_ceiling = dict.fromkeys(KINDS, 0)
        if row["qtd_vagas_perdidas_teto"] is not None:
            weights = [lost[kind] or 0 for kind in KINDS]
            shares = largest_remainder(row["qtd_vagas_perdidas_teto"], weights)
            by_ceiling = dict(zip(KINDS, shares, strict=True))
        for kind in KINDS:
            if row[f"qtd_vagas_total_{kind}"] == 0:
                continue
            taken = lost[kind]
            ceiling = None if taken is None else by_ceiling[kind]
            agreement = None if taken is None else taken - by_ceiling[kind]
            places = ("competencia", "unidade_executante_cnes", "procedimento_codigo")
            month, unit, procedure = (row[name] for name in places)
            offers[month, unit, procedure, kind] = (
                *(row[f"{name}_{kind}"] for name in _OFFER[:3]),
                *(ceiling, agreement, row[f"qtd_oferta_real_{kind}"]),
            )
    return offers


def _lost(row: Mapping[str, Any], kind: str) -> int | None:
    """Return what the limits take of a kind; None when that is unknown."""
    active, real = row[f"qtd_vagas_ativas_{kind}"], row[f"qtd_oferta_real_{kind}"]
    return None if active is None or real is None else active - real


def _bookings(city: City, known: Known) -> tuple[dict[Cell, Counter[str]], dict[Cell, int]]:
    """Count what became of the bookings of each cell, and freed slots that were used again."""
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
    outcomes: dict[Cell, Counter[str]] = defaultdict(Counter)
    moves: dict[tuple[Cell, int], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    approved = numbers(city.bookings, "approved_at")
    seen_as_number = known.bookings.astype(np.int64)
    facts = rows(outcome, appointment, approved, freed_at, seen_as_number)
    for cell, (what, day, made, freed, seen) in zip(cells, facts, strict=True):
        if not seen:
            continue
        outcomes[cell][what] += 1
        moves[cell, day][0].append(made)
        if what == "liberada":
            moves[cell, day][1].append(freed)
    reused: dict[Cell, int] = defaultdict(int)
    for (cell, _), (bookings, releases) in moves.items():
        reused[cell] += _pairs(sorted(bookings), sorted(releases))
    return outcomes, reused


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
