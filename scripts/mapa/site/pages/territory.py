"""Território: what the units of each region and area offer, as a picture and as tables."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mapa.site import offers, slices, text
from mapa.site.page import Page
from mapa.site.release import Release

AREAS = """
    select
        cast(area_numero as varchar) as area,
        area_nome,
        regiao_saude_codigo as regiao,
        regiao_saude_nome as regiao_nome,
        populacao_regiao_saude as populacao,
        populacao_ano as ano,
        mosaico_linha as linha,
        mosaico_coluna as coluna
    from pub_dim_territorio
    order by area_numero
"""
SIDE = 100
"""Of a tile, in units of the drawing."""
SHADES = (("#deebf7", "#000"), ("#9ecae1", "#000"), ("#5aa2d4", "#000"), ("#08519c", "#fff"))
"""Fills from the smallest to the largest offer, each with its text."""
UNTOLD = ("url(#p-nao-divulgada)", "#000")
NONE = ("none", "currentColor")
ZERO = ("#fff", "#000")


@dataclass(frozen=True)
class Tile:
    """A square of the picture: where it stands, what is written on it and how it is filled."""

    area: str
    name: str
    lines: Sequence[str]
    value: str
    x: int
    y: int
    fill: str
    ink: str


def pages(release: Release) -> Iterator[Page]:
    """Yield the page on the territory."""
    cube = offers.offer(release)
    rows = [
        {name: None if value != value else value for name, value in row.items()}  # noqa: PLR0124
        for row in release.query(AREAS).astype(object).to_dict("records")
    ]
    areas = {one.code: one for one in slices.slices(cube, "area", "unidade")}
    regions = {one.code: one for one in slices.slices(cube, "regiao", "unidade")}
    named = {row["regiao"]: row for row in rows}
    real = {code: one.sums("somado")["qtd_oferta_real"] for code, one in areas.items()}
    homes = {row["area"]: row["regiao_nome"] for row in rows}
    steps = _steps([value for value in real.values() if value])
    tiles = [
        Tile(
            area=row["area"],
            name=row["area_nome"],
            lines=_lines(row["area_nome"]),
            value=text.number(real[row["area"]]) if row["area"] in areas else "",
            x=SIDE * (int(row["coluna"]) - 1),
            y=SIDE * (int(row["linha"]) - 1),
            fill=fill,
            ink=ink,
        )
        for row in rows
        if row["linha"] and row["coluna"]
        for fill, ink in [_shade(row["area"], real, steps)]
    ]
    yield Page(
        "territorio.html",
        "Território",
        template="territory.html",
        content={
            "cube": cube,
            "rows": rows,
            "region_names": {row["regiao"]: row["regiao_nome"] for row in rows}
            | dict(cube.dimension("regiao").labels),
            "area_names": [
                *(
                    (code, cube.label("area", code), homes.get(code))
                    for code, _ in slices.largest_first(
                        {code: one.sums("somado") for code, one in areas.items()}
                    )
                ),
                *(
                    (row["area"], row["area_nome"], row["regiao_nome"])
                    for row in rows
                    if row["area"] not in areas
                ),
            ],
            "named": named,
            "areas": areas,
            "regions": regions,
            "reach": _reach(regions, {code: row["populacao"] for code, row in named.items()}),
            "tiles": tiles,
            "size": (
                max((tile.x for tile in tiles), default=0) + SIDE,
                max((tile.y for tile in tiles), default=0) + SIDE,
            ),
            "legend": _legend(steps, areas.keys() & {row["area"] for row in rows}, real, rows),
            "slices": slices,
        },
    )


def _lines(name: str) -> list[str]:
    """Break a name so that it fits a tile."""
    return textwrap.wrap(name.replace("/", "/ "), 14, max_lines=3, placeholder="…")


def _steps(values: Sequence[int]) -> list[tuple[int, int]]:
    """Share offers out among the shades, as many areas to each; equal offers have one shade."""
    ordered = sorted(values)
    if not ordered:
        return []
    ends = [
        ordered[(at + 1) * len(ordered) // len(SHADES) - 1]
        for at in range(len(SHADES))
        if (at + 1) * len(ordered) >= len(SHADES)
    ]
    ends = sorted(set(ends))
    starts = [1, *(end + 1 for end in ends[:-1])]
    return list(zip(starts, ends, strict=True))


def _shades(steps: Sequence[tuple[int, int]]) -> Sequence[tuple[str, str]]:
    """Return as many shades as there are steps, the darkest for the last."""
    return SHADES[len(SHADES) - len(steps) :]


def _shade(
    area: str, real: Mapping[str, int | None], steps: Sequence[tuple[int, int]]
) -> tuple[str, str]:
    """Return fill and ink of an area."""
    if area not in real:
        return NONE
    value = real[area]
    if value is None:
        return UNTOLD
    shades = zip(steps, _shades(steps), strict=True)
    return next((shade for (_, end), shade in shades if 0 < value <= end), ZERO)


def _legend(
    steps: Sequence[tuple[int, int]],
    offering: set[str],
    real: Mapping[str, int | None],
    rows: Sequence[Mapping[str, object]],
) -> list[tuple[str, str]]:
    """Return fills with what they mean, of those that occur."""
    found = [
        (fill, f"{text.number(start)} a {text.number(end)} vagas" if start < end else
         f"{text.number(end)} vagas")
        for (start, end), (fill, _) in zip(steps, _shades(steps), strict=True)
    ]  # fmt: skip
    if any(real[area] == 0 for area in offering):
        found.insert(0, (ZERO[0], "0 vagas"))
    if any(real[area] is None for area in offering):
        found.append((UNTOLD[0], "não divulgada"))
    if len(offering) < len(rows):
        found.append((NONE[0], "sem escala conhecida"))
    return found


def _reach(
    regions: Mapping[str, slices.Slice], people: Mapping[str, int | None]
) -> list[tuple[str, str]]:
    """Return the regions with the least and the most real offer for each person, with the rate."""
    rates = [
        (value / inhabitants, one.cube.label("regiao", code), text.per_thousand(value, inhabitants))
        for code, one in regions.items()
        if (inhabitants := people.get(code))
        and (value := one.sums("somado")["qtd_oferta_real"]) is not None
    ]
    return [(name, rate) for _, name, rate in (min(rates), max(rates))] if len(rates) > 1 else []
