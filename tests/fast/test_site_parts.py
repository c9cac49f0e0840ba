"""Data of a page of a large network: by year, in files that a browser takes, none of them lost."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from mapa.site.cube import MONTH, MOST, WHOLE, Cube, Dimension, dumped, numbers, script
from mapa.site.offers import MEASURES

MONTHS = tuple(date(2024 + at // 12, at % 12 + 1, 1) for at in range(30))
UNITS, PROCEDURES, KINDS, OFFERS = 300, 600, 3, 12_000
"""A network like that of the Federal District, with so many rows in each month."""


@pytest.fixture(scope="module")
def large() -> Cube:
    draw = np.random.default_rng(14)
    length = OFFERS * len(MONTHS)
    unit, procedure = draw.integers(0, UNITS, length), draw.integers(0, PROCEDURES, length)
    columns = {
        "regiao": unit % 7,
        "area": unit % 35,
        "unidade": unit,
        "grupo": procedure % 40,
        "procedimento": procedure,
        "tipo": draw.integers(0, KINDS, length),
    }
    texts = {name: values.astype(str) for name, values in columns.items()}
    rows = pd.DataFrame({MONTH: list(MONTHS) * OFFERS} | texts)
    for place, measure in enumerate(MEASURES):
        counts = pd.Series(draw.integers(0, 120, length), dtype="float64")
        # What is not disclosed is null.
        rows[measure] = counts.where(draw.random(length) > 0.1 * (place > 0))
    names = {name: dict.fromkeys(sorted(rows[name].unique()), name) for name in columns}
    dimensions = tuple(Dimension(name, name, labels) for name, labels in names.items())
    return Cube(rows, dimensions, MEASURES, MONTHS[:-3], MONTHS[-3:])


def test_data_of_a_large_network_are_split_by_year_and_stay_small(large: Cube) -> None:
    parts = large.parts()
    assert len({part.name for part in parts}) == len(parts)
    for part in parts:
        file = script("MAPA.part", {"at": 0, **part.content})
        assert len(file.encode()) <= MOST
        assert {str(MONTHS[at].year) for at in part.months} == {part.name.partition("_")[0]}
    assert {part.name.partition("_")[0] for part in parts} == {"2024", "2025", "2026"}
    # Every row stands in one of them: sums and what is not known are those of the cube.
    for measure in MEASURES:
        found = [value for part in parts for value in part.measures[measure]]
        assert len(found) == len(large.rows)
        assert sum(value or 0 for value in found) == large.rows[measure].sum()
        assert found.count(None) == large.rows[measure].isna().sum()
    # What the page itself carries are names alone.
    assert len(dumped(large.for_the_browser())) < WHOLE / 10


def test_few_rows_stay_with_their_page(large: Cube) -> None:
    (part,) = large.only("regiao").parts()
    assert part.name == ""
    assert part.months == list(range(len(MONTHS)))
    assert large.only("regiao").sums("somado") == large.sums("somado")


def test_numbers_are_whole_where_they_are() -> None:
    told = numbers(pd.Series([1, 2.5, None, 1 / 3]))
    assert json.dumps(told) == "[1, 2.5, null, 0.333333]"
    assert numbers(pd.Series([3, None], dtype="Int64")) == [3, None]
