"""A tile map: every area is a square of one size, shaded by what its units offer.

It is a picture of a table: each tile bears its number, and leads to its row.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mapa.site import text

SIDE = 100
"""Of a tile, in units of the drawing."""
SHADES = (("#deebf7", "#000"), ("#9ecae1", "#000"), ("#5aa2d4", "#000"), ("#08519c", "#fff"))
"""Fills from the smallest to the largest offer, each with the ink on it."""
ZERO, UNTOLD, NONE = ("#fff", "#000"), ("#ddd", "#000"), ("none", "currentColor")


@dataclass(frozen=True)
class Tile:
    """A square: where it stands, what is written on it and how it is filled."""

    area: str
    name: str
    lines: Sequence[str]
    value: str
    x: int
    y: int
    fill: str
    ink: str


class Mosaic:
    """The tiles of the areas that have a place."""

    def __init__(
        self, areas: Iterable[Mapping[str, Any]], offers: Mapping[str, float | None]
    ) -> None:
        """Take areas with `area`, `area_nome`, `linha`, `coluna`, and the offer of those with any.

        An offer of None is not disclosed; an area that is not named has no schedule.
        """
        placed = [area for area in areas if area["linha"] and area["coluna"]]
        self.offers = {a["area"]: offers[a["area"]] for a in placed if a["area"] in offers}
        steps = shared(sorted(value for value in self.offers.values() if value))
        self.steps = list(zip(steps, SHADES[len(SHADES) - len(steps) :], strict=True))
        self.tiles = [self._tile(area) for area in placed]
        self.width = max((tile.x for tile in self.tiles), default=0) + SIDE
        self.height = max((tile.y for tile in self.tiles), default=0) + SIDE

    def legend(self) -> list[tuple[str, str]]:
        """Return each fill that occurs with what it means."""
        found = []
        if 0 in self.offers.values():
            found.append((ZERO[0], "0 vagas"))
        for (first, last), (fill, _) in self.steps:
            start = f"{text.number(first)} a " if first < last else ""
            found.append((fill, f"{start}{text.number(last)} vagas"))
        if None in self.offers.values():
            found.append((UNTOLD[0], "não divulgada"))
        if len(self.offers) < len(self.tiles):
            found.append((NONE[0], "sem escala conhecida"))
        return found

    def _tile(self, area: Mapping[str, Any]) -> Tile:
        code, name = area["area"], area["area_nome"]
        fill, ink = self._shade(code)
        return Tile(
            area=code,
            name=name,
            lines=textwrap.wrap(name.replace("/", "/ "), 14, max_lines=3, placeholder="…"),
            value=text.number(self.offers[code]) if code in self.offers else "",
            x=SIDE * (int(area["coluna"]) - 1),
            y=SIDE * (int(area["linha"]) - 1),
            fill=fill,
            ink=ink,
        )

    def _shade(self, code: str) -> tuple[str, str]:
        if code not in self.offers:
            return NONE
        value = self.offers[code]
        if value is None:
            return UNTOLD
        return next((shade for (_, last), shade in self.steps if 0 < value <= last), ZERO)


def shared(ordered: Sequence[float]) -> list[tuple[float, float]]:
    """Share offers out among the shades, as many areas to each; equal offers stay together.

    Example:
        >>> shared([3, 5, 5, 8, 9, 20, 31, 40])
        [(1, 5), (6, 8), (9, 20), (21, 40)]
    """
    parts = min(len(SHADES), len(ordered))
    lasts = sorted({ordered[at * len(ordered) // parts - 1] for at in range(1, parts + 1)})
    firsts: list[float] = [1, *(last + 1 for last in lasts)][: len(lasts)]
    return list(zip(firsts, lasts, strict=True))
