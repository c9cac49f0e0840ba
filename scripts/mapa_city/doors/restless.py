"""What changes about a request besides its state: what it asks for, and whether the source has it.

Procedure, risk and address are corrected while somebody waits; requests vanish from the source, and
some come back as they were. None of it leaves an entry in the history that the source shows.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mapa_city.arrays import DAY, FAR, MISSING, Flags, Ints, Span, matches, numbers
from mapa_city.demand import Demand
from mapa_city.network import GROUPS
from mapa_city.schemas import ABSENCES, CHANGES, table

CHANGED = 0.12
CHANGED_AGAIN = 0.3
GONE = 0.04
QUIET_DAYS = 5
"""Days without any change before a request vanishes: the source lost it, nobody withdrew it."""

LEAVING = ("agendada", "negada", "cancelada")
CLOSING = (*LEAVING, "reaberta", "confirmada", "falta", "cancelamento_agendamento")


def change(
    demand: Demand, requests: pa.Table, events: pa.Table, span: Span, rng: np.random.Generator
) -> pa.Table:
    """Draw what is corrected about requests between their making and the first way out.

    Only who queues for the agenda of a group changes the procedure: any member of it is served
    there.
    """
    n = len(demand.at)
    end = np.full(n, (span.until + 1) * DAY, dtype=np.int64)
    leaving = matches(events, "kind", LEAVING)
    np.minimum.at(end, numbers(events, "request_idx")[leaving], numbers(events, "at")[leaving])
    begin = np.maximum(demand.at, span.start * DAY)
    room = end - begin - 2
    chosen = (rng.random(n) < CHANGED) & (room > DAY)
    again = chosen & (rng.random(n) < CHANGED_AGAIN)
    share = np.sort(rng.random((2, n)), axis=0)
    state = {
        "procedure_idx": numbers(requests, "procedure_idx"),
        "risk": numbers(requests, "risk"),
        "address": np.arange(n),
    }
    parts: list[tuple[Ints, Ints, dict[str, Ints]]] = []
    for turn, rows in enumerate((np.flatnonzero(chosen), np.flatnonzero(again))):
        state = {name: values.copy() for name, values in state.items()}
        _redraw(demand, rows, state, rng)
        at = begin[rows] + 1 + np.floor(share[turn, rows] * room[rows]).astype(np.int64)
        parts.append((rows, at, {name: values[rows] for name, values in state.items()}))
    request, at = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    now = {name: np.concatenate([part[2][name] for part in parts]) for name in state}
    order = np.lexsort((at, request))
    address = requests.take(pa.array(now.pop("address")[order]))
    return table(
        CHANGES,
        {
            "request_idx": request[order],
            "at": at[order],
            **{name: values[order] for name, values in now.items()},
            **{
                name: address[name].combine_chunks()
                for name in ("bairro", "ra", "bairro_tells", "city_ibge6")
            },
        },
    )


def _redraw(demand: Demand, rows: Ints, state: dict[str, Ints], rng: np.random.Generator) -> None:
    """Change one thing about each of some requests."""
    what = rng.random(len(rows))
    each = len(GROUPS[0].members)
    procedure, risk = state["procedure_idx"], state["risk"]
    pooled = (demand.pool[rows] != demand.procedure[rows]) & (what < 0.5)
    of = procedure[rows[pooled]]
    step = 1 + rng.integers(0, each - 1, len(of))
    procedure[rows[pooled]] = of // each * each + (of % each + step) % each
    address = ~pooled & (what > 0.75)
    state["address"][rows[address]] = rng.integers(0, len(demand.at), address.sum())
    regraded = rows[~pooled & ~address]
    known = np.where(risk[regraded] == MISSING, 0, risk[regraded])
    risk[regraded] = 1 + (known + rng.integers(0, 3, len(regraded))) % 4


def vanish(demand: Demand, events: pa.Table, span: Span, rng: np.random.Generator) -> pa.Table:
    """Draw which of the requests that still wait the source loses, and which come back."""
    n = len(demand.at)
    last = demand.at.copy()
    np.maximum.at(last, numbers(events, "request_idx"), numbers(events, "at"))
    closed = np.zeros(n, dtype=np.bool_)
    closed[numbers(events, "request_idx")[matches(events, "kind", CLOSING)]] = True
    first, end = np.maximum(last + QUIET_DAYS * DAY, span.start * DAY), (span.until + 1) * DAY
    rows = np.flatnonzero(~closed & (first < end) & (rng.random(n) < GONE))
    gone = first[rows] + np.floor(rng.random(len(rows)) * (end - first[rows])).astype(np.int64)
    back = gone + 1 + np.floor(rng.random(len(rows)) * 50 * DAY).astype(np.int64)
    returns = (rng.random(len(rows)) < 0.6) & (back < end)
    return table(
        ABSENCES,
        {"request_idx": rows, "gone_at": gone, "back_at": np.where(returns, back, MISSING)},
    )


def in_force(changes: pa.Table, requests: pa.Table, request: Ints, at: Ints) -> Ints:
    """Return the procedure of requests at instants.

    Args:
        changes: the corrections, by request and instant.
        requests: the requests as they were made.
        request: rows of requests.
        at: an instant for each.
    """
    key = numbers(changes, "request_idx") * FAR * DAY + numbers(changes, "at")
    place = np.searchsorted(key, request * FAR * DAY + at, side="right") - 1
    found = np.maximum(place, 0)
    if not len(key):
        return numbers(requests, "procedure_idx")[request]
    changed: Flags = (place >= 0) & (numbers(changes, "request_idx")[found] == request)
    return np.where(
        changed,
        numbers(changes, "procedure_idx")[found],
        numbers(requests, "procedure_idx")[request],
    )
