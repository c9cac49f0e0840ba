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
from mapa.panels.data import MEASURES, between, causes, closed, newest, planned, told
from mapa.panels.page import build_app
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
            f"select {', '.join(f'sum({m})' for m in MEASURES[:-1])}, "
            "coalesce(sum(qtd_vagas_total - qtd_vagas_bloqueadas_feriado) "
            "filter (divulgacao = 'nao_divulgada'), 0) from pub_oferta_real_por_mes "
            "where competencia between $1 and $2",
            [first, last],
        ).fetchall()[0]
    for arguments in ((), (str(first), str(last)), (str(last), str(first))):
        found = between(published, *arguments)
        assert tuple(int(found[m].sum()) for m in MEASURES) == tuple(map(int, expected))


def test_the_page_shows_what_really_happened_in_the_city(city_house: House) -> None:
    truth = city_house.truth["pub_oferta_real_por_mes"]
    expected = pd.DataFrame(truth["linhas"], columns=truth["chave"] + truth["colunas"])
    free = expected["qtd_vagas_total"] - expected["qtd_vagas_bloqueadas_feriado"]
    expected["qtd_vagas_nao_divulgadas"] = free.where(expected["divulgacao"] == "nao_divulgada", 0)
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
    totals = rows.groupby("procedimento")[list(MEASURES)].sum()
    totals["lost"] = told(totals) - totals["qtd_oferta_real"]
    lost = totals["lost"].nlargest(5)
    figure = drawn(figures.by_procedure, rows, top=5, order="qtd_nao_ofertadas")
    shown = totals.loc[list(figure.data[0].customdata)]
    assert sorted(shown["lost"]) == sorted(lost)
    largest = totals["qtd_vagas_total"].nlargest(5)
    figure = drawn(figures.by_procedure, rows, top=5, order="qtd_vagas_total")
    shown = totals.loc[list(figure.data[0].customdata)]
    assert sorted(shown["qtd_vagas_total"]) == sorted(largest)


def test_the_table_sums_to_the_cards(rows: pd.DataFrame) -> None:
    listed = grid.summed(rows)
    for measure in MEASURES:
        assert listed[measure].sum() == rows[measure].sum()
    lost = (told(listed) - listed["qtd_oferta_real"]).dropna()
    assert lost.is_monotonic_decreasing


TAKEN = list(style.CAUSES)


@pytest.mark.parametrize(
    ("taken", "named", "ranked"),
    [
        ((0, 0, 3, 2), "Teto da unidade", [(1, 3), (2, 2)]),
        ((0, 0, 2, 3), "PPI da central", [(1, 3), (2, 2)]),
        ((4, 0, 2, 3), "Feriado", [(1, 4), (2, 3), (3, 2)]),
        ((0, 5, 2, 3), "Afastamento", [(1, 5), (2, 3), (3, 2)]),
        ((1, 9, 0, 8), "Afastamento", [(1, 9), (2, 8), (3, 1)]),
        ((2, 2, 0, 5), "PPI da central", [(1, 5), (2, 2), (2, 2)]),
        ((3, 0, 0, 3), "Feriado e PPI da central (empate)", [(1, 3), (1, 3)]),
        ((0, 0, 0, 0), "Nenhuma", []),
    ],
)
def test_every_cause_is_ranked_by_the_slots_it_took(
    rows: pd.DataFrame, taken: tuple[int, ...], named: str, ranked: list[tuple[int, int]]
) -> None:
    values = dict(zip(TAKEN, taken, strict=True))
    found = causes(values)
    assert [(cause.place, cause.slots) for cause in found] == ranked
    assert sum(cause.slots for cause in found) == sum(taken)
    one = rows.head(1).assign(
        qtd_vagas_total=100, limite_vinculante="ppi", qtd_oferta_real=100, **values
    )
    assert grid.summed(one)["causa"].tolist() == [named]


