"""Five questions that people ask, answered by reading the site alone, as a person would."""

# ruff: noqa: F811 - fixtures come from elsewhere
from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Browser, Page

from conftest import House
from mapa.publish import store
from mapa.site import text
from test_browser import browser, folder, looking  # noqa: F401 - fixtures

CLOSED = """
    competencia in (
        select distinct competencia from pub_oferta_real_por_mes
        where competencia_situacao = 'encerrada' order by 1 desc limit 12
    )
"""
LOST = """
    sum(case when divulgacao <> 'nao_divulgada' then qtd_vagas_total - qtd_oferta_real
        else qtd_vagas_bloqueadas_feriado end)
"""


OPEN = """table => new Promise((done) => {
    const details = table.closest("details");
    if (!details || details.open) return done();
    details.addEventListener("toggle", () => done(), { once: true });
    details.open = true;
})"""


@pytest.fixture
def ask(city_house: House) -> Any:
    """Return a way to ask the published file, which the site must agree with."""

    def asked(sql: str, *values: object) -> list[tuple[Any, ...]]:
        file = city_house.settings.published / store.DATABASE
        with duckdb.connect(str(file), read_only=True) as con:
            return con.execute(sql, list(values)).fetchall()

    return asked


def table(page: Page, name: str) -> list[list[str]]:
    """Return the cells of a table, opened if it must be."""
    page.locator(f"#{name}-tabela").evaluate(OPEN)
    rows = page.locator(f"#{name}-tabela tbody tr")
    return [row.locator("th, td").all_text_contents() for row in rows.all()]


def test_what_was_offered_in_an_area_in_a_month_and_what_took_the_rest(
    browser: Browser, folder: Path, ask: Any
) -> None:
    ((area, group, month),) = ask(
        f"select cast(e.area_numero as varchar), o.grupo_codigo, o.competencia "
        "from pub_oferta_real_por_mes as o "
        "join pub_dim_estabelecimentos as e on o.unidade_executante_cnes = e.unidade_cnes "
        f"where {CLOSED} and e.area_numero is not null group by all "
        "having count(*) = count(qtd_oferta_real) "
        "and sum(qtd_vagas_perdidas_teto + qtd_vagas_perdidas_ppi) > 0 "
        "order by sum(qtd_vagas_total) desc, 1, 2, 3 limit 1"
    )
    (real, *causes) = ask(
        "select sum(qtd_oferta_real), sum(qtd_vagas_bloqueadas_feriado), "
        "sum(qtd_vagas_bloqueadas_afastamento), sum(qtd_vagas_perdidas_teto), "
        "sum(qtd_vagas_perdidas_ppi) from pub_oferta_real_por_mes as o "
        "join pub_dim_estabelecimentos as e on o.unidade_executante_cnes = e.unidade_cnes "
        "where cast(e.area_numero as varchar) = $1 and o.grupo_codigo = $2 and competencia = $3",
        area, group, month,
    )[0]  # fmt: skip
    with looking(browser) as watched:
        page = watched.page
        page.goto((folder / "oferta.html").as_uri())
        for name, value in (("de", f"{month:%Y-%m}"), ("ate", f"{month:%Y-%m}"), ("area", area),
                            ("grupo", group)):  # fmt: skip
            page.select_option(f"#filtro-{name}", value)
        assert page.inner_text("#v-real") == text.number(real)
        told = dict(table(page, "causas"))
        assert sorted(told.values()) == sorted(text.number(value) for value in causes if value)
        # One link is the whole question.
        kept = page.url
        page.goto("about:blank")
        page.goto(kept)
        assert page.inner_text("#v-real") == text.number(real)


def test_which_unit_lost_most_and_why(browser: Browser, folder: Path, ask: Any) -> None:
    ((unit, lost),) = ask(
        f"select unidade_executante_cnes, {LOST} as perdidas from pub_oferta_real_por_mes "
        f"where {CLOSED} group by 1 order by perdidas desc limit 1"
    )
    ((cause,),) = ask(
        "select vaga_destino from pub_oferta_causas_por_mes "
        f"where {CLOSED} and unidade_executante_cnes = $1 "
        "and vaga_destino in ('feriado', 'afastamento', 'teto', 'ppi') "
        "group by 1 order by sum(qtd_vagas) desc limit 1",
        unit,
    )
    with looking(browser) as watched:
        page = watched.page
        page.goto((folder / "oferta.html").as_uri())
        first, *values = table(page, "unidades")[0]
        assert unit in first
        # The parts of the bar after the real offer, without what is not told.
        assert sum(int(value.replace(".", "")) for value in values[1:-1]) == lost
        page.locator(f"#tabela-tabela a[href='unidades/{unit}.html']").first.click()
        said = page.inner_text("#achado").lower()
        assert {"ppi": "ppi", "teto": "teto"}.get(cause, cause) in said.rpartition("retirou")[2]


def test_what_changed_since_last_month(browser: Browser, folder: Path, ask: Any) -> None:
    rows = ask(
        "select competencia, sum(qtd_oferta_real) from pub_oferta_real_por_mes "
        f"where {CLOSED} group by 1 order by 1 desc limit 2"
    )
    (_, now), (_, before) = rows
    with looking(browser) as watched:
        watched.page.goto((folder / "index.html").as_uri())
        said = watched.page.inner_text("#mudanca")
    assert f"foi de {text.number(now)} vagas" in said
    assert f"{text.signed(now - before)} em relação a" in said


def test_which_schedules_end_soon_without_a_successor(
    browser: Browser, folder: Path, ask: Any
) -> None:
    expected = ask(
        "select unidade_executante_cnes, procedimento_codigo, sum(qtd_vagas) "
        "from pub_oferta_alertas where regra_codigo = 'escala_vencendo' group by 1, 2"
    )
    assert expected
    with looking(browser) as watched:
        page = watched.page
        page.goto((folder / "alertas.html").as_uri())
        page.select_option("#filtro-regra", "escala_vencendo")
        while page.locator("#tabela-mais").is_visible():
            page.click("#tabela-mais")
        rows = table(page, "tabela")
    for unit, procedure, _ in expected:
        assert any(unit in row[2] and procedure in row[3] for row in rows)
    slots = sum(int(row[-1].replace(".", "")) for row in rows if row[-1] != text.UNKNOWN)
    assert slots == sum(value or 0 for *_, value in expected)


@pytest.mark.parametrize("words", ["oferta real", "oferta_real", "OFERTA REAL"])
def test_what_a_column_means_and_where_it_comes_from(
    browser: Browser, folder: Path, words: str
) -> None:
    with looking(browser) as watched:
        page = watched.page
        page.goto((folder / "dicionario" / "index.html").as_uri())
        page.fill("#procura", words)
        page.wait_for_selector("#achados[aria-busy=false]", state="attached")
        links = page.locator("#achados a")
        assert "pub_" in page.locator("#achados li").first.inner_text()
        links.filter(has_text="qtd_oferta_real").first.click()
        meaning = page.locator("[aria-labelledby='coluna-qtd_oferta_real']").inner_text()
        assert "Vagas que de fato podem ser marcadas" in meaning
        assert "Campos de origem" in meaning
        assert watched.troubles == []
