"""Alertas: what should be looked at today."""

from __future__ import annotations

from collections.abc import Iterator

from mapa.site import offers
from mapa.site.blocks import Chart, Figure, Figures, Listing, Part
from mapa.site.cube import MONTH, Cube, Dimension
from mapa.site.page import Page
from mapa.site.release import Release
from mapa.site.sentences import Sentence

MEASURES = {"qtd_alertas": "Alertas", "qtd_vagas": "Vagas em jogo"}
QUERY = f"""
    select
        o.competencia,
        o.regra_codigo as regra,
        o.gravidade_codigo as gravidade,
        {offers.UNIT}, {offers.PROCEDURE},
        1 as qtd_alertas,
        o.qtd_vagas
    from pub_oferta_alertas as o {offers.WITH_UNIT} {offers.WITH_PROCEDURE}
"""
READING = """
## Como ler

Um alerta é convite a conferir, não prova de erro. As vagas em jogo de regras diferentes não se
somam. Escala que vence sem sucessora é oferta que acaba se ninguém a renovar.
"""


def pages(release: Release) -> Iterator[Page]:
    """Yield the page, unless there is nothing to look at."""
    rows = release.query(QUERY)
    if rows.empty:
        return
    severities = offers.codes(release, rows, "gravidade", "gravidade")
    cube = Cube(
        rows=rows,
        dimensions=(
            Dimension("gravidade", "Gravidade", severities),
            Dimension("regra", "Regra", offers.codes(release, rows, "regra", "alerta_regra")),
            *offers.unit_dimensions(rows),
            *offers.procedure_dimensions(rows),
        ),
        measures=MEASURES,
        over=tuple(sorted(rows[MONTH].unique())),
        whole=True,
    )
    yield Page(
        "alertas.html",
        "Alertas",
        content={"reading": READING},
        cube=cube,
        blocks=(
            Sentence(
                "achado",
                (
                    "Há {tudo.qtd_alertas|n} alertas na data de referência.",
                    "Não há alerta conhecido para esta seleção na data de referência.",
                ),
            ),
            Figures("conta", "Quantos", (Figure("v-alertas", "Alertas", "tudo.qtd_alertas"),)),
            Chart(
                "regras",
                "Por regra",
                (Part("qtd_alertas", "Alertas", "#0072B2"),),
                by="regra",
                cut="tudo",
                order=("qtd_alertas",),
            ),
            Listing(
                "tabela",
                "Todos os alertas",
                ("gravidade", "regra", "unidade", "procedimento", MONTH),
                ("qtd_vagas",),
                cut="tudo",
                shown=40,
                links=offers.LINKS,
            ),
        ),
        filters=tuple(dimension.name for dimension in cube.dimensions),
        definitions=release.described("pub_oferta_alertas"),
    )