def test_the_ranking_sums_to_total_less_real_offer_whatever_is_selected(
    rows: pd.DataFrame,
) -> None:
    known = rows.dropna(subset=["qtd_vagas_total"])
    selections = [known, *(part for _, part in known.groupby("regiao"))]
    selections += [part for _, part in known.groupby("unidade")]
    assert len(selections) > 10
    for selection in selections:
        sums = selection[list(MEASURES)].sum()
        lost = told(sums) - sums["qtd_oferta_real"]
        assert sum(cause.slots for cause in causes(sums)) == lost
        assert f"'{style.number(lost)}'" in str(drawn(figures.ranking, selection))


def test_the_published_cause_is_the_one_that_took_most(published: Path) -> None:
    codes = dict(
        zip(
            TAKEN,
            ("feriado", "afastamento", "teto", "ppi"),
            strict=True,
        )
    )
    with duckdb.connect(str((published / store.DATABASE).resolve()), read_only=True) as con:
        found = con.execute(
            f"""
            select causa_principal, limite_vinculante, qtd_vagas_total, qtd_oferta_real,
                {", ".join(TAKEN)}
            from pub_oferta_real_por_mes
            """
        ).fetchall()
    limits_that_took_less = 0
    for cause, limit, total, real, *taken in found:
        if total is None or real is None:
            assert (cause, limit) == (None, None) or total is None
            continue
        assert sum(taken) == total - real
        first = [codes[n] for n, slots in zip(TAKEN, taken, strict=True) if slots == max(taken)]
        expected = "nenhuma" if not max(taken) else first[0] if len(first) == 1 else "empate"
        assert cause == expected
        limits_that_took_less += limit in ("ppi", "teto") and cause not in (limit, "empate")
    assert limits_that_took_less > 0


@pytest.fixture
def mid_month(published: Path) -> Path:
    """Return the files as if the data went to 15 June: that month is under way."""
    folder = published / "versions" / "99990101T000000Z-00000000"
    shutil.copytree(published / "current", folder)
    with duckdb.connect(str(folder / store.DATABASE)) as con:
        con.execute("update pub_atualizacao set data_referencia = '2026-06-15'")
        con.execute(
            """
            update pub_oferta_real_por_mes set competencia_situacao = case
                when competencia > '2026-06-15' then 'programada'
                when competencia = '2026-06-01' then 'em_curso'
                else 'encerrada'
            end
            """
        )
    store._link(published / "current", Path("versions") / folder.name)
    return published


def test_months_that_are_not_over_are_never_added_to_those_that_are(mid_month: Path) -> None:
    offer = newest(mid_month)
    assert offer.default_months[1] == date(2026, 5, 1)
    every = between(mid_month, str(offer.months[0]), str(offer.months[-1]))
    over = every[every["competencia"] < date(2026, 6, 1)]
    assert len(offer.months) > len(over["competencia"].unique()) + 1
    assert set(closed(every)["competencia"]) == set(over["competencia"])
    shown = str(drawn(figures.cards, every))
    for measure in ("qtd_vagas_total", "qtd_oferta_real"):
        value = style.number(over[measure].sum())
        assert f"Div(children='{value}', id='cartao-{measure}'" in shown
        ahead = planned(every)[measure].sum()
        assert style.number(ahead) in shown.partition("Oferta programada, jun/26 a ")[2]
    listed = grid.summed(every)
    assert listed["qtd_vagas_total"].sum() == over["qtd_vagas_total"].sum()
    regional = drawn(figures.by_region, every)
    parts = [values(regional, part.name, "x") for part in style.PARTS]
    assert sum(map(sum, parts)) == over["qtd_vagas_total"].sum()
    assert style.period(over["competencia"]) in regional.layout.xaxis.title.text
    monthly = drawn(figures.by_month, every)
    assert {line.x0 for line in monthly.layout.shapes} == {len(set(over["competencia"])) - 0.5}


