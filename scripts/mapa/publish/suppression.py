"""Which counts of people are hidden, and the proof that nobody can compute them.

An attacker reads everything that is published and knows every sum that must hold: a row adds up, a
total is the sum of its parts, a stock is the one before plus what came minus what went, and a count
that is hidden is at least 1, because zeros are shown. What is left to him is a linear program: the
interval in which a hidden count must lie. `hide` first hides small counts, then further ones, until
each interval is wide enough, and keeps for each count two solutions that prove it.

Sums are known to the attacker up to a constant that he is taken to know as well, so that a sum that
holds only nearly (a request that arrived late) is as strong as one that holds.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import highspy

REACH = 3
"""How far a solution may move a count, in minima. Fewer solutions only make intervals narrower."""
GUESSES = 40
"""Programs with a random aim, each of which widens many intervals at once."""
EXACT = 1e-6


@dataclass(frozen=True)
class Sum:
    """Counts that add up to what everybody knows, each with its sign."""

    cells: tuple[int, ...]
    signs: tuple[int, ...]


@dataclass
class Counts:
    """Everything that is counted, and all that is known of it.

    Attributes:
        values: the true count of each cell, never negative.
        sums: what adds up.
        published: cells that earlier releases show for good.
        withheld: cells that earlier releases hide for good.

    """

    values: list[int] = field(default_factory=list)
    sums: list[Sum] = field(default_factory=list)
    published: set[int] = field(default_factory=set)
    withheld: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Hidden:
    """What is hidden and how well.

    Attributes:
        small: cells that are hidden because they count few.
        complement: cells that are hidden so that the small ones cannot be computed.
        narrowest: the narrowest interval that a hidden cell can be bounded to, or more.
        programs: linear programs that were solved.

    """

    small: frozenset[int]
    complement: frozenset[int]
    narrowest: float
    programs: int


class UnprovableError(Exception):
    """A count can be bounded and nothing is left that could be hidden with it."""

    def __init__(self, cell: int) -> None:
        """Name the cell."""
        super().__init__(cell)
        self.cell = cell


def hide(counts: Counts, minimum: int) -> Hidden:
    """Hide counts below a minimum, and what would tell them.

    The same counts in the same order are hidden the same way.

    Args:
        counts: what is counted and known.
        minimum: the smallest count that is shown, and the width of the narrowest interval.

    Raises:
        UnprovableError: no choice of cells hides everything that must be.
    """
    # Its threads are of the whole process: whoever solved before with more would let ours fail.
    highspy.Highs.resetGlobalScheduler(True)
    return _Search(counts, minimum).run()


class _Search:
    """The choice of what is hidden, step by step."""

    def __init__(self, counts: Counts, minimum: int) -> None:
        self.counts = counts
        self.minimum = minimum
        self.reach = REACH * minimum
        values = counts.values
        self.small = {
            cell
            for cell, value in enumerate(values)
            if 0 < value < minimum and cell not in counts.published
        } | counts.withheld
        self.hidden = set(self.small)
        # A zero that must be hidden may be one; all others are known to be none.
        self.floor = [min(value, 1) for value in values]
        self.sums_of: dict[int, list[int]] = defaultdict(list)
        for number, known in enumerate(counts.sums):
            for cell in known.cells:
                self.sums_of[cell].append(number)
        self.low: dict[int, float] = defaultdict(float)
        self.high: dict[int, float] = defaultdict(float)
        self.programs = 0

    def run(self) -> Hidden:
        self._complete(range(len(self.counts.sums)))
        while narrow := self._unproved():
            self._reinforce(narrow)
        self._show_again()
        return Hidden(
            small=frozenset(self.small),
            complement=frozenset(self.hidden - self.small),
            narrowest=min((self._width(cell) for cell in self.hidden), default=float("inf")),
            programs=self.programs,
        )

    def _unproved(self) -> list[int]:
        """Look for the solutions that are missing; return the cells for which there is none."""
        for cells in self._components(self._narrow()):
            self._widen(cells)
        return self._narrow()

    def _show_again(self) -> None:
        """Show what was hidden early on and no proof needs any more: the largest counts first.

        All that no single sum needs are shown at once. Whatever cannot be proved without them gets
        back the nearest of them, until everything is proved anew.
        """
        spare = set[int]()
        for cell in sorted(self.hidden - self.small, key=lambda c: (-self.counts.values[c], c)):
            self.hidden.remove(cell)
            if any(self._tells(self.counts.sums[number]) for number in self.sums_of[cell]):
                self.hidden.add(cell)
            else:
                spare.add(cell)
        # Solutions that move what is shown now prove nothing.
        self.low.clear()
        self.high.clear()
        while narrow := self._unproved():
            back = {found for cell in narrow if (found := self._nearest(cell, spare)) is not None}
            if not back:
                self._reinforce(narrow)
            self.hidden |= back
            spare -= back

    def _nearest(self, cell: int, spare: set[int]) -> int | None:
        """Return the first of some cells on the way over sums of what is hidden."""
        reached, near = {cell}, [cell]
        while near:
            beside = {
                c for one in near for n in self.sums_of[one] for c in self.counts.sums[n].cells
            } - reached
            if found := beside & spare:
                return min(found, key=lambda c: (self.counts.values[c], c))
            reached |= beside
            near = sorted(beside & self.hidden)
        return None

    def _complete(self, numbers: Iterable[int]) -> None:
        """Leave no sum from which alone a hidden count follows, or nearly."""
        waiting = list(numbers)[::-1]
        while waiting:
            number = waiting.pop()
            while self._tells(self.counts.sums[number]):
                added = self._candidate([number])
                if added is None:
                    break
                self.hidden.add(added)
                waiting.extend(other for other in self.sums_of[added] if other != number)

    def _tells(self, known: Sum) -> bool:
        """Whether one sum bounds its hidden counts by itself."""
        own = [(c, s) for c, s in zip(known.cells, known.signs, strict=True) if c in self.hidden]
        if len(own) <= 1:
            return bool(own)
        if len({sign for _, sign in own}) > 1:
            return False
        return sum(self.counts.values[c] - self.floor[c] for c, _ in own) < self.minimum

    def _candidate(self, numbers: Sequence[int]) -> int | None:
        """Return the count that costs least to hide in some sums: small, and alone nowhere."""
        free = {
            cell
            for number in numbers
            for cell in self.counts.sums[number].cells
            if cell not in self.hidden and cell not in self.counts.published
        }

        def cost(cell: int) -> tuple[bool, int, int, int]:
            alone = sum(
                1
                for number in self.sums_of[cell]
                if number not in numbers and self.hidden.isdisjoint(self.counts.sums[number].cells)
            )
            value = self.counts.values[cell]
            return value == 0, alone, value, cell

        return min(free, key=cost, default=None)

    def _reinforce(self, narrow: Sequence[int]) -> None:
        """Hide one more count beside those that can be bounded."""
        helped: set[int] = set()
        for cell in narrow:
            if not helped.isdisjoint(self.sums_of[cell]):
                continue
            added = self._candidate(self.sums_of[cell])
            if added is None:
                added = self._farther(cell)
            if added is None:
                continue
            self.hidden.add(added)
            helped.update(self.sums_of[added])
            self._complete(self.sums_of[added])
        if not helped:
            raise UnprovableError(narrow[0])

    def _farther(self, cell: int) -> int | None:
        """Return a count to hide in the sums of those that are hidden beside a cell already."""
        near = {c for number in self.sums_of[cell] for c in self.counts.sums[number].cells}
        reached, numbers = set(near), {n for c in near for n in self.sums_of[c]}
        while numbers:
            if (found := self._candidate(sorted(numbers))) is not None:
                return found
            near = {c for n in numbers for c in self.counts.sums[n].cells} - reached
            reached |= near
            numbers = {n for c in near for n in self.sums_of[c]}
        return None

    def _width(self, cell: int) -> float:
        if not self.sums_of[cell]:
            return float("inf")
        return self.high[cell] - self.low[cell]

    def _narrow(self) -> list[int]:
        return [c for c in sorted(self.hidden) if self._width(c) < self.minimum - EXACT]

    def _components(self, seeds: Sequence[int]) -> list[list[int]]:
        """Return the hidden cells that some cells depend on, each group by itself."""
        groups, seen = [], set[int]()
        for seed in seeds:
            if seed in seen:
                continue
            group, waiting = {seed}, [seed]
            while waiting:
                cell = waiting.pop()
                near = (c for n in self.sums_of[cell] for c in self.counts.sums[n].cells)
                for other in near:
                    if other in self.hidden and other not in group:
                        group.add(other)
                        waiting.append(other)
            seen |= group
            groups.append(sorted(group))
        return groups

    def _widen(self, cells: list[int]) -> None:
        """Look for solutions in which the hidden cells of a group move far enough."""
        program = self._program(cells)
        place = {cell: column for column, cell in enumerate(cells)}
        aim, columns = random.Random(0), list(range(len(cells)))  # noqa: S311  # no secret

        def solve(costs: list[float]) -> None:
            program.changeColsCost(len(cells), columns, costs)
            program.run()
            self.programs += 1
            if program.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                return  # no solution, and so no proof
            for cell, moved in zip(cells, program.getSolution().col_value, strict=True):
                self.low[cell] = min(self.low[cell], moved)
                self.high[cell] = max(self.high[cell], moved)

        for _ in range(GUESSES if len(cells) > GUESSES else 0):
            # Those that move far enough already need no more.
            narrow = [self._width(c) < self.minimum - EXACT for c in cells]
            if not any(narrow):
                return
            solve([aim.choice((-1.0, 1.0)) if one else 0.0 for one in narrow])
        for cell in cells:
            for direction in (-1.0, 1.0):
                if self._width(cell) < self.minimum - EXACT:
                    costs = [0.0] * len(cells)
                    costs[place[cell]] = direction
                    solve(costs)

    def _program(self, cells: list[int]) -> highspy.Highs:
        """Return the linear program of a group: how far each count may be from the true one."""
        place = {cell: column for column, cell in enumerate(cells)}
        values = self.counts.values
        low = [float(max(self.floor[c] - values[c], -self.reach)) for c in cells]
        high = [float(self.reach)] * len(cells)
        rows = []
        for number in sorted({n for c in cells for n in self.sums_of[c]}):
            known = self.counts.sums[number]
            terms = zip(known.cells, known.signs, strict=True)
            rows.append([(place[c], float(sign)) for c, sign in terms if c in place])
        return _highs(low, high, rows)


class _Silent(highspy.Highs):
    """The solver without its banner, which it prints while it is made."""

    def enableCallbacks(self) -> None:  # noqa: N802
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()  # type: ignore[no-untyped-call]


def _highs(
    low: list[float], high: list[float], rows: Sequence[Sequence[tuple[int, float]]]
) -> highspy.Highs:
    """Return a silent program with bounded columns, and sparse rows that are zero, without aim."""
    program = _Silent()  # type: ignore[no-untyped-call]
    program.setOptionValue("threads", 1)
    # Only the aim changes from one program to the next, so that the last solution is a start.
    program.setOptionValue("simplex_strategy", 4)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(low), len(rows)
    model.col_cost_, model.col_lower_, model.col_upper_ = [0.0] * len(low), low, high
    model.row_lower_ = model.row_upper_ = [0.0] * len(rows)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = list(accumulate(map(len, rows), initial=0))
    entries = [entry for row in rows for entry in row]
    model.a_matrix_.index_ = [column for column, _ in entries]
    model.a_matrix_.value_ = [sign for _, sign in entries]
    program.passModel(model)
    return program
