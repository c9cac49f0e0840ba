"""Unidades: what each unit offers, month by month and procedure by procedure."""

from __future__ import annotations

from collections.abc import Iterator

from mapa.site import offers, slices, uses
from mapa.site.page import Page, file_name
from mapa.site.release import Release

SILENT = """
    select coalesce(unidade_nome, $no_name) as nome, unidade_cnes as unidade
    from pub_dim_estabelecimentos
    where unidade_cnes not in (select unidade_executante_cnes from pub_oferta_real_por_mes)
    order by nome, unidade
"""


def pages(release: Release) -> Iterator[Page]:
    """Yield the list of the units, then a page for each that has an offer."""
    cube = offers.offer(release)
    where = cube.rows.drop_duplicates("unidade").set_index("unidade").to_dict("index")
    used = uses.uses(release)
    units = list(slices.slices(cube, "unidade", "procedimento"))
    yield Page(
        "unidades/index.html",
        "Unidades",
        template="list.html",
        content={
            "cube": cube,
            "key": "unidade",
            "by": "regiao",
            "all": units,
            "of": where,
            "leads": "Cada unidade leva à sua página: o que é feito lá",
            "silent": list(
                release.query(SILENT, no_name=offers.NO_NAME).itertuples(index=False, name=None)
            ),
            "slices": slices,
        },
    )
    for unit in units:
        yield Page(
            f"unidades/{file_name(unit.code)}.html",
            cube.label("unidade", unit.code),
            template="unit.html",
            content={
                "slice": unit,
                "place": where[unit.code],
                "slices": slices,
                "use": used.get(unit.code),
                "uses": uses,
            },
        )
