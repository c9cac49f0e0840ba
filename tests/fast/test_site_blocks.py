"""What blocks tell of counts that are not known or not disclosed: that, and never a zero."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from mapa.site.blocks import Chart, Part, Step
from mapa.site.charts import WIDE, drawn
from mapa.site.cube import Cube, Dimension
from mapa.site.sentences import Filler, Sentence

PARTS = (Part("qtd_a", "A", "#000"), Part("qtd_b", "B", "#111"))
STEPS = (Step("qtd_a", "A", "#000", "level"), Step("qtd_b", "B", "#111"))


@pytest.fixture
def cube() -> Cube:
    """Return a cube in which nobody knows `qtd_b`."""
    rows = pd.DataFrame(
        {
            "competencia": [date(2026, 5, 1), date(2026, 5, 1)],
            "lugar": ["x", "y"],
            "qtd_a": [5, 7],
            "qtd_b": [None, None],
        }
    )
    place = Dimension("lugar", "Lugar", {"x": "X", "y": "Y"})
    return Cube(rows, (place,), {"qtd_a": "A", "qtd_b": "B"}, (date(2026, 5, 1),))


@pytest.mark.parametrize(
    "chart",
    [
        Chart("c", "C", PARTS, by="lugar"),
        Chart("c", "C", PARTS, by="competencia", shape="columns"),
        Chart("c", "C", PARTS, shape="ranking"),
        Chart("c", "C", STEPS, shape="waterfall"),
    ],
    ids=lambda chart: chart.shape,
)
def test_what_is_unknown_is_never_a_zero(cube: Cube, chart: Chart) -> None:
    told = {row["part"]: row["value"] for row in chart.rows(cube)}
    assert told["A"] > 0
    assert told["B"] is None
    svg = drawn(chart, chart.rows(cube), WIDE)
    if chart.shape in ("ranking", "waterfall"):
        assert ">–</text>" in svg


@pytest.mark.parametrize("texts", [(), ("Há {somado.qtd_a|n}.",), ("Nada.", "Em {ultimo|meses}.")])
def test_a_sentence_that_could_vanish_is_refused(texts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="nothing is known"):
        Sentence("achado", texts)


def test_a_sentence_says_what_is_not_known(cube: Cube) -> None:
    filler = Filler(cube, {})
    sentence = Sentence("achado", ("Há {somado.qtd_b|n} vagas.", "Vagas não são conhecidas."))
    assert filler.fill(sentence.texts) == "Vagas não são conhecidas."
    # Notes are single texts.
    assert filler.fill(["em {anterior|meses}"]) == "não informado"
    assert filler.fill(["{somado.qtd_a|n} vagas"]) == "12 vagas"
