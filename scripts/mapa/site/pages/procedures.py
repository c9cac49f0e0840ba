"""Procedimentos: where each procedure is offered, month by month and unit by unit."""

from __future__ import annotations

from collections.abc import Iterator

from mapa.site import offers, slices, waits
from mapa.site.page import Page, file_name
from mapa.site.release import Release

SIGTAP = "select procedimento_codigo, sigtap_codigo from pub_dim_procedimentos"
REGIONS = """
    select distinct r.regiao_saude_nome
    from pub_dim_territorio
    inner join pub_dim_regioes_saude as r using (regiao_saude_codigo)
    order by 1
"""


def pages(release: Release) -> Iterator[Page]:
    """Yield the list of the procedures, then a page for each that has an offer."""
    cube = offers.offer(release)
    what = cube.rows.drop_duplicates("procedimento").set_index("procedimento").to_dict("index")
    unit = cube.rows.drop_duplicates("unidade").set_index("unidade").to_dict("index")
    sigtap = dict(release.query(SIGTAP).itertuples(index=False, name=None))
    regions = cube.dimension("regiao").labels
    everywhere = list(release.query(REGIONS)["regiao_saude_nome"])
    queues = waits.waits(release)
    procedures = list(slices.slices(cube, "procedimento", "unidade"))
    yield Page(
        "procedimentos/index.html",
        "Procedimentos",
        template="list.html",
        content={
            "cube": cube,
            "key": "procedimento",
            "by": "grupo",
            "all": procedures,
            "of": what,
            "leads": "Cada procedimento leva à sua página: onde é feito",
            "silent": [],
            "slices": slices,
        },
    )
    for each in procedures:
        by_region = {
            region: slices.total(
                sums for code, sums in each.parts.items() if unit[code]["regiao"] == region
            )
            for region in regions
            if any(unit[code]["regiao"] == region for code in each.parts)
        }
        yield Page(
            f"procedimentos/{file_name(each.code)}.html",
            cube.label("procedimento", each.code),
            template="procedure.html",
            content={
                "slice": each,
                "what": what[each.code],
                "sigtap": sigtap.get(each.code),
                "unit": unit,
                "by_region": by_region,
                "absent": [
                    name
                    for name in everywhere
                    if name not in {regions[region] for region in by_region}
                ],
                "slices": slices,
                "wait": queues.get(each.code),
                "waits": waits,
            },
        )
