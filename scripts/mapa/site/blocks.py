"""What stands on a page: figures, charts and tables of a cube, described once.

Each block can be read off the cube here, for a page without JavaScript and a printed one, and
describes itself for the browser, which does the same after each choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mapa.site.cube import MONTH, Cube, known
from mapa.site.sentences import Sentence


@dataclass(frozen=True)
class Figure:
    """One number with its name, a share of another, and the sheet that defines it.

    Attributes:
        name: its id on the page.
        title: what people read above it.
        value: expression of `sentences`.
        note: template of `sentences` below it.
        sign: what stands before it, when figures form a sum.
        sheet: number of its indicator.

    """

    name: str
    title: str
    value: str
    note: str = ""
    sign: str = ""
    sheet: int | None = None


@dataclass(frozen=True)
class Figures:
    """Numbers side by side."""

    name: str
    title: str
    figures: tuple[Figure, ...]

    def for_the_browser(self) -> dict[str, Any]:
        """Return it as the browser reads it."""
        return {
            "kind": "figures",
            "id": self.name,
            "figures": [{"id": f.name, "value": f.value, "note": f.note} for f in self.figures],
        }


@dataclass(frozen=True)
class Part:
    """A part of a bar: its measure, name, colour and, as second code, pattern."""

    measure: str
    name: str
    fill: str


@dataclass(frozen=True)
class Step:
    """A step of a waterfall: what it adds to or takes from the level, or where the level stands."""

    measure: str
    name: str
    fill: str
    kind: str = "less"


@dataclass(frozen=True)
class Chart:
    """Bars of a cube.

    Attributes:
        name: its id on the page.
        title: what people read above it.
        by: dimension of the bars; none for a waterfall or a ranking.
        parts: measures that a bar is made of, or steps of a waterfall.
        cut: of the cube.
        order: measures that say which bars come first, one less the others; none: by the codes.
        top: how many bars at most; 0: all.
        shape: `columns` over months, `bars` by a dimension, `waterfall` or `ranking` of the parts.
        note: template below it.
        unit: what its bars count.
        of: which of the other cubes of its page it is of; empty: of the page's own.

    """

    name: str
    title: str
    parts: tuple[Part | Step, ...]
    by: str = ""
    cut: str = "somado"
    order: tuple[str, ...] = ()
    top: int = 0
    shape: str = "bars"
    note: str = ""
    unit: str = "Vagas"
    of: str = ""

    def rows(self, cube: Cube) -> list[dict[str, Any]]:
        """Return what is drawn: a row for each part of each bar."""
        if self.shape == "waterfall":
            return self._waterfall(cube.sums(self.cut))
        if self.shape == "ranking":
            return self._ranking(cube.sums(self.cut))
        found = first(cube.by(self.cut, [self.by]), self.order, self.top, (self.by,))
        return [
            {
                "bar": cube.label(self.by, row[self.by]),
                "at": at,
                "part": part.name,
                "order": order,
                "value": known(row, part.measure),
            }
            for at, row in enumerate(found)
            for order, part in enumerate(self.parts)
        ]

    def _waterfall(self, sums: Mapping[str, float | None]) -> list[dict[str, Any]]:
        level: float = 0
        rows = []
        for at, step in enumerate(self.parts):
            value = sums[step.measure]
            kind = step.kind if isinstance(step, Step) else "less"
            drawn = value or 0
            start, end = (0, drawn) if kind == "level" else (level, level - drawn)
            level = end
            rows.append(
                {"bar": step.name, "at": at, "from": start, "to": end, "part": step.name,
                 "value": value}
            )  # fmt: skip
        return rows

    def _ranking(self, sums: Mapping[str, float | None]) -> list[dict[str, Any]]:
        # What is not known comes last, and is told as such.
        found = [(part, sums[part.measure]) for part in self.parts]
        ranked = sorted(enumerate(found), key=lambda item: (-(item[1][1] or 0), item[0]))
        return [
            {"bar": part.name, "at": at, "part": part.name, "value": value}
            for at, (_, (part, value)) in enumerate(ranked)
            if value is None or value > 0
        ]

    def for_the_browser(self) -> dict[str, Any]:
        """Return it as the browser reads it."""
        return {
            "kind": "chart",
            "id": self.name,
            "title": self.title,
            "shape": self.shape,
            "by": self.by,
            "cut": self.cut,
            "order": self.order,
            "top": self.top,
            "note": self.note,
            "of": self.of,
            "parts": [
                {"measure": p.measure, "name": p.name, "kind": getattr(p, "kind", "")}
                for p in self.parts
            ],
        }


@dataclass(frozen=True)
class Listing:
    """A table of a cube, added up by some dimensions.

    Attributes:
        name: its id on the page.
        title: its caption.
        keys: dimensions of its rows.
        measures: its columns.
        cut: of the cube.
        order: measures that say which rows come first, one less the others; none: by the codes.
        shown: rows before "show more".
        links: pages that a code of a dimension leads to, with `{}` for the code.
        unlinked: codes that have no page.

    """

    name: str
    title: str
    keys: tuple[str, ...]
    measures: tuple[str, ...]
    cut: str = "somado"
    order: tuple[str, ...] = ()
    shown: int = 15
    links: Mapping[str, str] = field(default_factory=dict)
    unlinked: tuple[str, ...] = ()

    def rows(self, cube: Cube) -> list[dict[str, Any]]:
        """Return all rows, the first to be read first."""
        return first(cube.by(self.cut, self.keys), self.order, 0, self.keys)

    def for_the_browser(self) -> dict[str, Any]:
        """Return it as the browser reads it."""
        return {
            "kind": "listing",
            "id": self.name,
            "title": self.title,
            "keys": self.keys,
            "measures": self.measures,
            "cut": self.cut,
            "order": self.order,
            "shown": self.shown,
            "links": dict(self.links),
            "unlinked": self.unlinked,
        }


Block = Sentence | Figures | Chart | Listing


def first(
    rows: list[dict[str, Any]], order: Sequence[str], top: int, keys: Sequence[str]
) -> list[dict[str, Any]]:
    """Put rows in order: the largest first, what is not known last; ties stay as they come."""
    if order and MONTH not in keys[:1]:
        rows = sorted(rows, key=lambda row: -_weight(row, order))
    return rows[:top] if top else rows


def _weight(row: Mapping[str, Any], order: Sequence[str]) -> float:
    """Return the first measure less the others; what is not known weighs least."""
    values = [row[measure] for measure in order]
    if any(value is None for value in values):
        return float("-inf")
    return float(values[0] - sum(values[1:]))
