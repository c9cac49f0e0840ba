"""Nights with a fault of each kind: good is published, bad is named, nothing is lost."""

from __future__ import annotations

import pytest

from conftest import PROJECT
from mapa_city.bench.nights import WEEK, suite

SHORT = [night for night in WEEK if night.killed or night.name == "healthy"]


@pytest.mark.timeout(1800)
def test_a_night_that_is_killed_while_it_builds_harms_nothing() -> None:
    results = list(suite(PROJECT, SHORT))
    assert [(r.name, r.problem) for r in results if r.problem] == []
    assert [r.name for r in results] == [*(night.name for night in SHORT), "twin"]


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_a_week_of_nights_with_a_fault_of_each_kind_and_kills_at_every_node() -> None:
    results = list(suite(PROJECT, kills=100))
    assert [(r.name, r.problem) for r in results if r.problem] == []
    assert len(results) == len(WEEK) + 1 + 100
