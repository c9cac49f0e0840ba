"""What a chart tells of counts that are not known or not disclosed: a dash, never a zero."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from mapa.site.blocks import Chart, Part, Step
from mapa.site.charts import WIDE, drawn
from mapa.site.cube import Cube, Dimension

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
