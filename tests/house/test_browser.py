"""What a person sees: the panel and the dictionary in a real browser, without any other host."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from conftest import House
from mapa.panels.data import newest
from mapa.panels.figures import SYNTHETIC
from mapa.panels.style import day, month_label, number

CARDS = (
    "qtd_vagas_total",
    "qtd_vagas_bloqueadas",
    "qtd_vagas_ativas",
    "qtd_vagas_perdidas_teto",
    "qtd_vagas_perdidas_ppi",
    "qtd_vagas_nao_divulgadas",
    "qtd_oferta_real",
)
KEPT = "qtd_vagas_nao_divulgadas"
SHOWN = {
    "qtd_vagas_bloqueadas": "qtd_vagas_bloqueadas_feriado "
    "+ case when divulgacao = 'nao_divulgada' then 0 else qtd_vagas_bloqueadas_afastamento end",
    KEPT: "case when divulgacao = 'nao_divulgada' "
    "then qtd_vagas_total - qtd_vagas_bloqueadas_feriado else 0 end",
}
"""What a card shows that is no column of the published table."""
CHROMIUM = shutil.which("chromium")
MAPA = Path(sys.executable).with_name("mapa")
WAIT = 30_000


@dataclass
class Watched:
    """A page and everything that went wrong in it."""

    page: Page
    hosts: set[str] = field(default_factory=set)
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        self.page.on("requestfailed", lambda request: self.troubles.append(request.url))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on(
            "response",
            lambda answer: self.troubles.append(answer.url) if answer.status >= 400 else None,
        )
        self.page.on(
            "console",
            lambda line: self.troubles.append(line.text) if line.type == "error" else None,
        )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        reason = "chromium is not installed (apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def address(city_house: House) -> Iterator[str]:
    process = subprocess.Popen(
        [MAPA, "panels", "--port", "0"],
        env=os.environ | city_house.env | {"PYTHONUNBUFFERED": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = ""
    while (found := re.search(r"http://[\d.]+:\d+", said)) is None:
        line = process.stderr.readline()
        assert line, said
        said += line
    yield found[0]
    process.terminate()
    process.wait()


@pytest.fixture
def panel(browser: Browser, address: str) -> Iterator[Watched]:
    watched = Watched(browser.new_page(viewport={"width": 1440, "height": 900}))
    watched.page.goto(address)
    watched.page.wait_for_selector("#cartao-qtd_oferta_real", timeout=WAIT)
    watched.page.wait_for_selector(".ag-row", timeout=WAIT)
    yield watched
    watched.page.close()


def published_sums(house: House, condition: str = "true") -> dict[str, str]:
    """Return the cards' texts straight from the published file, for the default months."""
    first, last = newest(house.settings.published).default_months
    database = house.settings.published / "mapa_publico.duckdb"
    with duckdb.connect(str(database), read_only=True) as con:
        sums = con.execute(
            f"""
            select {", ".join(f"coalesce(sum({SHOWN.get(m, m)}), 0)" for m in CARDS)}
            from pub_oferta_real_por_mes where competencia between $1 and $2 and {condition}
            """,
            [first, last],
        ).fetchall()[0]
    return {m: number(value) for m, value in zip(CARDS, sums, strict=True)}


def cards(page: Page) -> dict[str, str]:
    """Return the texts of the cards."""
    return {m: page.inner_text(f"#cartao-{m}") for m in CARDS}


def test_the_cards_show_the_published_numbers(panel: Watched, city_house: House) -> None:
    assert cards(panel.page) == published_sums(city_house)


def test_the_page_is_portuguese_and_says_until_when_and_from_where(
    panel: Watched, city_house: House
) -> None:
    offer = newest(city_house.settings.published)
    assert panel.page.get_attribute("html", "lang") == "pt-BR"
    assert panel.page.title().startswith("Mapa Social da Saúde")
    situation = panel.page.inner_text("#situacao")
    assert day(offer.as_of) in situation
    assert "SISREG" in situation
    assert "CC BY 4.0" in situation
    assert panel.page.inner_text("#sinteticos") == SYNTHETIC
    assert panel.page.locator("#sinteticos").is_visible()
    body = panel.page.inner_text("body")
    for heading in (
        "O que retirou as vagas",
        "Para onde vão as vagas",
        "Por região de saúde",
        "Por procedimento",
    ):
        assert heading in body
    assert not re.search(r"\b(Select|Reset|Filters?|Loading|Page)\b", body)


def test_the_charts_are_drawn(panel: Watched) -> None:
    for name in ("por_mes", "por_regiao", "por_procedimento"):
        panel.page.wait_for_selector(f"#{name} .plot-container .bars path", timeout=WAIT)


def test_the_ranking_sums_to_what_the_cards_lose(panel: Watched, city_house: House) -> None:
    sums = {name: int(text.replace(".", "")) for name, text in published_sums(city_house).items()}
    lost = sums["qtd_vagas_total"] - sums[KEPT] - sums["qtd_oferta_real"]
    assert panel.page.inner_text("#causas-soma") == number(lost)
    slots = panel.page.locator("#causas tbody tr td:nth-child(3)").all_inner_texts()
    assert sum(int(text.replace(".", "")) for text in slots) == 2 * lost


