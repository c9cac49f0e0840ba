"""Outlines of the areas that an operator has, drawn instead of tiles.

The file is a GeoJSON of polygons in degrees (RFC 7946), each feature with the property
`area_numero` of `seeds/territorio_areas.csv`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from mapa.errors import ConfigError

NAME = "territorio.geojson"
WIDTH = 1000
"""Of the drawing, in units; a point stands on a whole one, which is all that a screen can show."""
Ring = list[tuple[float, float]]


@dataclass(frozen=True)
class Outline:
    """An area as SVG: its path, and where its number is written."""

    path: str
    x: int
    y: int


@dataclass(frozen=True)
class Outlines:
    """The areas of a file by number, and the size of the drawing that holds them."""

    areas: Mapping[str, Outline]
    width: int
    height: int


def read(path: Path) -> Outlines | None:
    """Read the outlines of a territory; None: there is no such file.

    Raises:
        ConfigError: the file is no such GeoJSON.
    """
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_bytes())
        rings = dict(_features(content["features"]))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        at = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ConfigError(
            f"seeds/{path.name} is no GeoJSON of areas{at}. Expected is a FeatureCollection of "
            "Polygon or MultiPolygon in degrees, each with the property area_numero once.\n"
            "Correct it, or take it away: tiles are drawn without it."
        ) from None
    return _drawn(rings) if rings else None


def _features(features: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[Ring]]]:
    """Yield the rings of each area.

    Raises:
        ValueError: an area comes twice, or is no polygon in degrees.
    """
    seen = set()
    for feature in features:
        area = str(int(feature["properties"]["area_numero"]))
        shape = feature["geometry"]
        polygons = {"Polygon": [shape["coordinates"]], "MultiPolygon": shape["coordinates"]}
        rings = [
            [(float(point[0]), float(point[1])) for point in ring]
            for polygon in polygons[shape["type"]]
            for ring in polygon
        ]
        inside = all(abs(x) <= 180 and abs(y) <= 90 for ring in rings for x, y in ring)
        if area in seen or not inside or not rings or min(map(len, rings)) < 4:
            raise ValueError
        seen.add(area)
        yield area, rings


def _drawn(rings: Mapping[str, list[Ring]]) -> Outlines:
    """Lay degrees out on a plane; true in the middle of a territory of a state's size."""
    points = [point for found in rings.values() for ring in found for point in ring]
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    narrow = math.cos(math.radians((north + south) / 2))
    scale = WIDTH / max((east - west) * narrow, 1e-9)

    def placed(point: tuple[float, float]) -> tuple[int, int]:
        return round((point[0] - west) * narrow * scale), round((north - point[1]) * scale)

    areas = {}
    for area, found in rings.items():
        # The last point of a ring is its first.
        drawn = [[at for at, _ in groupby(map(placed, ring[:-1]))] for ring in found]
        main = max(drawn, key=_surface)
        areas[area] = Outline(
            path="".join(
                "M" + "L".join(f"{x} {y}" for x, y in ring) + "Z" for ring in drawn if len(ring) > 2
            ),
            x=round(sum(x for x, _ in main) / len(main)),
            y=round(sum(y for _, y in main) / len(main)),
        )
    return Outlines(areas, WIDTH, round((north - south) * scale))


def _surface(ring: Sequence[tuple[int, int]]) -> float:
    """Return twice the surface within a ring."""
    after = [*ring[1:], ring[0]]
    return abs(sum(x * v - u * y for (x, y), (u, v) in zip(ring, after, strict=True)))
