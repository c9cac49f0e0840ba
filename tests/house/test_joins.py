"""What grows with the square of the data: joins outwards that compare each row with each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from conftest import House
from mapa import dbt_plugin, warehouse

FEW = {
    "int_pessoas__residencias": "the territory's own municipality: one row",
    "int_proadi__eventos": "the events of a programme",
    "proadi_termos_saldo": "the rules of a norm",
}
"""Models whose right side is that small, and why."""


def compared(plan: dict[str, Any]) -> Iterator[str]:
    """Yield the joins outwards of a plan that no hash decides, as DuckDB tells them.

    It hashes equalities of the two sides; with a condition on both, or on the left side alone, it
    compares each row with each.
    """
    told = plan.get("extra_info", {})
    if plan["name"].strip() in ("BLOCKWISE_NL_JOIN", "NESTED_LOOP_JOIN") and told.get(
        "Join Type"
    ) in ("LEFT", "RIGHT", "FULL", "OUTER"):
        yield str(told.get("Condition") or told.get("Conditions"))
    for child in plan.get("children", []):
        yield from compared(child)


def test_no_join_outwards_compares_everything(city_house: House) -> None:
    folder = city_house.settings.dbt_target_path / "compiled"
    models = {
        path.stem: path.read_text()
        for path in folder.glob("mapa/models/**/*.sql")
        if not any(part.endswith(".yml") for part in path.parts)  # a test
    }
    found = dict[str, list[str]]()
    with warehouse.connect(city_house.settings.warehouse, read_only=True) as con:
        con.create_function(dbt_plugin.FUNCTION, lambda text: text, ["VARCHAR"], "VARCHAR")
        for name, sql in models.items():
            row = con.execute(f"explain (format json) {sql}").fetchone()
            assert row is not None
            if joins := [join for plan in json.loads(row[1]) for join in compared(plan)]:
                found[name] = joins
    assert {name: joins for name, joins in found.items() if name not in FEW} == {}
    assert len(models) > 150
    # The check sees such a join where there is one.
    assert "int_pessoas__residencias" in found


def test_the_check_sees_a_condition_on_the_left_side_alone() -> None:
    with duckdb.connect() as con:
        con.execute("create table a as select range as n, range % 2 = 0 as even from range(9)")
        row = con.execute(
            "explain (format json) select * from a left join a as b on a.n = b.n and a.even"
        ).fetchone()
    assert row is not None
    assert [join for plan in json.loads(row[1]) for join in compared(plan)]
