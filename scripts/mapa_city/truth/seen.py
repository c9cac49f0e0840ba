"""What readings of the source at given days can have shown of the city's requests.

The source shows the present only. So what is known of a request are its states at the readings,
each with the instant of the request's last change, and what the documents date themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from mapa_city.arrays import DAY, MISSING, Flags, Ints, day_number, matches, numbers
from mapa_city.city import City
from mapa_city.territory import OUTSIDE, UNIDENTIFIED, Territory

LATE = 300
"""Seconds after midnight at which the source is read."""

NEVER = int(np.iinfo(np.int64).max)
ALWAYS = MISSING
"""Instants after and before all others."""


@dataclass(frozen=True)
class Known:
    """What the readings showed.

    Attributes:
        first: instant at which each request was seen first, or `NEVER`.
        last: end of the last day of which a reading showed each request, or `ALWAYS`.
        bookings: which bookings were seen.
        missed: requests that were missed, since when and until when.
        cells: what requests were counted as, by request and instant.
        looks: whether a regulator had looked at requests, by request and instant.
        changed: last change of each request before it was seen first.
    """

    first: Ints
    last: Ints
    bookings: Flags
    missed: Missed
    cells: Cells
    looks: Looks
    changed: Ints

    @property
    def seen(self) -> Flags:
        """Tell which requests were ever seen."""
        flags: Flags = self.first < NEVER
        return flags


@dataclass(frozen=True)
class Missed:
    """Stretches in which the source was known not to have a request."""

    request: Ints
    since: Ints
    until: Ints


@dataclass(frozen=True)
class Series:
    """Something about requests, each row from an instant on; sorted by both."""

    request: Ints
    since: Ints

    def at(self, request: Ints, instant: Ints) -> Ints:
        """Return the row that holds for each request at an instant."""
        place = np.zeros(len(request), dtype=np.int64)
        begin = np.searchsorted(self.request, request, side="left")
        end = np.searchsorted(self.request, request, side="right")
        for i, (a, b) in enumerate(zip(begin.tolist(), end.tolist(), strict=True)):
            place[i] = a + np.searchsorted(self.since[a:b], instant[i], side="right") - 1
        return place


@dataclass(frozen=True)
class Cells(Series):
    """Procedure, region and risk of requests."""

    procedure: Ints
    region: Ints
    risk: Ints


@dataclass(frozen=True)
class Looks(Series):
    """Whether a regulator had looked at requests: 1 or 0."""

    looked: Ints


def know(city: City, read: Sequence[date] = ()) -> Known:
    """Work out what readings as of the end of some days showed, by default of the last day."""
    closings = [(day_number(day) + 1) * DAY for day in sorted(read or (city.until,))]
    n = city.requests.num_rows
    first = np.full(n, NEVER, dtype=np.int64)
    last = np.full(n, ALWAYS, dtype=np.int64)
    gone = np.full(n, NEVER, dtype=np.int64)
    booked = np.zeros(city.bookings.num_rows, dtype=np.bool_)
    missed: list[tuple[int, int, int]] = []
    states: list[tuple[Ints, ...]] = []
    looks: list[tuple[Ints, ...]] = []
    told = np.full(n, ALWAYS, dtype=np.int64)
    before = ALWAYS
    for closing in closings:
        now = closing + LATE
        changed, shown = _clock(city, closing), _shown(city, closing)
        # What is unknown comes with the changes of the last days, what is known is asked for.
        here = shown & ((first < NEVER) | (changed >= before - DAY))
        absent = (first < NEVER) & ~shown & (gone == NEVER)
        back = here & (gone < NEVER)
        missed += [(r, int(gone[r]), now) for r in np.flatnonzero(back).tolist()]
        gone[absent], gone[back] = now, NEVER
        new = here & (first == NEVER)
        first[new] = now
        last[shown] = closing
        rows = np.flatnonzero(here)
        since = np.where(changed[rows] >= first[rows], changed[rows], ALWAYS)
        procedure, region, risk = _says(city, closing)
        states.append((rows, since, procedure[rows], region[rows], risk[rows]))
        latest = _last_change(city, np.full(n, closing, dtype=np.int64))
        told[new] = latest[new]
        looked = np.where(latest >= first, latest, ALWAYS)[rows]
        looks.append((rows, looked, _looked(city, closing)[rows]))
        newest = _newest_booking(city, closing)
        booked[newest[here & (newest >= 0)]] = True
        before = closing
    missed += [(r, int(gone[r]), NEVER) for r in np.flatnonzero(gone < NEVER).tolist()]
    table = np.array(sorted(missed), dtype=np.int64).reshape(-1, 3)
    return Known(
        first=first,
        last=last,
        bookings=booked,
        missed=Missed(*table.T),
        cells=Cells(*_in_order(states)),
        looks=Looks(*_in_order(looks)),
        changed=told,
    )


def _shown(city: City, closing: int) -> Flags:
    """Tell which requests the source has at an instant."""
    shown: Flags = numbers(city.requests, "requested_at") < closing
    made = numbers(city.bookings, "approved_at") < closing
    booked = np.zeros(len(shown), dtype=np.bool_)
    booked[numbers(city.bookings, "request_idx")[made]] = True
    shown = shown & (booked | ~city.requests["undated"].to_numpy())
    back = numbers(city.absences, "back_at")
    away = numbers(city.absences, "gone_at") < closing
    away &= (back == MISSING) | (back >= closing)
    shown[numbers(city.absences, "request_idx")[away]] = False
    return shown


def _clock(city: City, closing: int) -> Ints:
    """Return the last change of each request before an instant, as its documents show it.

    Of a request that is not refreshed any more once booked, the document of the queue tells what it
    is counted as, and stands at the last change before the newest booking.
    """
    limit = np.full(city.requests.num_rows, closing, dtype=np.int64)
    newest = _newest_booking(city, closing)
    lags = city.requests["lagging"].to_numpy() & (newest >= 0)
    lags &= ~city.requests["undated"].to_numpy()
    limit[lags] = numbers(city.bookings, "approved_at")[newest[lags]]
    return _last_change(city, limit)


def _last_change(city: City, limit: Ints) -> Ints:
    """Return the last change of each request before an instant of its own, or `ALWAYS`."""
    request, at = numbers(city.events, "request_idx"), numbers(city.events, "at")
    clock = np.full(len(limit), ALWAYS, dtype=np.int64)
    early = at < limit[request]
    np.maximum.at(clock, request[early], at[early])
    return clock


def _looked(city: City, closing: int) -> Ints:
    """Tell of each request whether a regulator had looked at it before an instant."""
    looks = matches(city.events, "kind", ["visualizada"]) & (numbers(city.events, "at") < closing)
    looked = np.zeros(city.requests.num_rows, dtype=np.int64)
    looked[numbers(city.events, "request_idx")[looks]] = 1
    return looked


def _newest_booking(city: City, closing: int) -> Ints:
    """Return the row of the newest booking of each request before an instant, or -1."""
    made = numbers(city.bookings, "approved_at")
    rows = np.argsort(made, kind="stable")
    rows = rows[made[rows] < closing]
    newest = np.full(city.requests.num_rows, -1, dtype=np.int64)
    newest[numbers(city.bookings, "request_idx")[rows]] = rows
    return newest


def _says(city: City, closing: int) -> tuple[Ints, Ints, Ints]:
    """Return procedure, region and risk that each request carries at an instant."""
    procedure = numbers(city.requests, "procedure_idx").copy()
    risk = numbers(city.requests, "risk").copy()
    region = regions(city.territory, city.requests)
    # By request and instant: the last one before the instant stays.
    done = numbers(city.changes, "at") < closing
    row = numbers(city.changes, "request_idx")[done]
    moved = regions(city.territory, city.changes)
    procedure[row] = numbers(city.changes, "procedure_idx")[done]
    risk[row] = numbers(city.changes, "risk")[done]
    region[row] = moved[done]
    return procedure, region, risk


def regions(territory: Territory, addresses: pa.Table) -> Ints:
    """Return the health region of addresses, as a position in the codes.

    It is that of the real place, where the city wrote an address that tells it.
    """
    own, codes = territory.seat.code, list(territory.region_names)
    names = [
        OUTSIDE if city != own else territory.health_region(ra) if tells else UNIDENTIFIED
        for city, ra, tells in zip(
            *(addresses[name].to_pylist() for name in ("city_ibge6", "ra", "bairro_tells")),
            strict=True,
        )
    ]
    return np.array([codes.index(name) for name in names], dtype=np.int64)


def _in_order(states: Sequence[tuple[Ints, ...]]) -> tuple[Ints, ...]:
    """Put the states of the readings in order; what does not change begins nothing new."""
    request, since, *parts = (np.concatenate(columns) for columns in zip(*states, strict=True))
    order = np.lexsort((np.arange(len(request)), since, request))
    request, since = request[order], since[order]
    last = np.r_[(request[1:] != request[:-1]) | (since[1:] != since[:-1]), True]
    request, since, *parts = (
        request[last],
        since[last],
        *(part[order][last] for part in parts),
    )
    same = np.r_[False, request[1:] == request[:-1]]
    for part in parts:
        same &= np.r_[False, part[1:] == part[:-1]]
    return request[~same], since[~same], *(part[~same] for part in parts)


def cancelled_at(city: City) -> Ints:
    """Return the instant at which each booking was cancelled, or `NEVER`."""
    gone = matches(city.events, "kind", ["cancelamento_agendamento"])
    request, at = (numbers(city.events, name)[gone] for name in ("request_idx", "at"))
    made, of = numbers(city.bookings, "approved_at"), numbers(city.bookings, "request_idx")
    result = np.full(len(made), NEVER, dtype=np.int64)
    for row, when in zip(request.tolist(), at.tolist(), strict=True):
        mine = np.flatnonzero((of == row) & (made < when))
        result[mine[np.argmax(made[mine])]] = when
    return result
