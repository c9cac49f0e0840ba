"""The judge's own rules on the use of the offer, right where a hand can check them."""

from __future__ import annotations

import pytest

from mapa.simulate.truth_alerts import _fall
from mapa.simulate.truth_use import _pairs


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
