"""Qualidade e reconciliação: how far SISREG's own report agrees, and what explains the rest."""

from __future__ import annotations

from collections.abc import Iterator

from mapa.site import offers
from mapa.site.blocks import Chart, Figure, Figures, Listing, Part
from mapa.site.cube import MONTH, Cube, Dimension
from mapa.site.page import Page
from mapa.site.release import Release
from mapa.site.sentences import Sentence

MEASURES = {
    "qtd_celulas": "Células do relatório",
    "qtd_iguais": "Células iguais",
    "qtd_vagas_de_diferenca": "Vagas de diferença",
}
QUERY = """
    select
        o.competencia, o.explicacao, o.qtd_celulas,
        case when o.explicacao = 'igual' then o.qtd_celulas else 0 end as qtd_iguais,
        o.qtd_vagas_de_diferenca
    from pub_oferta_reconciliacao_por_mes as o
"""
READING = """
## Como ler

O relatório OFERTA REAL é do próprio SISREG. Cada uma de suas células é comparada com a deste mapa,
e cada diferença tem uma explicação conhecida ou fica como não explicada. *Decorre de outra* repete
diferenças que já contam na sua parcela.
"""


def pages(release: Release) -> Iterator[Page]:
    """Yield the page, unless no report has been compared."""
    rows = release.query(QUERY)
    if rows.empty:
        return
    over, ahead = offers.parted(rows[MONTH], release.as_of)
    names = offers.codes(release, rows, "explicacao", "reconciliacao_explicacao")
    cube = Cube(
        rows=rows,
        dimensions=(Dimension("explicacao", "Explicação", names),),
        measures=MEASURES,
        over=over,
        ahead=ahead,
    )
    yield Page(
        "qualidade.html",
        "Qualidade e reconciliação",
        content={"reading": READING},
        cube=cube,
        blocks=(
            Sentence(
                "achado",
                (
                    "Em {somado|meses}, {somado.qtd_iguais / somado.qtd_celulas|p} das "
                    "{somado.qtd_celulas|n} células do relatório OFERTA REAL do SISREG são iguais "
                    "às deste mapa.",
                    "Em {somado|meses} nenhuma célula do relatório OFERTA REAL foi comparada.",
                    "Nenhuma célula do relatório OFERTA REAL foi comparada.",
                ),
            ),
            Figures(
                "conta",
                "A conta",
                (
                    Figure("v-celulas", "Células comparadas", "somado.qtd_celulas", sheet=65),
                    Figure("v-iguais", "Células iguais", "somado.qtd_iguais", sheet=65),
                ),
            ),
            Chart(
                "explicacoes",
                "O que explica cada célula",
                (Part("qtd_celulas", "Células", "#0072B2"),),
                by="explicacao",
                order=("qtd_celulas",),
            ),
            Listing(
                "tabela",
                "Meses e explicações",
                (MONTH, "explicacao"),
                ("qtd_celulas", "qtd_vagas_de_diferenca"),
                shown=40,
            ),
        ),
        filters=("de", "ate"),
        definitions=release.described("pub_oferta_reconciliacao_por_mes"),
    )
