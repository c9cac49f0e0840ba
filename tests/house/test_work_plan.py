"""The work plan of the agreement in the city: what each action is known to be, and what is not."""

from __future__ import annotations

import csv
from datetime import date
from typing import Any

import pytest
from lxml import html

from conftest import PROJECT, House
from mapa import warehouse
from mapa.publish import store
from mapa.site.pages import plan

PLAN = {
    "E1-A1": ("2025-09-30", "documento", "sem_evidencia", None),
    "E1-A2": ("2025-09-30", "carga_cadsus", "sem_evidencia", 0),
    "E1-A3": ("2025-09-30", "documento", "sem_evidencia", None),
    "E2-A1": ("2025-12-31", "espelho_recebido", "sem_evidencia", None),
    "E2-A2": ("2025-12-31", "documento", "sem_evidencia", None),
    "E2-A3": ("2026-06-30", "carga_oferta_api", "no_prazo", 0),
    "E3-A1": ("2026-09-30", "variaveis", "cumprida", "all"),
    "E3-A2": ("2027-06-30", "dicionario", "cumprida", "all"),
    "E3-A3": ("2027-06-30", "camadas", "cumprida", "all"),
    "E3-A4": ("2027-06-30", "paineis", "no_prazo", "some"),
}
"""Term, kind of evidence and situation of each action of the agreement on 30 June 2026, in a city
that asked CadSUS only later, by our clock, and whose offer came in files."""


def test_the_city_shows_what_is_known_of_each_action(city_house: House) -> None:
    with warehouse.connect(city_house.settings.warehouse, read_only=True) as con:
        rows = con.execute(
            "select acao_codigo, cast(data_prazo as varchar), evidencia_tipo, prazo_situacao, "
            "qtd_encontradas, qtd_esperadas, data_evidencia, dias_atraso, data_referencia "
            "from acordo.acordo_acoes"
        ).fetchall()
    assert {code: (due, kind, situation) for code, due, kind, situation, *_ in rows} == {
        code: facts[:3] for code, facts in PLAN.items()
    }
    for code, _, _, situation, found, expected, shown, late, day in rows:
        told = PLAN[code][3]
        assert day == date(2026, 6, 30)
        assert shown == (day if told == "all" else None), code
        assert late == (None if situation == "sem_evidencia" else 0), code
        if told == "all":
            assert found == expected > 0, code
        else:
            assert (found, expected) == ((found or 0) if told == "some" else told, None), code
            assert told != "some" or found > 0, code


def test_nobody_told_yet_what_no_warehouse_can_show() -> None:
    with (PROJECT / "seeds" / "acordo_plano_trabalho.csv").open(encoding="utf-8") as lines:
        plan = list(csv.DictReader(lines))
    assert [row["acao_codigo"] for row in plan] == list(PLAN)
    assert {row["data_informada"] for row in plan} == {""}


# --- the page ------------------------------------------------------------------------------------


def row(**facts: Any) -> dict[str, Any]:
    """Return an action of whose fulfilment nothing is known, but for some facts."""
    return {
        "evidencia_tipo": "documento",
        "prazo_situacao": "sem_evidencia",
        "data_referencia": date(2026, 6, 30),
        "data_evidencia": None,
        "eh_feita_no_banco": False,
        "qtd_encontradas": None,
        "qtd_esperadas": None,
        "data_informada": None,
        "fonte_informada": None,
    } | facts


def test_the_page_says_what_is_published(city_house: House) -> None:
    page = html.parse(city_house.settings.published / store.SITE / "plano.html")
    (finding,) = page.xpath('//p[@id="achado"]/text()')
    assert finding == (
        "Até 30/06/2026, das 10 ações do plano de trabalho, 4 têm evidência e nenhuma tem atraso "
        "comprovado; de 5, cujo prazo terminou, não se sabe se foram cumpridas."
    )
    labels = {"sem_evidencia": "Sem evidência no banco", "cumprida": "Cumprida"}
    told = {
        line.get("id"): [" ".join(cell.text_content().split()) for cell in line.xpath("td")]
        for line in page.xpath('//table[@class="plano"]/tbody/tr')
    }
    assert list(told) == list(PLAN)
    for code, (due, _, situation, _) in PLAN.items():
        assert told[code][:2] == [
            labels.get(situation, "No prazo"),
            f"{date.fromisoformat(due):%d/%m/%Y}",
        ]
        assert told[code][3] == ("30/06/2026 (dia dos dados)" if situation == "cumprida" else "–")
    assert "cidade simulada" in page.xpath('string(//p[@class="aviso"])')


@pytest.mark.parametrize(
    ("facts", "evidence", "day"),
    [
        ({}, "Reunião ou documento não deixa sinal no banco. Nenhum dia foi informado.", "–"),
        (
            {"data_informada": date(2026, 6, 30), "fonte_informada": "Ofício 1/2026"},
            "Reunião ou documento não deixa sinal no banco. Cumprimento informado: Ofício 1/2026.",
            "30/06/2026 (informado)",
        ),
        (
            {"data_informada": date(2026, 7, 1), "fonte_informada": "Ofício 1/2026"},
            "Reunião ou documento não deixa sinal no banco. Nenhum dia foi informado.",
            "–",
        ),
        (
            {"evidencia_tipo": "carga_cadsus", "qtd_encontradas": 0},
            "Nenhum sinal de carga de respostas do CadSUS até 30/06/2026, o que não prova a falta.",
            "–",
        ),
        (
            {
                "evidencia_tipo": "carga_cadsus",
                "qtd_encontradas": 1,
                "data_evidencia": date(2026, 5, 2),
            },
            "1 carga de respostas do CadSUS.",
            "02/05/2026 (primeira carga)",
        ),
        (
            {"evidencia_tipo": "dicionario", "qtd_encontradas": 999, "qtd_esperadas": 1000},
            "999 de 1.000 colunas descritas no dicionário.",
            "–",
        ),
    ],
)
def test_evidence_in_words(facts: dict[str, Any], evidence: str, day: str) -> None:
    assert (plan.evidence(row(**facts)), plan.day(row(**facts))) == (evidence, day)


def test_the_finding_counts_what_is_late_and_what_is_told() -> None:
    late = row(prazo_situacao="em_atraso", qtd_encontradas=0)
    told = row(prazo_situacao="cumprida_com_atraso", data_informada=date(2026, 6, 1))
    assert plan.finding([late, told, told]) == (
        "Até 30/06/2026, das 3 ações do plano de trabalho, 2 têm evidência e 3 têm atraso "
        "comprovado."
    )
