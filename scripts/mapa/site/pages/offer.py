"""Oferta: where the slots of each month go, by region, unit and procedure."""

from __future__ import annotations

from collections.abc import Iterator

from mapa.site import offers
from mapa.site.blocks import Block, Chart, Figure, Figures, Listing, Step
from mapa.site.cube import MONTH
from mapa.site.page import Page
from mapa.site.release import Release
from mapa.site.sentences import Sentence

SUM = Figures(
    "soma",
    "A conta",
    (
        Figure(
            "v-total",
            "Oferta total",
            "somado.qtd_vagas_total",
            "vagas das escalas, {somado|meses}",
            sheet=1,
        ),
        Figure(
            "v-bloqueada",
            "Bloqueada",
            "somado.qtd_vagas_bloqueadas_feriado + somado.qtd_vagas_bloqueadas_afastamento",
            "feriados e afastamentos",
            "−",
            2,
        ),
        Figure(
            "v-nao-divulgada",
            "Não divulgada",
            "somado.qtd_vagas_nao_divulgadas",
            "diria quem faltou",
            "−",
        ),
        Figure("v-ativa", "Ativa", "somado.qtd_vagas_ativas", "o que resta", "=", 3),
        Figure(
            "v-teto",
            "Perdida por teto",
            "somado.qtd_vagas_perdidas_teto",
            "limite da unidade",
            "−",
            5,
        ),
        Figure(
            "v-ppi", "Perdida por PPI", "somado.qtd_vagas_perdidas_ppi", "limite da central", "−", 5
        ),
        Figure(
            "v-real",
            "Oferta real",
            "somado.qtd_oferta_real",
            "o que pôde ser marcado",
            "=",
            4,
        ),
    ),
)
BLOCKS: tuple[Block, ...] = (
    *offers.FINDINGS,
    SUM,
    Chart("cascata", "Da oferta total à oferta real", offers.STEPS, shape="waterfall"),
    Chart(
        "causas",
        "O que retirou vagas: todas as causas juntas",
        tuple(part for part in offers.PARTS[1:5]),
        shape="ranking",
        note="Uma vaga com mais de uma causa conta uma vez, na primeira desta ordem: feriado, "
        "afastamento, teto, PPI.",
    ),
    Chart("meses", "Mês a mês", offers.PARTS, by=MONTH, shape="columns"),
    Chart(
        "programado",
        "Programada: meses em curso ou por vir, fora das somas",
        offers.PARTS,
        by=MONTH,
        cut="previsto",
        shape="columns",
    ),
    Chart("regioes", "Por região de saúde da unidade", offers.PARTS, by="regiao",
          order=("qtd_vagas_total",)),
    Chart("areas", "Por região administrativa da unidade", offers.PARTS, by="area",
          order=("qtd_vagas_total",), top=12),
    Chart("tipos", "Por tipo de vaga", offers.PARTS, by="tipo"),
    Chart("grupos", "Por grupo de procedimentos, primeiro o que mais perde", offers.PARTS,
          by="grupo", order=offers.LOSSES, top=12),
    Chart("unidades", "Unidades que mais perdem vagas", offers.PARTS, by="unidade",
          order=offers.LOSSES, top=12),
    Listing(
        "tabela",
        "Unidades e procedimentos, primeiro onde mais vagas se perdem",
        ("regiao", "unidade", "procedimento"),
        tuple(name for name in offers.MEASURES if name != "qtd_vagas_sem_limite"),
        order=offers.LOSSES,
        links=offers.LINKS,
    ),
)  # fmt: skip
USED = "uso"
USE: tuple[Block, ...] = (
    Sentence(
        "atendimento",
        (
            "Nas unidades e meses em que se divulgam por inteiro a oferta e o seu uso, "
            "{somado|meses}, de {somado.uso_oferta_real|n} vagas reais {somado.uso_devidas|n} "
            "({somado.uso_devidas / somado.uso_oferta_real|p}) foram marcadas e não canceladas, e "
            "{somado.uso_atendidas|n} ({somado.uso_atendidas / somado.uso_oferta_real|p}) "
            "atendidas.",
            "Quantas vagas foram marcadas e atendidas está oculto ou não se divulga nesta "
            "seleção, o que não é zero.",
        ),
        of=USED,
    ),
    Chart(
        "uso",
        "Da oferta real ao atendimento, onde se divulga",
        (
            Step("uso_oferta_real", "Oferta real", "#0072B2", "level"),
            Step("uso_devidas", "Marcadas e não canceladas", "#56B4E9", "level"),
            Step(
                "uso_sem_atendimento", "− Faltas e sem confirmação", "url(#p-nao-divulgada)"
            ),
            Step("uso_atendidas", "= Atendidas", "#009E73", "level"),
        ),
        shape="waterfall",
        of=USED,
        note="Só de meses encerrados há um mês e das unidades de que, no mês, nada está oculto. "
        "Por procedimento e tipo de vaga não se divulga. Marcadas podem passar das reais, e sem "
        "confirmação não é falta.",
    ),
)  # fmt: skip
"""What became of the real offer, where that is published."""
READING = """
## Como ler

A **oferta total** são as vagas de todas as escalas válidas. Dela saem as vagas **bloqueadas** por
feriado ou afastamento; o que resta é a oferta **ativa**. O **teto** limita cada unidade e a **PPI**
(programação pactuada entre municípios) limita a central inteira; a **oferta real** é o que sobra e
pode de fato ser marcado.

O afastamento é o da unidade ou o do profissional, somados no mês: por dia ele não é divulgado onde
poucos profissionais atendem, porque diria quem faltou. Onde nem o mês pode ser divulgado, as vagas
aparecem como **não divulgadas**, o que não é zero e não diz que houve afastamento.

Onde PPI e teto *não foram informados*, a oferta real é igual à ativa por falta de limite conhecido.
As somas contam só **meses encerrados**; o mês em curso e os que virão são oferta programada, que
ainda muda. A região é a da unidade que atende.
"""


def pages(release: Release) -> Iterator[Page]:
    """Yield the page on the offer."""
    use = offers.use(release)
    at = next(at for at, block in enumerate(BLOCKS) if isinstance(block, Chart)) + 1
    yield Page(
        "oferta.html",
        "Oferta",
        content={"reading": READING},
        cube=offers.offer(release),
        others={USED: use} if use else {},
        blocks=(*BLOCKS[:at], *(USE if use else ()), *BLOCKS[at:]),
        filters=("de", "ate", *(d.name for d in offers.offer(release).dimensions)),
        lists={"causas": offers.CAUSES},
        definitions=release.described("pub_oferta_real_por_mes"),
    )
