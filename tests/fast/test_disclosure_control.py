"""Counts of people on their way out: what the release before showed or hid stays so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mapa.publish import contents, disclosure, gate, store
from mapa.publish.gate import Cases, Column, People, Table

MONTHS = ("2026-03-01", "2026-04-01", "2026-05-01")
COUNTS = ("qtd_entradas", "qtd_saidas", "qtd_aguardando")
ROWS = {
    # procedure: what came, went and waits at the end of each month
    "a": [(40, 30, 100), (50, 60, 90), (30, 30, 90)],
    "b": [(2, 1, 11), (30, 1, 40), (20, 10, 50)],
    "c": [(0, 0, 60), (0, 20, 40), (10, 0, 50)],
}


def described(name: str, *grain: str, counts: tuple[str, ...] = COUNTS) -> Table:
    stocks = {"qtd_aguardando": (("qtd_entradas", 1), ("qtd_saidas", -1))}
    derived = {"dias_p50": ("qtd_aguardando",)}
    columns = tuple(Column(c, "", "publico") for c in (*grain, *counts, *derived))
    people = People(5, "fila", counts, derived, stocks if len(counts) > 1 else {}, ())
    return Table(name, "fila", "", grain, columns, people=people)


FINE = described("pub_fina", "competencia", "procedimento_codigo")
WHOLE = described("pub_toda", "competencia")


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute("create schema publicacao")
        con.execute(
            "create table publicacao.pub_fina (competencia date, procedimento_codigo varchar, "
            "qtd_entradas bigint, qtd_saidas bigint, qtd_aguardando bigint, dias_p50 double)"
        )
        for code, months in ROWS.items():
            for month, counts in zip(MONTHS, months, strict=True):
                con.execute(
                    "insert into publicacao.pub_fina values (?, ?, ?, ?, ?, 7)",
                    [month, code, *counts],
                )
        con.execute(
            "create view publicacao.pub_toda as select competencia, "
            f"{', '.join(f'cast(sum({c}) as bigint) as {c}' for c in COUNTS)}, "
            "9.0 as dias_p50 from publicacao.pub_fina group by all"
        )
        yield con


def shown(con: duckdb.DuckDBPyConnection, table: str = "pub_fina") -> dict[Any, tuple[Any, ...]]:
    rows = con.execute(f"select * from temp.{table} order by all").fetchall()
    return {(str(row[0]), row[1]): row[2:] for row in rows}


def released(
    con: duckdb.DuckDBPyConnection, folder: Path, last: str, place: str = "temp"
) -> dict[str, Path]:
    """Make what was controlled, or what stands elsewhere, a release, up to a month."""
    folder.mkdir()
    con.execute(f"attach '{folder / store.DATABASE}' as feita")
    for table in ("pub_fina", "pub_toda"):
        con.execute(
            f"create table feita.{table} as select * from {place}.{table} where competencia <= $1",
            [last],
        )
    con.execute("detach feita")
    return {"pub_fina": folder, "pub_toda": folder}


def test_small_counts_and_what_tells_them_are_null_and_so_is_what_is_derived(
    con: duckdb.DuckDBPyConnection,
) -> None:
    places, certificate = disclosure.control(con, [FINE, WHOLE], {})
    assert places == {"pub_fina": "temp.pub_fina", "pub_toda": "temp.pub_toda"}
    assert certificate is not None
    rows = shown(con)
    small = {("2026-03-01", "b"): (0, 1), ("2026-04-01", "b"): (1,)}
    for key, places_hidden in small.items():
        assert all(rows[key][at] is None for at in places_hidden)
    # the small one and at least one other of its sum, in this table or in the whole
    hidden = sum(v is None for row in (*rows.values(),) for v in row[:3])
    assert certificate["small"] == 3
    assert certificate["complement"] > 0
    assert certificate["narrowest_interval"] >= 5
    assert hidden <= certificate["small"] + certificate["complement"]
    for row in rows.values():
        assert (row[3] is None) == (row[2] is None)
    # zero is no secret
    assert rows["2026-03-01", "c"][:2] == (0, 0)


def test_the_same_counts_are_hidden_the_same_way(con: duckdb.DuckDBPyConnection) -> None:
    first = disclosure.control(con, [FINE, WHOLE], {})[1]
    rows = shown(con)
    assert disclosure.control(con, [FINE, WHOLE], {})[1] == first
    assert shown(con) == rows


def test_a_month_that_was_published_stays_as_it_was(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    disclosure.control(con, [FINE, WHOLE], {})
    told = {key: row for key, row in shown(con).items() if key[0] < "2026-05-01"}
    before = released(con, tmp_path / "v1", "2026-04-01")
    # One more came late, one small count grew, and a row came that was not there.
    con.execute("update publicacao.pub_fina set qtd_entradas = qtd_entradas + 7")
    con.execute("insert into publicacao.pub_fina values ('2026-03-01', 'd', 9, 0, 9, 7)")
    _, certificate = disclosure.control(con, [FINE, WHOLE], before)
    assert certificate is not None
    rows = shown(con)
    assert {key: row for key, row in rows.items() if key[0] < "2026-05-01"} == told
    assert rows["2026-05-01", "a"][0] in {37, None}
    assert certificate["revised_cells"] > 0
    assert {t["as_published_until"] for t in certificate["tables"]} == {"2026-04-01"}


def test_without_a_new_month_nothing_is_proved_anew(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    disclosure.control(con, [FINE, WHOLE], {})
    rows = shown(con)
    before = released(con, tmp_path / "v1", "2026-05-01")
    assert disclosure.control(con, [FINE, WHOLE], before)[1] is None
    assert shown(con) == rows


def test_a_month_that_is_no_longer_told_goes(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    disclosure.control(con, [FINE, WHOLE], {})
    before = released(con, tmp_path / "v1", "2026-04-01")
    con.execute("delete from publicacao.pub_fina where competencia = '2026-03-01'")
    disclosure.control(con, [FINE, WHOLE], before)
    assert {month for month, _ in shown(con)} == {"2026-04-01", "2026-05-01"}


def test_other_columns_than_before_are_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    disclosure.control(con, [FINE, WHOLE], {})
    before = released(con, tmp_path / "v1", "2026-04-01")
    con.execute("alter table publicacao.pub_fina rename dias_p50 to dias_p90")
    other = replace(
        FINE, columns=tuple(replace(c, name=c.name.replace("p50", "p90")) for c in FINE.columns)
    )
    said = "pub_fina counts people, and dias_p50, dias_p90 is new or gone"
    with pytest.raises(disclosure.UnhideableError, match=said) as error:
        disclosure.control(con, [other], before)
    assert error.value.subject == "fila"
    # The versions of before are let go, so that the other subjects may go on.
    assert disclosure.control(con, [WHOLE], before)[0] == {"pub_toda": "temp.pub_toda"}


def test_a_count_that_was_given_away_is_refused_without_its_key(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    before = released(con, tmp_path / "v1", "2026-05-01", "publicacao")
    with duckdb.connect(str(tmp_path / "v1" / store.DATABASE)) as version:
        version.execute("update pub_fina set qtd_saidas = null where qtd_saidas = 1")
        version.execute("delete from pub_fina where competencia = '2026-05-01'")
    with pytest.raises(
        disclosure.UnhideableError, match=r"pub_fina\.qtd_saidas: a hidden count"
    ) as error:
        disclosure.control(con, [FINE, WHOLE], before)
    assert error.value.subject == "fila"
    assert "2026" not in str(error.value)
    # What was tried is no obstacle to trying again with less.
    assert disclosure.control(con, [WHOLE], {})[1] is not None


def test_a_month_stands_by_the_version_that_tells_the_latest_whatever_came_after(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    disclosure.control(con, [FINE, WHOLE], {})
    newest = released(con, tmp_path / "v2", "2026-05-01")
    released(con, tmp_path / "v1", "2026-04-01")
    # Two after a rollback: one that tells less, and one in which the people failed.
    released(con, tmp_path / "v3", "2026-04-01")
    (tmp_path / "v4").mkdir()
    with duckdb.connect(str(tmp_path / "v4" / store.DATABASE)) as version:
        version.execute("create table pub_oferta (a int)")
    versions = [tmp_path / name for name in ("v4", "v3", "v2", "v1")]
    assert contents.standing(versions, [FINE, WHOLE]) == newest
    last = {"pub_fina": tmp_path / "v3", "pub_toda": tmp_path / "v3"}
    assert contents.standing([versions[1], versions[3]], [FINE, WHOLE]) == last
    assert contents.standing(versions[:1], [FINE, WHOLE]) == {}
    assert contents.standing(versions, [replace(FINE, people=None)]) == {}


def test_a_count_that_nobody_knows_is_no_cell(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "update publicacao.pub_fina set qtd_entradas = null where procedimento_codigo = 'a'"
    )
    _, certificate = disclosure.control(con, [FINE], {})
    assert certificate is not None
    assert certificate["cells"] == 9 * 3 - 3


def test_zeros_do_not_tell_that_the_same_happened_to_all_of_a_row(
    con: duckdb.DuckDBPyConnection,
) -> None:
    outcomes = ("qtd_devidos", "qtd_vieram", "qtd_faltas", "qtd_sem_registro")
    rows = [("a", 3, 0, 3, 0), ("b", 90, 0, 90, 0), ("c", 40, 20, 20, 0), ("d", 80, 80, 0, 0)]
    rows += [("e", 70, 40, 20, 10), ("f", 0, 0, 0, 0)]
    con.execute(
        "create table publicacao.pub_faltas (competencia date, procedimento_codigo varchar, "
        f"{', '.join(f'{name} bigint' for name in outcomes)}, dias_p50 double)"
    )
    for row in rows:
        con.execute(
            "insert into publicacao.pub_faltas values ('2026-03-01', ?, ?, ?, ?, ?, 7)", row
        )
    table = described("pub_faltas", "competencia", "procedimento_codigo", counts=outcomes)
    assert table.people
    sums = ((("qtd_devidos", -1), *((name, 1) for name in outcomes[1:])),)
    people = replace(table.people, derived={"dias_p50": ("qtd_devidos",)}, sums=sums)
    _, certificate = disclosure.control(con, [replace(table, people=people)], {})
    assert certificate is not None
    told = {code: row[:4] for (_, code), row in shown(con, "pub_faltas").items()}
    assert told["a"] == (None, None, None, None)
    for code, kinds in (("b", (0, 2)), ("d", (1, 2))):
        assert [told[code][1:][place] for place in kinds if place < 3].count(0) == 0
        # the zeros are not told by what is left either
        assert None in {told[code][0], max(told[code][1:], key=lambda value: value or 0)}
    assert told["c"] == (40, 20, 20, 0)
    assert told["e"] == (70, 40, 20, 10)
    assert told["f"] == (0, 0, 0, 0)


def test_nothing_that_counts_people_is_nothing_to_do(con: duckdb.DuckDBPyConnection) -> None:
    assert disclosure.control(con, [], {}) == ({}, None)


SHARED = "pct_no_limite"
SHARES = Table(
    "pub_parcelas",
    "fila",
    "",
    ("competencia", "procedimento_codigo"),
    tuple(
        Column(name, "", "publico")
        for name in (
            "competencia",
            "procedimento_codigo",
            *(f"{SHARED}_{end}" for end in gate.ENDS),
        )
    ),
    people=People(
        5, "parcelas", (), {}, {}, (), {SHARED: "qtd_aguardando"}, Cases("pub_fina", 1, 30)
    ),
)


def shares(con: duckdb.DuckDBPyConnection, rows: list[tuple[Any, ...]]) -> None:
    con.execute(
        "create or replace table publicacao.pub_parcelas (competencia date, "
        "procedimento_codigo varchar, pct_no_limite_minimo double, pct_no_limite_maximo double)"
    )
    con.executemany("insert into publicacao.pub_parcelas values (?, ?, ?, ?)", rows)


@pytest.mark.parametrize(
    ("code", "share", "told"),
    [
        # 90 wait: of ten points, in which nine people fit; of five it would be four and a half.
        ("a", (33.3, 33.3), (30, 40)),
        ("a", (33.3, 47.8), (30, 50)),
        ("a", (30, 30), (30, 40)),
        # The sum of an engine may miss its step by a hair.
        ("a", (29.9999999999, 29.9999999999), (30, 40)),
        # Neither nobody nor all is told.
        ("a", (0, 0), (0, 10)),
        ("a", (100, 100), (90, 100)),
        ("a", (None, None), (None, None)),
        # 50 wait, and 20 points hold ten of them.
        ("b", (33.3, 33.3), (20, 40)),
        ("todos", (33.3, 33.3), (30, 35)),
        ("d", (33.3, 33.3), (None, None)),
    ],
)
def test_a_share_is_told_between_two_percents_that_hold_more_than_a_few(
    con: duckdb.DuckDBPyConnection,
    code: str,
    share: tuple[float | None, ...],
    told: tuple[int | None, ...],
) -> None:
    shares(con, [("2026-05-01", code, *share)])
    con.execute("insert into publicacao.pub_fina values ('2026-05-01', 'd', 9, 0, 29, 7)")
    disclosure.control(con, [FINE, SHARES], {})
    assert shown(con, "pub_parcelas") == {("2026-05-01", code): told}


def test_how_wide_a_share_is_told_tells_nothing_of_what_is_hidden(
    con: duckdb.DuckDBPyConnection,
) -> None:
    assert SHARES.people
    # Who came to `b` in two months: 2, which is hidden, and 58. With them it would be ten points.
    con.execute("update publicacao.pub_fina set qtd_entradas = 58, qtd_aguardando = 68 where "
                "procedimento_codigo = 'b' and competencia = date '2026-04-01'")  # fmt: skip
    people = replace(SHARES.people, shares={SHARED: "qtd_entradas"}, cases=Cases("pub_fina", 2, 30))
    shares(con, [("2026-04-01", "b", 50, 50)])
    disclosure.control(con, [FINE, replace(SHARES, people=people)], {})
    assert [shown(con)[month, "b"][0] for month in MONTHS[:2]] == [None, 58]
    assert shown(con, "pub_parcelas") == {("2026-04-01", "b"): (40, 60)}


def test_a_share_that_was_published_stays_as_it_was(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    shares(con, [("2026-04-01", "a", 33.3, 33.3)])
    disclosure.control(con, [FINE, WHOLE, SHARES], {})
    before = released(con, tmp_path / "v1", "2026-04-01")
    with duckdb.connect(str(before["pub_fina"] / store.DATABASE)) as release:
        release.execute("create table pub_parcelas as select date '2026-04-01' as competencia, "
                        "'a' as procedimento_codigo, 30.0 as pct_no_limite_minimo, "
                        "40.0 as pct_no_limite_maximo")  # fmt: skip
    shares(con, [("2026-04-01", "a", 71.0, 71.0), ("2026-05-01", "a", 71.0, 71.0)])
    disclosure.control(con, [FINE, WHOLE, SHARES], before | {"pub_parcelas": before["pub_fina"]})
    assert shown(con, "pub_parcelas") == {
        ("2026-04-01", "a"): (30, 40),
        ("2026-05-01", "a"): (70, 80),
    }
