"""Where a column comes from, and where a link leads."""

from __future__ import annotations

from pathlib import Path

import pytest

from mapa.site.lineage import Lineage
from site_links import Site

SQL: dict[str, tuple[str, dict[str, set[str]]]] = {
    "alias": ("select a.x + 1 as z from s.a", {"z": {"x"}}),
    "star": ("select * exclude (x) from s.a", {"y": {"y"}}),
    "star of one": ("select b.*, a.x as w from s.a join s.a as b using (x)",
                    {"x": {"x"}, "y": {"y"}, "w": {"x"}}),
    "common table": ("with c(p) as (select y from s.a), d as (select p from c) select p from d",
                     {"p": {"y"}}),
    "union": ("select x as p from s.a union all select y from s.a", {"p": {"x", "y"}}),
    "window": ("select row_number() over (partition by x order by y) as n from s.a",
               {"n": {"x", "y"}}),
    "case": ("select case when x > 0 then y end as k from s.a", {"k": {"x", "y"}}),
    "filter of rows": ("select x from s.a where y > 0", {"x": {"x"}}),
    "own alias": ("select x as p, p + 1 as q from s.a", {"p": {"x"}, "q": {"x"}}),
    "within": ("select (select max(b.y) from s.a as b where b.x = a.x) as m from s.a",
               {"m": {"y"}}),
    "derived": ("select t.p from (select y as p from s.a) as t", {"p": {"y"}}),
    "values": ("select n, x from s.a cross join (values (1), (2)) as v(n)",
               {"n": set(), "x": {"x"}}),
    "rows": ("select count(*) as n from s.a", {"n": set()}),
    "a list": ("select list_transform([x], e -> e + y) as l from s.a", {"l": {"x", "y"}}),
}  # fmt: skip


@pytest.mark.parametrize("case", SQL)
def test_what_a_value_is_computed_of(case: str) -> None:
    sql, expected = SQL[case]
    source = {"unique_id": "source.a", "resource_type": "source", "schema": "s", "identifier": "a",
              "columns": {"x": {}, "y": {}}}  # fmt: skip
    model = {"unique_id": "model.m", "resource_type": "model", "schema": "s", "alias": "m",
             "columns": {}, "compiled_code": sql}  # fmt: skip
    lineage = Lineage({"nodes": {"model.m": model}, "sources": {"source.a": source}})
    found = lineage._models["model.m"]
    assert {name: {of for _, of in fields} for name, fields in found.items()} == expected


def test_sql_that_the_parser_does_not_know_has_no_lineage() -> None:
    model = {"unique_id": "model.m", "resource_type": "model", "schema": "s", "alias": "m",
             "columns": {"x": {}}, "compiled_code": "selekt x"}  # fmt: skip
    lineage = Lineage({"nodes": {"model.m": model}, "sources": {}})
    assert lineage.far("model.m", "x") == frozenset()


def test_the_link_checker_sees_what_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<p id="x"></p><a href="b.html#y">1</a><a href="b.html#z">2</a><a href="#x">3</a>'
        '<a href="#w">4</a><img src="c.png"><a href="b.html#de=2026-01">5</a>'
        '<a href="http://example.org">6</a><a href="javascript:x()">7</a>'
    )
    (tmp_path / "b.html").write_text('<p id="y" style="top:0" onclick="x()"></p><p id="y"></p>')
    site = Site(tmp_path)
    links = ["#w", "b.html#z", "c.png", "http://example.org", "javascript:x()"]
    assert site.broken() == [f"a.html: {link}" for link in links]
    assert site.forbidden() == [
        "b.html: style of <p>",
        "b.html: onclick of <p>",
        "b.html: id y twice",
    ]
