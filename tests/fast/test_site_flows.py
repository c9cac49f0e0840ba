"""Where residents are due: what is hidden is never zero, what is not known is no other region."""

from __future__ import annotations

from typing import Any

from mapa.site import charts
from mapa.site.blocks import Chart, Part
from mapa.site.flows import Flows, _home

NAMES = {"sul": "Sul", "norte": "Norte", "nao_identificada": "Não identificada"}


def row(home: str, to: str, count: int | None, *, whole: bool = True) -> dict[str, Any]:
    return {
        "casa": home,
        "nome": NAMES[home],
        "destino": to,
        "destino_nome": NAMES[to],
        "qtd": count,
        "eh_inteira": whole,
    }


SOUTH = _home([row("sul", "sul", 60), row("sul", "norte", 30, whole=False)])
NORTH = _home([row("norte", "norte", None, whole=False), row("norte", "nao_identificada", 10)])
LOST = _home([row("nao_identificada", "sul", 100)])


def test_each_home_says_what_is_shown_and_what_is_not() -> None:
    assert [str(c) for c in (SOUTH.own, SOUTH.other, SOUTH.due)] == [
        "60",
        "ao menos 30",
        "ao menos 90",
    ]
    assert SOUTH.most is not None
    assert (SOUTH.most[0], str(SOUTH.most[1])) == ("Norte", "ao menos 30")
    assert [str(c) for c in (NORTH.own, NORTH.other, NORTH.unknown)] == ["–", "0", "10"]
    assert NORTH.most is None
    # Nobody knows whether those whose home is unknown left it.
    assert [str(c) for c in (LOST.own, LOST.other, LOST.unknown)] == ["0", "0", "100"]


def test_the_finding_counts_only_those_whose_home_is_a_region() -> None:
    said = Flows("mai/25", (SOUTH, NORTH, LOST)).said
    assert "100 eram de moradores das regiões de saúde, e 30 (30,0%) deles" in said
    assert "De 90 de moradores de Sul, 30 (33,3%) eram fora dela." in said
    assert "De 50,0% de todos não se sabe onde a pessoa mora." in said
    assert "oculto" in Flows("mai/25", (LOST,)).said


def test_a_drawn_number_keeps_its_thousands() -> None:
    chart = Chart("x", "X", (Part("qtd", "Parte", "#000000"),), shape="ranking")
    rows = [{"bar": "Parte", "at": 0, "part": "Parte", "value": 15853}]
    assert "15.853" in charts.drawn(chart, rows, charts.WIDE)
