"""A map as a picture of a table: each area is shaded, bears its number and leads to its row.

Areas are squares of one size, or the outlines that an operator has.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mapa.site import text
from mapa.site.outlines import Outlines

SIDE = 100
"""Of a tile, in units of the drawing."""
SHADES = (("#deebf7", "#000"), ("#9ecae1", "#000"), ("#5aa2d4", "#000"), ("#08519c", "#fff"))
"""Fills from the smallest to the largest offer, each with the ink on it."""
ZERO, UNTOLD, NONE = ("#fff", "#000"), ("#ddd", "#000"), ("none", "currentColor")


@dataclass(frozen=True)
class Tile:
    """An area: its shape, what is written on it, in whose middle and how it is filled."""

    area: str
    name: str
    lines: Sequence[str]
    value: str
    path: str
    x: int
    y: int
    fill: str
    ink: str


class Mosaic:
    """The areas that have a place, and those that have none (`outside`)."""

    def __init__(
        self,
        areas: Iterable[Mapping[str, Any]],
        offers: Mapping[str, float | None],
        outlines: Outlines | None = None,
    ) -> None:
        """Take areas with `area`, `area_nome`, `linha`, `coluna`, and the offer of those with any.

        An offer of None is not disclosed; an area that is not named has no schedule.
        """
        self.outlines = outlines
        found = list(areas)
        placed = [area for area in found if self._has_place(area)]
        self.outside = [area["area_nome"] for area in found if area not in placed]
        self.offers = {a["area"]: offers[a["area"]] for a in placed if a["area"] in offers}
        steps = shared(sorted(value for value in self.offers.values() if value))
        self.steps = list(zip(steps, SHADES[len(SHADES) - len(steps) :], strict=True))
        self.tiles = [self._tile(area) for area in placed]
        self.width = outlines.width if outlines else SIDE * _most(placed, "coluna")
        self.height = outlines.height if outlines else SIDE * _most(placed, "linha")

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

    def _has_place(self, area: Mapping[str, Any]) -> bool:
        if self.outlines:
            return area["area"] in self.outlines.areas
        return bool(area["linha"] and area["coluna"])

    def _tile(self, area: Mapping[str, Any]) -> Tile:
        code, name = area["area"], area["area_nome"]
        fill, ink = self._shade(code)
        if self.outlines:
            outline, lines = self.outlines.areas[code], []
            path, x, y = outline.path, outline.x, outline.y
        else:
            left, top = (SIDE * (int(area[part]) - 1) for part in ("coluna", "linha"))
            path = f"M{left + 2} {top + 2}h{SIDE - 4}v{SIDE - 4}h{4 - SIDE}Z"
            x, y = left + SIDE // 2, top + SIDE * 4 // 5
            lines = textwrap.wrap(name.replace("/", "/ "), 14, max_lines=3, placeholder="…")
        return Tile(
            area=code,
            name=name,
            lines=lines,
            value=text.number(self.offers[code]) if code in self.offers else "",
            path=path,
            x=x,
            y=y,
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


def _most(areas: Iterable[Mapping[str, Any]], part: str) -> int:
    """Return the last line or column."""
    return max((int(area[part]) for area in areas), default=0)


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
