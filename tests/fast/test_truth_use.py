"""The judge's own rules on the use of the offer, right where a hand can check them."""

from __future__ import annotations

from datetime import date

import pytest

from mapa_city.truth.alerts import _fall
from mapa_city.truth.hours import Month, Taken, _holding, _of_a_day, last_month
from mapa_city.truth.use import _Booking, _meet, _pairs


@pytest.mark.parametrize(
    ("bookings", "releases", "reused"),
    [
        ([], [5], 0),
        ([5], [5], 0),  # not made after the release
        ([6], [5], 1),
        ([6], [4, 5], 1),  # one booking uses one slot
        ([5, 7], [4, 6], 2),
        ([3, 7], [4, 6], 1),
    ],
)
def test_a_freed_slot_is_used_by_one_later_booking(
    bookings: list[int], releases: list[int], reused: int
) -> None:
    assert _pairs(bookings, releases) == reused


@pytest.mark.parametrize(
    ("offers", "booked", "met", "aside"),
    [
        ({"000": 20}, {"001": 4, "002": 6}, {"000": 10}, {"001": 4, "002": 6}),
        ({"000": 20, "001": 3}, {"001": 4, "002": 6}, {"000": 7, "001": 3}, {"001": 1, "002": 6}),
        ({"000": 2}, {"000": 1, "001": 4}, {"000": 5}, {"001": 4}),
        ({"001": 3}, {"001": 4, "002": 1}, {"001": 4, "002": 1}, {}),
        ({"000": 20, "001": None}, {"001": 4}, {"001": 4}, {}),
        ({"000": None, "001": 0}, {"001": 4}, {"000": 4}, {"001": 4}),
    ],
)
def test_a_member_books_its_own_agenda_and_then_that_of_its_group(
    offers: dict[str, int | None],
    booked: dict[str, int],
    met: dict[str, int],
    aside: dict[str, int],
) -> None:
    def cell(member: str) -> tuple[str, str, str, str]:
        return ("2026-03-01", "0000001", f"0701{member}", "primeira_vez")

    bookings = {
        cell(member): [_Booking("falta", day, 1, "1", -1) for day in range(number)]
        for member, number in booked.items()
    }
    found, beside = _meet(bookings, {cell(member): (real,) for member, real in offers.items()})
    assert {key[2][4:]: len(some) for key, some in found.items()} == met
    assert {key[2][4:]: number for key, number in beside.items()} == aside


def test_a_freed_booking_stays_where_its_procedure_offers_something() -> None:
    home, group = (("2026-03-01", "0000001", f"0701{code}", "retorno") for code in ("001", "000"))
    freed = {home: [_Booking("liberada", 1, 1, "1", 2)]}
    for real, where in ((1, home), (0, group), (None, home)):
        found, beside = _meet(freed, {home: (real,), group: (5,)})
        assert set(found) == {where}
        assert not beside


@pytest.mark.parametrize(
    ("before", "offer", "rule", "lost"),
    [
        ([96, 98, 100, 100, 102, 104], 60, "queda_de_oferta", 40),
        ([96, 98, 100, 100, 102, 104], 90, None, 10),  # far in deviations, near in slots
        ([60, 80, 100, 100, 120, 140], 60, None, 40),  # less than three deviations
        ([10] * 6, 5, "queda_de_oferta", 5),
        ([10] * 6, 6, None, 4),
        ([1, 40, 1, 40, 1, 40], 0, "oferta_desaparecida", 20),
        ([0, 0, 0, 0, 9, 9], 0, None, 0),  # there usually was none
        ([10] * 6, None, None, 0),  # unknown is not zero
    ],
)
def test_falls_by_hand(before: list[int], offer: int | None, rule: str | None, lost: int) -> None:
    assert _fall(before, offer) == (rule, lost)


@pytest.mark.parametrize(
    ("slots", "minutes", "block", "answer"),
    [
        ((4, 2, 1), (15, 20, 30), (480, 720), (7, 130, False)),
        ((4, 0, 0), (15, 0, None), (480, 720), (4, 60, False)),  # no slots need no minutes
        ((4, 0, 0), (0, 0, 0), (480, 720), (4, 240, True)),
        ((None, 2, 0), (15, 15, 0), (480, 720), (2, 240, True)),
        ((4, 0, 0), (None, 0, 0), (480, 480), (4, None, True)),
        ((None, 0, 0), (15, 0, 0), (None, 720), (None, None, True)),
    ],
)
def test_the_minutes_of_a_day(
    slots: tuple[int | None, ...],
    minutes: tuple[int | None, ...],
    block: tuple[int | None, int],
    answer: tuple[int | None, int | None, bool],
) -> None:
    kinds = ("first", "return", "reserve")
    row = {f"{kind}_slots": n for kind, n in zip(kinds, slots, strict=True)}
    row |= {f"minutes_{kind}": n for kind, n in zip(kinds, minutes, strict=True)}
    assert _of_a_day(row | dict(zip(("start_minute", "end_minute"), block, strict=True))) == answer


@pytest.mark.parametrize(
    ("minutes", "contracts", "state"),
    [
        (2641, [10], "acima"),
        (2640, [10], "dentro"),
        (1200, [4, 6], "dentro"),
        (1199, [10], "abaixo"),
        (100, [0], "contrato_sem_horas"),
        (100, [10, None], "horas_desconhecidas"),
        (None, [10], "horas_desconhecidas"),
        (100, [], "sem_contrato"),
    ],
)
def test_the_state_of_the_hours(
    minutes: int | None, contracts: list[int | None], state: str
) -> None:
    parts = {("0701001", "2251"): Taken(1, 0, minutes, None if minutes is None else 0, 0)}
    row = Month(date(2026, 6, 1), "0000001", parts, date(2026, 6, 1), contracts, 20)
    assert row.state == state


def test_a_register_holds_until_the_next_one_and_for_three_months() -> None:
    written = [date(2026, 1, 1), date(2026, 2, 1)]
    held = {month: _holding(written, date(2026, month, 1)) for month in (1, 2, 4, 5)}
    assert held == {1: date(2026, 1, 1), 2: date(2026, 2, 1), 4: date(2026, 2, 1), 5: None}
    assert _holding(written, date(2025, 12, 1)) is None
    assert last_month(date(2026, 6, 29)) == date(2026, 5, 1)
    assert last_month(date(2026, 6, 30)) == date(2026, 6, 1)
