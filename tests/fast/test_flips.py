"""The mutator: each kind of flip, at the right token, never the same SQL, always the same list."""

from __future__ import annotations

import pytest

from mapa_city.bench.flips import apply, mutants, tokens

MODEL = """
with a as (select count(*) as n, -1 as d, x.* from t as x -- where a < 1 and b
)
select
    'it''s' as nome, sum(a.n) as n, case when a.n between 1 and 2 then 'x' else null end as c
from a
left join b on a.n = b.n and b.k is not null
where not exists (select 1 from c) or a.n not in (3) and a.d > 0.5
union all
select distinct nome, true, cast('2026-01-01' as date) from "b = c" where n is null
order by n desc
"""


def flips(sql: str) -> set[str]:
    """Return what the flips of a query turn it into."""
    return {apply(mutant, sql, sql) or "" for mutant in mutants("m", sql)}


@pytest.mark.parametrize(
    ("sql", "flipped"),
    [
        ("a < b", ["a <= b"]),
        ("a >= b", ["a > b"]),
        ("a = b", ["a <> b"]),
        ("a + b", ["a - b"]),
        ("a * b", ["a / b"]),
        ("count(*)", []),
        ("select *", []),
        ("(-x)", []),
        ("x.*", []),
        ("7", ["8"]),
        ("1.5", []),
        ("exists_of (select 1 from t)", []),
        ("count(case a then 1 end)", []),
        ("x(case a then 1 end)", ["x(case a then 2 end)"]),
        ("'x'", ["'x~'"]),
        ("date '2026-01-01'", []),
        ("t left join u", ["t inner join u"]),
        ("t inner join u", ["t left join u"]),
        ("a union all b", ["a union  b"]),
        ("a and b", ["a or b"]),
        ("a or b", ["a and b"]),
        ("a between b and c", []),
        ("a between b and c and d", ["a between b and c or d"]),
        (
            "between b and (c and d) and e",
            ["between b and (c or d) and e", "between b and (c and d) or e"],
        ),
        ("a is null", ["a is not null"]),
        ("a is not null", ["a is  null"]),
        ("a in (b)", ["a not in (b)"]),
        ("a not in (b)", ["a  in (b)"]),
        ("exists (b)", ["not exists (b)"]),
        ("not exists (b)", [" exists (b)"]),
        ("case when a then b end", ["case when not ( a ) then b end"]),
        (
            "case when case when a then b end then c end",
            [
                "case when not ( case when a then b end ) then c end",
                "case when case when not ( a ) then b end then c end",
            ],
        ),
        ("true", ["false"]),
        ("a desc", ["a asc"]),
        ("select distinct a", ["select  a"]),
        ("min(a)", ["max(a)"]),
        ("sum(a)", ["max(a)"]),
        ("min", []),
        ("a -- b < c\n", []),
        ('"a < b"', []),
    ],
)  # fmt: skip
def test_each_kind_of_flip(sql: str, flipped: list[str]) -> None:
    assert flips(sql) == set(flipped)


def test_no_mutant_is_the_model_and_no_two_are_the_same() -> None:
    found = mutants("m", MODEL)
    texts = [apply(mutant, MODEL, MODEL) for mutant in found]
    said = [[token.text for token in tokens(text or "")] for text in texts]
    assert [token.text for token in tokens(MODEL)] not in said
    assert len({*texts}) == len(texts) == len({mutant.key for mutant in found})
    assert {mutant.kind for mutant in found} == {
        *("operator", "constant", "join", "condition", "function"),
    }


def test_the_list_is_the_same_each_time() -> None:
    assert mutants("m", MODEL) == mutants("m", MODEL)


def test_equal_flips_of_equal_lines_are_told_apart() -> None:
    keys = [mutant.key for mutant in mutants("m", "a = 1\n  a = 1\n")]
    assert keys == [
        "m | a = 1 | = -> <> | 1",
        "m | a = 1 | 1 -> 2 | 1",
        "m | a = 1 | = -> <> | 2",
        "m | a = 1 | 1 -> 2 | 2",
    ]


def test_a_mutant_is_found_again_in_what_another_house_makes_of_the_model() -> None:
    model = 'select a\nfrom "mapa"."fila"."t"\nwhere\n    a < 5\n    and b = 1 and c < 5'
    other = "with __dbt__cte__t as (select 5 < 4),\nx as (\n" + model.replace(
        '"mapa"."fila"."t"', "__dbt__cte__t"
    ).replace("c < 5", "d + e + f + g + h > 7")
    less, not_there = (mutant for mutant in mutants("m", model) if mutant.was == "<")
    assert apply(less, model, other) == other.replace("a < 5", "a <= 5")
    assert apply(not_there, model, other) is None


def test_a_mutant_is_found_again_in_a_line_that_is_hardly_more_than_the_reference_day() -> None:
    model = """
        (select r.data_referencia from "mapa"."calendar"."t" as r) + 30 as until,
        cast('2000-01-01' as date) + 2 as since
    """
    other = model.replace('(select r.data_referencia from "mapa"."calendar"."t" as r)', "{}")
    given = "cast('2026-06-30' as date)"
    asked = f"(select r.data_referencia from (select {given} as data_referencia) as r)"
    flipped = {m.was: apply(m, model, other.format(given)) for m in mutants("m", model)}
    assert flipped["30"] == other.format(asked).replace("30 as until", "31 as until")
    assert flipped["2"] == other.format(asked).replace("+ 2", "+ 3")


def test_a_mutant_is_found_again_beside_another_day() -> None:
    model = """
        where a.day <= (select r.day from "mapa"."calendar"."t" as r)
        and a.n = 2
    """
    other = """
        where a.day <= cast('2026-06-30' as date)
        and a.n = 3
    """
    flipped = {m.was: apply(m, model, other) for m in mutants("m", model)}
    assert flipped == {
        "<=": other.replace("<=", "<"),
        "and": other.replace("and", "or"),
        "=": other.replace("a.n =", "a.n <>"),
        "2": None,
    }