def test_a_selection_without_a_month_that_is_over_is_named_planned(mid_month: Path) -> None:
    ahead = between(mid_month, "2026-06-01", "2026-07-01")
    shown = str(drawn(figures.cards, ahead))
    assert "Meses encerrados" not in shown
    assert "Oferta programada, jun/26 a jul/26" in shown
    assert "oferta programada" in str(drawn(figures.ranking, ahead))
    assert "oferta programada" in drawn(figures.by_region, ahead).layout.xaxis.title.text
    assert grid.summed(ahead)["qtd_vagas_total"].sum() == ahead["qtd_vagas_total"].sum()


@pytest.mark.parametrize(
    ("synthetic", "band", "unnoted"),
    [(True, True, False), (False, False, False), (None, False, True)],
)
def test_the_page_says_whether_the_data_are_simulated(
    rows: pd.DataFrame, synthetic: bool | None, band: bool, unnoted: bool
) -> None:
    assert rows["eh_sintetico"].all()
    marked = rows.assign(eh_sintetico=pd.Series([synthetic] * len(rows), rows.index, object))
    shown = str(drawn(figures.situation, marked))
    assert (figures.SYNTHETIC in shown, figures.UNNOTED in shown) == (band, unnoted)
    name = drawn(figures.table, marked).csvExportParams["fileName"]
    assert name.startswith("dados_sinteticos_") is band


@pytest.fixture(scope="module")
def visitor(city_house: House) -> Any:
    return build_app(city_house.settings.published.resolve()).dash.server.test_client()


@pytest.mark.parametrize("path", ["/oferta", "/oferta/", "/Oferta", "/oferta?de=painel"])
def test_the_addresses_that_people_keep_lead_to_the_page(visitor: Any, path: str) -> None:
    answer = visitor.get(path, follow_redirects=True)
    assert (answer.status_code, answer.request.path) == (200, "/")


@pytest.mark.parametrize("path", ["/nada", "/nada/mais", "/oferta/2026", "/fila"])
def test_an_unknown_address_says_so_in_portuguese_and_leads_home(visitor: Any, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 404
    assert 'lang="pt-BR"' in answer.text
    assert "Este endereço não existe" in answer.text
    assert '<a href="/">' in answer.text


def test_unknown_quantities_are_said_and_never_zero(rows: pd.DataFrame) -> None:
    one = rows.head(2).assign(**dict.fromkeys(MEASURES))
    assert "2 linhas" in str(drawn(figures.cards, one))
    listed = drawn(figures.table, one).rowData
    assert [row["qtd_vagas_total"] for row in listed] == [None] * len(listed)


def test_what_is_not_told_is_said_and_never_zero(rows: pd.DataFrame) -> None:
    kept = rows[(rows["qtd_vagas_nao_divulgadas"] > 0) & (rows["situacao"] == "encerrada")]
    assert len(kept) > 0
    assert kept["qtd_oferta_real"].isna().all()
    slots = style.number(kept["qtd_vagas_nao_divulgadas"].sum())
    shown = str(drawn(figures.cards, kept))
    assert f"Div(children='{slots}', id='cartao-qtd_vagas_nao_divulgadas'" in shown
    assert f"{slots} vagas não divulgadas" in str(drawn(figures.ranking, kept))
    listed = drawn(figures.table, kept)
    assert {row["causa"] for row in listed.rowData} == {grid.KEPT_BACK}
    assert {row["qtd_oferta_real"] for row in listed.rowData} == {None}
    assert "'não divulgada'" in str(listed.columnDefs)
    told_all = drawn(figures.cards, rows[rows["qtd_vagas_nao_divulgadas"] == 0])
    assert "qtd_vagas_nao_divulgadas" not in str(told_all)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@A1", "\t=1", ' "=1', "＝1"])
def test_a_name_that_a_spreadsheet_would_run_is_harmless_in_the_download(
    rows: pd.DataFrame, name: str
) -> None:
    listed = drawn(figures.table, rows.head(1).assign(unidade=name, procedimento=name)).rowData
    assert (listed[0]["unidade"], listed[0]["procedimento"]) == (f"'{name}", f"'{name}")


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
