"""Hidden counts cannot be computed: small cases by hand, and random tables before an attacker.

The attacker of these tests solves for the counts themselves, not for how far they move, and knows
nothing of how they were hidden.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence

import highspy
import pytest

from mapa.publish.suppression import Counts, Hidden, Sum, UnprovableError, hide

MINIMUM = 5


def interval(counts: Counts, hidden: Collection[int], cell: int) -> tuple[float, float]:
    """What anybody can say of a hidden count, from all that is shown and all that adds up."""
    program = highspy.Highs()  # type: ignore[no-untyped-call]
    program.setOptionValue("output_flag", False)
    place = {}
    for one in sorted(hidden):
        place[one] = program.addVariable(lb=min(counts.values[one], 1), ub=10_000)
    for known in counts.sums:
        terms = list(zip(known.cells, known.signs, strict=True))
        if any(c in place for c, _ in terms):
            shown = sum(s * counts.values[c] for c, s in terms if c not in place)
            true = sum(s * counts.values[c] for c, s in terms)
            program.addConstr(sum(s * place[c] for c, s in terms if c in place) == true - shown)
    bounds = []
    for best in (program.minimize, program.maximize):
        best(place[cell])
        bounds.append(program.variableValue(place[cell]))
    return bounds[0], bounds[1]


def widths(counts: Counts, found: Hidden) -> list[float]:
    hidden = found.small | found.complement
    pairs = [interval(counts, hidden, cell) for cell in sorted(hidden)]
    return [high - low for low, high in pairs]


def table(rows: Sequence[Sequence[int]]) -> Counts:
    """A table with the totals of its rows and columns, cell by cell and then the totals."""
    values = [value for row in rows for value in row]
    width, counts = len(rows[0]), Counts(values)
    lines = [list(range(n * width, (n + 1) * width)) for n in range(len(rows))]
    lines += [list(range(n, len(rows) * width, width)) for n in range(width)]
    for line in lines:
        values.append(sum(values[cell] for cell in line))
        counts.sums.append(Sum((len(values) - 1, *line), (-1, *([1] * len(line)))))
    return counts


def test_what_is_small_is_hidden_and_zero_and_large_are_not() -> None:
    found = hide(Counts([0, 1, 4, 5, 90]), MINIMUM)
    assert found.small == {1, 2}
    assert not found.complement
    assert found.narrowest == float("inf")


def test_a_difference_does_not_bring_a_small_count_back() -> None:
    # 3 of 103: the total less the other is the small one.
    found = hide(Counts([3, 100, 103], [Sum((2, 0, 1), (-1, 1, 1))]), MINIMUM)
    assert found.small == {0}
    assert len(found.complement) == 1


def test_two_small_counts_with_a_small_sum_need_a_third() -> None:
    counts = Counts([1, 2, 60, 63], [Sum((3, 0, 1, 2), (-1, 1, 1, 1))])
    found = hide(counts, MINIMUM)
    assert found.small == {0, 1}
    assert found.complement
    assert min(widths(counts, found)) >= MINIMUM


def test_a_zero_is_hidden_where_nothing_else_could_hide() -> None:
    # 6 = 4 + 2, and nobody else: 2 lies between 1 and 5 unless a zero may be none.
    counts = Counts([6, 4, 2, 0], [Sum((0, 1, 2, 3), (1, -1, -1, 1))], {0})
    found = hide(counts, MINIMUM)
    assert found.complement == {3}
    assert min(widths(counts, found)) >= MINIMUM


def test_what_was_published_is_not_hidden_and_what_was_hidden_is_not_published() -> None:
    counts = Counts([3, 100, 103, 40], [Sum((2, 0, 1), (-1, 1, 1))], {2}, {3})
    found = hide(counts, MINIMUM)
    assert found.small == {0, 3}
    assert found.complement == {1}


def test_a_count_that_nothing_can_hide_is_refused() -> None:
    counts = Counts([3, 100, 103], [Sum((2, 0, 1), (-1, 1, 1))], {1, 2})
    with pytest.raises(UnprovableError) as error:
        hide(counts, MINIMUM)
    assert error.value.cell == 0


def test_what_no_proof_needs_any_more_is_shown_again() -> None:
    # Total after total is hidden before the cells that make it needless.
    counts = table([[0, 16, 2], [1, 16, 14], [7, 6, 4]])
    found = hide(counts, MINIMUM)
    assert found.small == {2, 3, 8}
    assert found.complement == {1, 5, 6, 7}
    assert min(widths(counts, found)) >= MINIMUM - 1e-4


def test_a_solver_of_somebody_else_does_not_spoil_ours() -> None:
    highspy.Highs.resetGlobalScheduler(True)
    other = highspy.Highs()  # type: ignore[no-untyped-call]
    other.setOptionValue("output_flag", False)
    other.minimize(other.addVariable(lb=1, ub=2))
    assert hide(table([[3, 40, 50], [60, 70, 80]]), MINIMUM).complement


@pytest.mark.parametrize("seed", range(12))
def test_no_random_table_tells_a_hidden_count(seed: int) -> None:
    chance = random.Random(seed)
    rows, columns = chance.randint(2, 6), chance.randint(2, 6)
    counts = table(
        [
            [int(chance.expovariate(1 / chance.choice((2, 9)))) for _ in range(columns)]
            for _ in range(rows)
        ]
    )
    found = hide(counts, MINIMUM)
    assert found.small == {c for c, value in enumerate(counts.values) if 0 < value < MINIMUM}
    assert found == hide(counts, MINIMUM)
    assert all(width >= MINIMUM - 1e-4 for width in widths(counts, found))
    assert not found.small or found.narrowest >= MINIMUM - 1e-4


def test_the_attacker_finds_a_complement_that_is_shown_again() -> None:
    counts = table([[3, 40, 50], [60, 70, 80], [90, 100, 110]])
    found = hide(counts, MINIMUM)
    hidden = found.small | found.complement
    assert len(hidden) > 1
    shown_again = hidden - {max(found.complement)}
    assert interval(counts, shown_again, 0) == pytest.approx((3, 3))
