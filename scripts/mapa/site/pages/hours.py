"""Horas: the hours that units offer beside those that they have contracted."""

from __future__ import annotations

from collections.abc import Iterator

from mapa.site import offers
from mapa.site.blocks import Chart, Figure, Figures, Listing, Part
from mapa.site.cube import MONTH, Cube
from mapa.site.page import Page
from mapa.site.release import Release
from mapa.site.sentences import Sentence

MEASURES = {
    "horas_ofertadas": "Horas ofertadas",
    "horas_contratadas": "Horas contratadas",
}
PARTS = (
    Part("horas_ofertadas", "Horas ofertadas", "#0072B2"),
    Part("horas_nao_ofertadas", "Contratadas e não ofertadas", "url(#p-feriado)"),
)
QUERY = f"""
    select
        o.competencia, {offers.UNIT},
        o.horas_ofertadas,
        o.horas_contratadas,
        -- greatest() passes over what is unknown
        case when o.horas_contratadas > o.horas_ofertadas
            then o.horas_contratadas - o.horas_ofertadas
            when o.horas_contratadas <= o.horas_ofertadas then 0 end as horas_nao_ofertadas
    from pub_oferta_horas_por_mes as o {offers.WITH_UNIT}
"""
READING = """
## Como ler

Compara só os profissionais de quem se conhecem as duas horas: a da agenda no SISREG e a contratada
no CNES, nos dias úteis do mês. Mais de 100% é erro de cadastro, agenda além do contrato ou agenda
concentrada em poucos dias da semana: convém conferir antes de concluir. Onde poucos profissionais
atendem, as horas não são divulgadas e aparecem como “–”.
"""


def pages(release: Release) -> Iterator[Page]:
    """Yield the page, unless no hours are known."""
    rows = release.query(QUERY)
    if rows.empty:
        return
    over, ahead = offers.parted(rows[MONTH], release.as_of)
    cube = Cube(
        rows=rows,
        dimensions=offers.unit_dimensions(rows),
        measures=MEASURES | {"horas_nao_ofertadas": "Contratadas e não ofertadas"},
        over=over,
        ahead=ahead,
    )
    yield Page(
        "horas.html",
        "Horas",
        content={"reading": READING},
        cube=cube,
        blocks=(
            Sentence(
                "achado",
                (
                    "Em {somado|meses}, as unidades de que se divulgam as horas ofertaram "
                    "{somado.horas_ofertadas|n} horas, "
                    "{somado.horas_ofertadas / somado.horas_contratadas|p} das "
                    "{somado.horas_contratadas|n} contratadas.",
                    "Em {somado|meses} nenhuma hora é conhecida ou pode ser divulgada aqui.",
                    "Nenhuma hora é conhecida ou pode ser divulgada aqui.",
                ),
            ),
            Sentence(
                "mudanca",
                (
                    "Em {ultimo|meses} foram "
                    "{ultimo.horas_ofertadas / ultimo.horas_contratadas|p}; em {anterior|meses}, "
                    "{anterior.horas_ofertadas / anterior.horas_contratadas|p}.",
                    "Em {ultimo|meses} foram "
                    "{ultimo.horas_ofertadas / ultimo.horas_contratadas|p}; do mês anterior não "
                    "são conhecidas ou não podem ser divulgadas.",
                    "O que mudou não é informado: do último mês encerrado as horas não são "
                    "conhecidas ou não podem ser divulgadas.",
                ),
            ),
            Sentence(
                "ano",
                (
                    "No mesmo mês do ano anterior, {ano_antes|meses}, foram "
                    "{ano_antes.horas_ofertadas / ano_antes.horas_contratadas|p}.",
                    "Do mesmo mês do ano anterior as horas não são conhecidas ou não podem ser "
                    "divulgadas.",
                ),
            ),
            Figures(
                "conta",
                "A conta",
                (
                    Figure("v-ofertadas", "Horas ofertadas", "somado.horas_ofertadas", sheet=11),
                    Figure(
                        "v-contratadas", "Horas contratadas", "somado.horas_contratadas", sheet=11
                    ),
                ),
            ),
            Chart("meses", "Mês a mês", PARTS, by=MONTH, shape="columns"),
            Chart(
                "unidades",
                "Unidades com mais horas contratadas e não ofertadas",
                PARTS,
                by="unidade",
                order=("horas_nao_ofertadas",),
                top=12,
            ),
            Listing(
                "tabela",
                "Unidades e meses",
                ("unidade", MONTH),
                tuple(MEASURES),
                links=offers.LINKS,
            ),
        ),
        filters=("de", "ate", *(dimension.name for dimension in cube.dimensions)),
        definitions=release.described("pub_oferta_horas_por_mes"),
    )
