"""The panels: the numbers are those of the published file, and nothing else is read."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from click.testing import CliRunner

from conftest import House, environment
from mapa.commands.panels import panels as command
from mapa.errors import PortError, PublishError
from mapa.panels import figures, grid, style
from mapa.panels.data import MEASURES, between, newest
from mapa.publish import store


@pytest.fixture
def published(city_house: House, tmp_path: Path) -> Path:
    """Return a copy of the published files where there is no warehouse at all."""
    copy = tmp_path / "published"
    shutil.copytree(city_house.settings.published, copy, symlinks=True)
    return copy


@pytest.fixture
def rows(published: Path) -> pd.DataFrame:
    return between(published)


@pytest.fixture
def empty_house(tmp_path: Path) -> Iterator[None]:
    with environment({"MAPA_DIR": str(tmp_path)}):
        yield


def drawn(figure: Any, data_frame: pd.DataFrame, **arguments: Any) -> Any:
    """Call what a Vizro figure wraps."""
    return figure.__wrapped__(data_frame=data_frame, **arguments)


def values(figure: Any, name: str, axis: str) -> list[float]:
    """Return the numbers that one part draws."""
    trace = next(t for t in figure.data if t.name == name and t.legend != "legend2")
    return [float(v) for v in trace[axis]]


def test_numbers_read_as_in_brazil() -> None:
    assert style.number(1234567) == "1.234.567"
    assert style.number(0) == "0"
    assert style.percent(1, 8) == "12,5%"
    assert style.percent(0, 0) == "–"
    assert style.month_label(date(2026, 6, 1)) == "jun/26"
    assert style.day(date(2026, 6, 30)) == "30/06/2026"


def test_the_selected_months_are_those_of_the_file(published: Path) -> None:
    offer = newest(published)
    first, last = offer.default_months
    assert last <= offer.as_of
    with duckdb.connect(str((published / store.DATABASE).resolve()), read_only=True) as con:
        expected = con.execute(
            f"select {', '.join(f'sum({m})' for m in MEASURES)} from pub_oferta_real_por_mes "
            "where competencia between $1 and $2",
            [first, last],
        ).fetchall()[0]
    for arguments in ((), (str(first), str(last)), (str(last), str(first))):
        found = between(published, *arguments)
        assert tuple(int(found[m].sum()) for m in MEASURES) == tuple(map(int, expected))


def test_the_page_shows_what_really_happened_in_the_city(city_house: House) -> None:
    truth = city_house.truth["oferta_real_por_mes"]
    expected = pd.DataFrame(truth["linhas"], columns=truth["chave"] + truth["colunas"])
    months = newest(city_house.settings.published).rows
    found = months.assign(competencia=months["competencia"].astype(str))
    for frame in (expected, found):
        frame[list(MEASURES)] = frame[list(MEASURES)].astype("Float64")
    keys = ["competencia"]
    pd.testing.assert_frame_equal(
        found.groupby(keys)[list(MEASURES)].sum(), expected.groupby(keys)[list(MEASURES)].sum()
    )


def test_a_new_version_is_seen_without_a_restart(published: Path) -> None:
    before = newest(published)
    new = published / "versions" / "99990101T000000Z-00000000"
    shutil.copytree(published / "current", new)
    with duckdb.connect(str(new / store.DATABASE)) as con:
        con.execute("update pub_atualizacao set data_referencia = '2030-01-01'")
    store._link(published / "current", Path("versions") / new.name)
    after = newest(published)
    assert after.version == new.name != before.version
    assert after.as_of == date(2030, 1, 1)


def test_the_parts_of_every_bar_add_up_to_the_total(rows: pd.DataFrame) -> None:
    known = rows.dropna(subset=["qtd_vagas_total"])
    monthly = known.groupby("competencia")["qtd_vagas_total"].sum()
    figure = drawn(figures.by_month, known)
    parts = [values(figure, part.name, "y") for part in style.PARTS]
    assert [sum(column) for column in zip(*parts, strict=True)] == monthly.tolist()
    regional = known.groupby("regiao")["qtd_vagas_total"].sum().sort_values()
    figure = drawn(figures.by_region, known)
    parts = [values(figure, part.name, "x") for part in style.PARTS]
    assert [sum(column) for column in zip(*parts, strict=True)] == regional.tolist()


def test_the_limits_of_each_month_add_up_to_all_active_slots(rows: pd.DataFrame) -> None:
    figure = drawn(figures.by_month, rows)
    limits = [trace for trace in figure.data if trace.legend == "legend2"]
    assert [trace.name for trace in limits] == [name for name, _ in style.LIMITS.values()]
    for month in zip(*(trace.y for trace in limits), strict=True):
        assert sum(month) == pytest.approx(100)


def test_the_first_procedures_are_those_of_the_order(rows: pd.DataFrame) -> None:
    totals = rows.groupby("procedimento")[["qtd_vagas_total", "qtd_oferta_real"]].sum()
    lost = (totals["qtd_vagas_total"] - totals["qtd_oferta_real"]).nlargest(5)
    figure = drawn(figures.by_procedure, rows, top=5, order="qtd_nao_ofertadas")
    shown = totals.loc[list(figure.data[0].customdata)]
    assert sorted(shown["qtd_vagas_total"] - shown["qtd_oferta_real"]) == sorted(lost)
    largest = totals["qtd_vagas_total"].nlargest(5)
    figure = drawn(figures.by_procedure, rows, top=5, order="qtd_vagas_total")
    shown = totals.loc[list(figure.data[0].customdata)]
    assert sorted(shown["qtd_vagas_total"]) == sorted(largest)


def test_the_table_sums_to_the_cards(rows: pd.DataFrame) -> None:
    listed = grid.summed(rows)
    for measure in MEASURES:
        assert listed[measure].sum() == rows[measure].sum()
    lost = (listed["qtd_vagas_total"] - listed["qtd_oferta_real"]).dropna()
    assert lost.is_monotonic_decreasing


@pytest.mark.parametrize(
    ("limit", "ceiling", "ppi", "expected"),
    [
        ("nao_informado", 0, 0, "PPI e teto não informados"),
        ("escala", 0, 0, "Nenhum limite atingido"),
        ("teto", 3, 2, "Teto da unidade"),
        ("ppi", 2, 3, "PPI da central"),
    ],
)
def test_the_table_names_the_limit_that_took_most(
    rows: pd.DataFrame, limit: str, ceiling: int, ppi: int, expected: str
) -> None:
    one = rows.head(1).assign(
        limite_vinculante=limit, qtd_vagas_perdidas_teto=ceiling, qtd_vagas_perdidas_ppi=ppi
    )
    assert grid.summed(one)["limite"].tolist() == [expected]


def test_unknown_quantities_are_said_and_never_zero(rows: pd.DataFrame) -> None:
    one = rows.head(2).assign(**dict.fromkeys(MEASURES))
    assert "2 linhas" in str(drawn(figures.cards, one))
    listed = drawn(figures.table, one).rowData
    assert [row["qtd_vagas_total"] for row in listed] == [None] * len(listed)


def test_an_empty_selection_says_so(rows: pd.DataFrame) -> None:
    nothing = rows.head(0)
    assert figures.EMPTY in str(drawn(figures.situation, nothing))
    for figure in (figures.by_month, figures.by_region, figures.by_procedure):
        assert drawn(figure, nothing).layout.annotations[0].text == figures.EMPTY
    assert drawn(figures.table, nothing).rowData == []


@pytest.mark.usefixtures("empty_house")
def test_with_nothing_published_the_command_says_what_to_type() -> None:
    result = CliRunner().invoke(command, ["--port", "0"])
    assert result.exit_code == PublishError.exit_code
    assert "make demo" in result.stderr


@pytest.mark.usefixtures("empty_house")
def test_a_busy_port_is_said_before_anything_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = CliRunner().invoke(command, ["--port", str(port)])
    assert result.exit_code == PortError.exit_code
    assert f"Port {port}" in result.stderr


def test_no_panel_touches_the_warehouse(published: Path) -> None:
    assert newest(published).rows.shape[0] > 0
    assert "mapa.duckdb" not in {path.name for path in published.parent.rglob("*")}
