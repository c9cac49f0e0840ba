"""Sentences that say a finding in numbers, written once and filled here and in the browser.

A sentence is a text with places such as `{somado.qtd_oferta_real|n}`: cut, measure, format. Sums
and differences of measures are allowed, and one quotient: `{ultimo.a - anterior.a / anterior.a|p}`
divides the difference. `{ultimo|meses}` are the months of a cut, and `{somado.causas|maior}` is
the name of the largest measure of a list of the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from mapa.site import text

PLACE = re.compile(r"\{([^{}|]+)\|(\w+)\}")
TERM = re.compile(r"([+-]?)\s*(\w+)\.(\w+)")
NONE, TIE = "nenhuma causa", " e "


@dataclass(frozen=True)
class Sentence:
    """A finding: the first of its texts of which every number is known is shown.

    Attributes:
        name: its id on the page.
        texts: from the fullest to the plainest, which has no place: it says that nothing is known.
        of: which of the other cubes of its page it is of; empty: of the page's own.

    """

    name: str
    texts: tuple[str, ...]
    of: str = ""

    def __post_init__(self) -> None:
        """Refuse a sentence that would vanish where nothing is known."""
        if not self.texts or PLACE.search(self.texts[-1]):
            raise ValueError(f"the last text of {self.name} has to say that nothing is known")

    def for_the_browser(self) -> dict[str, object]:
        """Return it as the browser reads it."""
        return {"kind": "sentence", "id": self.name, "texts": self.texts, "of": self.of}


class Summed(Protocol):
    """What sentences speak of: a cube, or the part of one that a page is about."""

    def sums(self, name: str) -> Mapping[str, float | None]:
        """Return the sum of each measure over a cut; None where nothing is known."""

    def period(self, name: str) -> str:
        """Write the months of a cut."""


class Filler:
    """Fills the places of sentences with the numbers of a cube."""

    def __init__(self, cube: Summed, lists: Mapping[str, Mapping[str, str]]) -> None:
        """Take the cube and the page's lists of measures, by name."""
        self.cube = cube
        self.lists = lists
        self._sums: dict[str, Mapping[str, float | None]] = {}

    def fill(self, texts: Sequence[str]) -> str:
        """Return the first text that can be filled, or that what it says is not told."""
        for template in texts:
            filled = [self._place(*found) for found in PLACE.findall(template)]
            if None not in filled:
                words = iter(filled)
                return PLACE.sub(lambda _: str(next(words)), template)  # noqa: B023 - used at once
        return text.UNTOLD

    def value(self, expression: str) -> float | None:
        """Add the measures of an expression up; None when one is not known."""
        total: float = 0
        for sign, cut, measure in TERM.findall(expression):
            found = self._of(cut)[measure]
            if found is None:
                return None
            total += -found if sign == "-" else found
        return total

    def _of(self, cut: str) -> Mapping[str, float | None]:
        if cut not in self._sums:
            self._sums[cut] = self.cube.sums(cut)
        return self._sums[cut]

    def _place(self, expression: str, form: str) -> str | None:
        if form == "meses":
            found = self.cube.period(expression)
            return None if found == text.UNKNOWN else found
        if form == "maior":
            cut, _, name = expression.partition(".")
            return largest(self._of(cut), self.lists[name])
        above, _, below = expression.partition("/")
        part = self.value(above)
        if part is None:
            return None
        if form == "p":
            whole = self.value(below)
            return text.percent(part, whole) if whole else None
        return {"n": text.number, "s": text.signed, "d": difference}[form](part)


def difference(value: float) -> str:
    """Write a difference in words.

    Example:
        >>> difference(12), difference(-1200), difference(0)
        ('12 a mais', '1.200 a menos', 'nem mais nem menos')
    """
    if value == 0:
        return "nem mais nem menos"
    return f"{text.number(abs(value))} a {'mais' if value > 0 else 'menos'}"


def largest(sums: Mapping[str, float | None], names: Mapping[str, str]) -> str | None:
    """Return the name of the largest of some measures; all names of a tie, None when unknown."""
    values = [(name, sums[measure]) for measure, name in names.items()]
    if any(value is None for _, value in values):
        return None
    most = max(value for _, value in values if value is not None)
    return TIE.join(name for name, value in values if value == most) if most > 0 else NONE