def test_months_to_come_are_shown_apart_and_not_added(panel: Watched, city_house: House) -> None:
    offer = newest(city_house.settings.published)
    before = cards(panel.page)
    assert offer.months[-1] > offer.default_months[1]
    panel.page.click("#competencia_last .dash-dropdown, #competencia_last")
    panel.page.locator(".dash-dropdown-option", has_text=month_label(offer.months[-1])).click()
    panel.page.wait_for_selector("#programada", timeout=WAIT)
    assert month_label(offer.months[-1]) in panel.page.inner_text("#programada")
    assert cards(panel.page) == before
    assert panel.page.inner_text("#periodo").endswith(month_label(offer.default_months[1]))


def test_a_kept_address_opens_the_panel_and_an_unknown_one_leads_there(
    browser: Browser, address: str
) -> None:
    page = browser.new_page()
    page.goto(f"{address}/oferta/")
    page.wait_for_selector("#cartao-qtd_oferta_real", timeout=WAIT)
    page.goto(f"{address}/fila")
    assert "Página não encontrada" in page.inner_text("body")
    page.click("a")
    page.wait_for_selector("#cartao-qtd_oferta_real", timeout=WAIT)
    page.close()


def test_nothing_fails_and_no_other_host_is_asked(panel: Watched, address: str) -> None:
    panel.page.wait_for_timeout(1000)
    assert panel.troubles == []
    assert panel.hosts == {urlsplit(address).netloc}


def choose(page: Page, column: str, label: str) -> None:
    """Mark one option only in a filter."""
    page.click(f"#escolha_{column}")
    page.get_by_text("Desmarcar todos").click()
    page.locator(".dash-dropdown-option", has_text=label).first.click()
    page.keyboard.press("Escape")


def test_a_filter_changes_the_cards_and_the_reset_brings_them_back(
    panel: Watched, city_house: House
) -> None:
    database = city_house.settings.published / "mapa_publico.duckdb"
    with duckdb.connect(str(database), read_only=True) as con:
        region = con.execute(
            """
            select regiao_saude_nome from pub_oferta_real_por_mes
            group by regiao_saude_nome order by sum(qtd_vagas_total) limit 1
            """
        ).fetchall()[0][0]
    everything = published_sums(city_house)
    expected = published_sums(city_house, f"regiao_saude_nome = '{region}'")
    choose(panel.page, "regiao", region)
    wait_for_cards(panel.page, expected)
    panel.page.click("#reset-button")
    wait_for_cards(panel.page, everything)
    assert panel.troubles == []


def wait_for_cards(page: Page, expected: dict[str, str]) -> None:
    """Wait until the cards show these numbers."""
    for measure, text in expected.items():
        page.wait_for_function(
            "([id, text]) => document.getElementById(id)?.innerText === text",
            arg=[f"cartao-{measure}", text],
            timeout=WAIT,
        )


def test_the_download_holds_the_published_numbers(
    panel: Watched, city_house: House, tmp_path: Path
) -> None:
    with panel.page.expect_download(timeout=WAIT) as waiting:
        panel.page.click("#baixar")
    offer = newest(city_house.settings.published)
    assert waiting.value.suggested_filename.startswith("dados_sinteticos_oferta_")
    assert waiting.value.suggested_filename.endswith(f"_dados_ate_{offer.as_of}.csv")
    path = tmp_path / "oferta.csv"
    waiting.value.save_as(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    sums = published_sums(city_house)
    assert number(sum(int(row["Total"] or 0) for row in rows)) == sums["qtd_vagas_total"]
    assert number(sum(int(row["Oferta real"] or 0) for row in rows)) == sums["qtd_oferta_real"]


def test_the_page_fits_a_phone(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(address)
    page.wait_for_selector("#cartao-qtd_oferta_real", timeout=WAIT)
    box = page.locator("#cartao-qtd_oferta_real").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


@pytest.fixture
def page_of_dictionary(browser: Browser, city_house: House) -> Iterator[Watched]:
    watched = Watched(browser.new_page(viewport={"width": 1440, "height": 900}))
    path = (city_house.settings.published / "dicionario.html").resolve()
    watched.page.goto(path.as_uri())
    watched.page.wait_for_selector("text=Por onde começar", timeout=WAIT)
    yield watched
    watched.page.close()


def test_the_dictionary_opens_on_the_portuguese_page(page_of_dictionary: Watched) -> None:
    text = page_of_dictionary.page.inner_text("body")
    assert "Mapa Social da Saúde — dicionário de dados" in text
    assert "Classes da LGPD" in text
    page_of_dictionary.page.locator("a", has_text="glossário").click()
    page_of_dictionary.page.wait_for_selector("text=programação pactuada e integrada", timeout=WAIT)
    assert page_of_dictionary.hosts <= {""}
    assert page_of_dictionary.troubles == []


def test_a_column_is_found_by_the_search(page_of_dictionary: Watched) -> None:
    page = page_of_dictionary.page
    page.fill("#search", "qtd_vagas_perdidas_teto")
    page.locator(".search-result", has_text="pub_oferta_real_por_mes").click(timeout=WAIT)
    page.wait_for_selector("text=Limite vinculante", timeout=WAIT)
    assert "Vagas ativas que o teto da unidade não deixa ofertar." in page.inner_text("body")
    assert page_of_dictionary.troubles == []


def test_the_months_of_the_page_are_the_last_twelve(panel: Watched, city_house: House) -> None:
    first, last = newest(city_house.settings.published).default_months
    body: Any = panel.page.inner_text("#selecao")
    assert month_label(first) in body
    assert month_label(last) in body
