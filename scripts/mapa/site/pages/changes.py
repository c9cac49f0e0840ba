"""Mudanças: what the agenda gained and lost, when it was seen, and why."""

from __future__ import annotations

from collections.abc import Iterator

from mapa.site import offers
from mapa.site.blocks import Chart, Figure, Figures, Listing, Part
from mapa.site.cube import MONTH, Cube, Dimension
from mapa.site.page import Page
from mapa.site.release import Release
from mapa.site.sentences import Sentence

MEASURES = {
    "qtd_programadas_ganhas": "Vagas ganhas",
    "qtd_programadas_perdidas": "Vagas perdidas",
}
PARTS = (
    Part("qtd_programadas_ganhas", "Vagas ganhas", "#0072B2"),
    Part("qtd_programadas_perdidas", "Vagas perdidas", "url(#p-teto)"),
)
QUERY = f"""
    select
        cast(date_trunc('month', o.visto_em) as date) as competencia,
        strftime(o.visto_em, '%Y-%m-%d') as dia,
        o.diario_causa as causa,
        o.vaga_tipo as tipo,
        {offers.UNIT}, {offers.PROCEDURE},
        o.qtd_programadas_ganhas,
        o.qtd_programadas_perdidas
    from pub_oferta_diario as o {offers.WITH_UNIT} {offers.WITH_PROCEDURE}
"""
READING = """
## Como ler

Cada vez que o SISREG é lido, a agenda que ele mostra é comparada com a da leitura anterior. O que
passou a existir é **ganho**, o que deixou de existir é **perda**, e cada mudança tem uma só causa.
O mês é o do dia em que a mudança **foi vista**, não o das vagas. São vagas programadas: o que
afastamentos, teto e PPI retiram está na página *Oferta*.
"""


def pages(release: Release) -> Iterator[Page]:
    """Yield the page, unless the agenda has been seen only once."""
    rows = release.query(QUERY)
    if rows.empty:
        return
    over, ahead = offers.parted(rows[MONTH], release.as_of)
    days = sorted(rows["dia"].unique(), reverse=True)
    cube = Cube(
        rows=rows,
        dimensions=(
            *offers.unit_dimensions(rows),
            *offers.procedure_dimensions(rows),
            Dimension("tipo", "Tipo de vaga", offers.codes(release, rows, "tipo", "vaga_tipo")),
            Dimension("causa", "Causa", offers.codes(release, rows, "causa", "diario_causa")),
            Dimension("dia", "Visto em", {day: f"{day[8:]}/{day[5:7]}/{day[:4]}" for day in days}),
        ),
        measures=MEASURES,
        over=over,
        ahead=ahead,
    )
    yield Page(
        "mudancas.html",
        "Mudanças",
        content={"reading": READING},
        cube=cube,
        blocks=(
            Sentence(
                "achado",
                (
                    "Do que se viu em {somado|meses}, a agenda ganhou "
                    "{somado.qtd_programadas_ganhas|n} vagas e perdeu "
                    "{somado.qtd_programadas_perdidas|n}: saldo de "
                    "{somado.qtd_programadas_ganhas - somado.qtd_programadas_perdidas|s}.",
                    "Em {somado|meses} nenhuma mudança da agenda é conhecida.",
                    "Nenhuma mudança da agenda é conhecida.",
                ),
            ),
            Sentence(
                "mudanca",
                (
                    "Em {ultimo|meses} perderam-se {ultimo.qtd_programadas_perdidas|n} vagas: "
                    "{ultimo.qtd_programadas_perdidas - anterior.qtd_programadas_perdidas|d} que "
                    "em {anterior|meses}.",
                    "Em {ultimo|meses} perderam-se {ultimo.qtd_programadas_perdidas|n} vagas; do "
                    "mês anterior não há perda conhecida.",
                    "Em {ultimo|meses} nenhuma perda de vagas é conhecida.",
                    "O que mudou não é informado: não há mês encerrado nesta seleção.",
                ),
            ),
            Sentence(
                "ano",
                (
                    "No mesmo mês do ano anterior, {ano_antes|meses}, perderam-se "
                    "{ano_antes.qtd_programadas_perdidas|n} vagas: em {ultimo|meses} foram "
                    "{ultimo.qtd_programadas_perdidas - ano_antes.qtd_programadas_perdidas|d}.",
                    "Do mesmo mês do ano anterior nenhuma perda de vagas é conhecida.",
                ),
            ),
            Figures(
                "conta",
                "A conta",
                (
                    Figure("v-ganhas", "Vagas ganhas", "somado.qtd_programadas_ganhas"),
                    Figure("v-perdidas", "Vagas perdidas", "somado.qtd_programadas_perdidas"),
                ),
            ),
            Chart("causas", "Por causa", PARTS, by="causa", order=("qtd_programadas_perdidas",)),
            Chart("meses", "Por mês em que se viu", PARTS, by=MONTH, shape="columns"),
            Chart(
                "unidades",
                "Unidades que mais perderam",
                PARTS,
                by="unidade",
                order=("qtd_programadas_perdidas",),
                top=12,
            ),
            Listing(
                "tabela",
                "Dia, unidade, procedimento e causa",
                ("dia", "unidade", "procedimento", "causa"),
                tuple(MEASURES),
                links=offers.LINKS,
            ),
        ),
        filters=("de", "ate", *(dimension.name for dimension in cube.dimensions)),
        definitions=release.described("pub_oferta_diario"),
    )
