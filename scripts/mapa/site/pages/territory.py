"""Território: what the units of each region and area offer, and where its residents are due."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mapa.site import offers, slices, text
from mapa.site.flows import TABLE, flows
from mapa.site.page import Page
from mapa.site.release import NothingToShowError, Release
from mapa.site.tiles import Mosaic

AREAS = """
    select
        cast(t.area_numero as varchar) as area,
        t.area_nome,
        t.regiao_saude_codigo as regiao,
        r.regiao_saude_nome as regiao_nome,
        r.populacao_regiao_saude as populacao,
        r.populacao_ano as ano,
        t.mosaico_linha as linha,
        t.mosaico_coluna as coluna
    from pub_dim_territorio as t
    left join pub_dim_regioes_saude as r using (regiao_saude_codigo)
    order by t.area_numero
"""
WAITING = """
    select t.*, r.regiao_saude_nome as nome, r.populacao_regiao_saude as populacao
    from pub_fila_regioes_por_mes as t
    left join pub_dim_regioes_saude as r using (regiao_saude_codigo)
    where t.competencia = (select max(competencia) from pub_fila_regioes_por_mes)
    order by r.populacao_regiao_saude is null, nome
"""


def pages(release: Release) -> Iterator[Page]:
    """Yield the page on the territory."""
    cube = offers.offer(release)
    areas = {one.code: one for one in slices.slices(cube, "area", "unidade") if one.parts}
    regions = {one.code: one for one in slices.slices(cube, "regiao", "unidade") if one.parts}
    sums = {code: one.sums("somado") for code, one in areas.items()}
    rows: list[dict[str, Any]] = [
        {str(name): None if value != value else value for name, value in row.items()}  # noqa: PLR0124
        for row in release.query(AREAS).astype(object).to_dict("records")
    ]
    of_area = {row["area"]: row for row in rows}
    try:
        waiting = release.records(WAITING)
    except NothingToShowError:
        waiting = []
    of_region = {row["regiao"]: row for row in rows}
    yield Page(
        "territorio.html",
        "Território",
        template="territory.html",
        content={
            "cube": cube,
            "mosaic": Mosaic(
                rows,
                {code: each["qtd_oferta_real"] for code, each in sums.items()},
                release.outlines,
            ),
            "of_area": of_area,
            "of_region": of_region,
            # Those with an offer first: many areas of a territory have no unit at all.
            "area_names": {code: cube.label("area", code) for code, _ in slices.largest_first(sums)}
            | {code: row["area_nome"] for code, row in of_area.items() if code not in areas}
            | {code: n for code, n in cube.dimension("area").labels.items() if code not in areas},
            "region_names": {code: row["regiao_nome"] for code, row in of_region.items()}
            | dict(cube.dimension("regiao").labels),
            "areas": areas,
            "regions": regions,
            "reach": _reach(regions, {code: row["populacao"] for code, row in of_region.items()}),
            "slices": slices,
            "flows": flows(release),
            "flow_table": TABLE,
            "waiting": [
                (row["nome"] or row["regiao_saude_codigo"], row["regiao_saude_codigo"], row)
                for row in waiting
            ],
            "most_waiting": max((row["qtd_aguardando"] or 0 for row in waiting), default=0) or 1,
        },
    )


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
