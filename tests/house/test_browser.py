"""What a person sees: the site in a real browser, from a folder and over HTTP, no other host."""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from openpyxl import load_workbook
from playwright.sync_api import Browser, CDPSession, Page, expect, sync_playwright

from conftest import House
from mapa.publish import read_manifest, store
from mapa.site import cube, text, writer
from mapa.site.dictionary import Dictionary
from mapa.site.pages import offer
from mapa.site.release import opened
from mapa.site.render import Renderer
from mapa.site.serve import HEADERS

CHROMIUM = shutil.which("chromium")
MAPA = Path(sys.executable).with_name("mapa")
WAIT = 30_000
CUBES = (
    "index.html",
    "oferta.html",
    "mudancas.html",
    "horas.html",
    "alertas.html",
    "qualidade.html",
    "fila.html",
    "espera.html",
    "faltas.html",
)
"""Pages with filters."""
PEOPLE = CUBES[-3:]
"""Those of them on counts of people."""
PLAIN = (
    "territorio.html",
    "unidades/index.html",
    "procedimentos/index.html",
    "dicionario/index.html",
    "dicionario/regras.html",
    "dicionario/glossario.html",
    "dicionario/pub_oferta_real_por_mes.html",
    "indicadores/index.html",
    "indicadores/4.html",
    "plano.html",
    "proadi.html",
    "dicionario/espelho.html",
    "dados.html",
    "sobre.html",
)
"""Pages without filters, one of each kind, beside those of one unit and one procedure."""
OFFERS = CUBES[:2]
"""Those of them on the offer."""
WIDTHS = (320, 768, 1440)
FIGURES = {
    "v-total": "sum(qtd_vagas_total)",
    "v-bloqueada": "sum(qtd_vagas_bloqueadas_feriado) + sum(qtd_vagas_bloqueadas_afastamento)",
    "v-nao-divulgada": "coalesce(sum(qtd_vagas_total - qtd_vagas_bloqueadas_feriado) "
    "filter (divulgacao = 'nao_divulgada'), 0)",
    "v-ativa": "sum(qtd_vagas_ativas)",
    "v-teto": "sum(qtd_vagas_perdidas_teto)",
    "v-ppi": "sum(qtd_vagas_perdidas_ppi)",
    "v-real": "sum(qtd_oferta_real)",
}
"""What each figure of the sum is, in the published table."""
HOSTILE = (
    "regiao=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E",
    "regiao=../../../etc/passwd",
    "__proto__=x&constructor=y&toString=z",
    "de=9999-99&ate=0000-00",
    "unidade=" + "9" * 20_000,
    "%E0%A4%A",
    "javascript:alert(1)",
)


@dataclass
class Watched:
    """A page and everything that went wrong in it."""

    page: Page
    hosts: set[str] = field(default_factory=set)
    troubles: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("requestfailed", lambda request: self.troubles.append(request.url))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("dialog", lambda dialog: self.troubles.append(dialog.message))
        self.page.on(
            "response",
            lambda answer: self.troubles.append(answer.url) if answer.status >= 400 else None,
        )
        self.page.on(
            "console",
            lambda line: self.troubles.append(line.text) if line.type == "error" else None,
        )

    def _asked(self, url: str) -> None:
        self.asked.append(url)
        if not url.startswith(("data:", "blob:")):
            self.hosts.add(urlsplit(url).netloc)


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
def folder(city_house: House) -> Path:
    return (city_house.settings.published / store.SITE).resolve()


@pytest.fixture(scope="module")
def under_a_path(folder: Path) -> Iterator[str]:
    """Serve the site as any web server would, two folders down, with the policy it should send."""

    class Plain(SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            for name, value in HEADERS.items():
                self.send_header(name, value)
            super().end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    handler = partial(Plain, directory=str(folder.parent.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/{folder.parent.name}/{folder.name}/"
        server.shutdown()


@contextmanager
def looking(browser: Browser, **options: object) -> Iterator[Watched]:
    """Open a page that is closed again, and watch it."""
    page = browser.new_page(**options)  # type: ignore[arg-type]
    page.set_default_timeout(WAIT)
    try:
        yield Watched(page)
    finally:
        page.close()


def published(house: House, condition: str = "true") -> dict[str, str]:
    """Return the figures straight from the published file, for the last twelve months over."""
    columns = ", ".join(f'{sql} as "{name}"' for name, sql in FIGURES.items())
    with duckdb.connect(str(house.settings.published / store.DATABASE), read_only=True) as con:
        (values,) = con.execute(
            f"""
            with meses as (
                select distinct competencia from pub_oferta_real_por_mes
                where competencia_situacao = 'encerrada' order by 1 desc limit 12
            )
            select {columns} from pub_oferta_real_por_mes
            where competencia in (from meses) and {condition}
            """
        ).fetchall()
    return {name: text.number(value) for name, value in zip(FIGURES, values, strict=True)}


def figures(page: Page) -> dict[str, str]:
    """Return what the figures of the page say."""
    return {name: page.inner_text(f"#{name}") for name in FIGURES}


def words(page: Page) -> str:
    """Return all text of a page but that of the drawings and announcements."""
    return str(
        page.evaluate(
            """() => {
              const copy = document.querySelector("main").cloneNode(true);
              copy.querySelectorAll(".desenho, #anuncio, select").forEach((one) => one.remove());
              const walker = document.createTreeWalker(copy, NodeFilter.SHOW_TEXT);
              const found = [];
              while (walker.nextNode()) {
                const text = walker.currentNode.data.replace(/\\s+/g, " ").trim();
                if (text) found.push(text);
              }
              return found.join("|");
            }"""
        )
    )


@pytest.mark.parametrize("name", CUBES)
def test_what_the_browser_adds_up_is_what_was_written(
    browser: Browser, folder: Path, city_house: House, name: str
) -> None:
    with looking(browser) as watched:
        watched.page.goto((folder / name).as_uri())
        if name in OFFERS:
            assert figures(watched.page) == published(city_house)
        before = words(watched.page)
        watched.page.evaluate("MAPA.redraw()")
        assert words(watched.page) == before
        assert watched.troubles == []


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("fila.html", "qtd_aguardando"),
        ("fila.html", "qtd_entradas"),
        ("espera.html", "qtd_atendidas"),
    ],
)
def test_a_chosen_procedure_shows_what_is_published_and_a_dash_for_what_is_hidden(
    browser: Browser, folder: Path, city_house: House, name: str, column: str
) -> None:
    file = city_house.settings.published / store.DATABASE
    with duckdb.connect(str(file), read_only=True) as con:
        code = con.execute(
            "select procedimento_codigo from pub_fila_por_mes group by all "
            f"having count(*) > count({column}) order by sum({column}) desc nulls last limit 1"
        ).fetchall()[0][0]
        counts = con.execute(
            f"select {column} from pub_fila_por_mes where procedimento_codigo = $1 "
            "order by competencia",
            [code],
        ).fetchall()
    with looking(browser) as watched:
        page = watched.page
        page.goto(f"{(folder / name).as_uri()}#procedimento={code}")
        headings = page.locator("#meses-tabela thead button").evaluate_all(
            "all => all.map(one => one.dataset.ordem.split(' ')[1])"
        )
        at = headings.index(column)
        shown = page.locator(f"#meses-tabela tbody td:nth-child({at + 1})").all_inner_texts()
        assert shown == [text.number(count) for (count,) in counts]
        assert text.UNKNOWN in shown
        page.select_option("#filtro-procedimento", "")
        assert "procedimento" not in page.url.partition("#")[2]
        assert watched.troubles == []


def test_what_is_not_published_together_is_said(browser: Browser, folder: Path) -> None:
    with looking(browser) as watched:
        page = watched.page
        page.goto(f"{(folder / 'fila.html').as_uri()}#risco=1&regiao=sul")
        assert "não se publica" in page.inner_text("#vazio")
        assert "não é zero" in page.inner_text("#achado")
        page.goto(f"{(folder / 'oferta.html').as_uri()}#tipo=retorno")
        assert "não é zero" in page.inner_text("#atendimento")
        assert watched.troubles == []


def test_what_is_not_told_is_a_dash_before_and_after_a_choice(
    browser: Browser, folder: Path
) -> None:
    # No unit of the city has professionals enough for its hours to be told.
    with looking(browser) as watched:
        watched.page.goto((folder / "horas.html").as_uri())
        for _ in range(2):
            cells = watched.page.locator("#meses-tabela tbody td").all_text_contents()
            assert set(cells) == {text.UNKNOWN}
            watched.page.evaluate("MAPA.redraw()")


def test_a_page_without_scripts_is_whole(browser: Browser, folder: Path, city_house: House) -> None:
    with looking(browser, java_script_enabled=False) as watched:
        watched.page.goto((folder / "oferta.html").as_uri())
        assert figures(watched.page) == published(city_house)
        drawings = watched.page.locator(".desenho .largo svg")
        assert drawings.count() > 5
        assert drawings.first.is_visible()
        assert not watched.page.locator("#filtros").is_visible()


@pytest.mark.parametrize("way", ["folder", "server"])
def test_a_filter_lives_in_the_address_and_travels(
    browser: Browser, folder: Path, under_a_path: str, city_house: House, way: str
) -> None:
    address = (folder / "oferta.html").as_uri() if way == "folder" else f"{under_a_path}oferta.html"
    with duckdb.connect(str(city_house.settings.published / store.DATABASE), read_only=True) as con:
        code, unit = con.execute(
            "select regiao_saude_codigo, min(unidade_executante_cnes) from pub_oferta_real_por_mes "
            "group by 1 having count(*) > 5 order by sum(qtd_vagas_total) limit 1"
        ).fetchall()[0]
    expected = published(city_house, f"regiao_saude_codigo = '{code}'")
    everything = published(city_house)
    with looking(browser) as watched:
        page = watched.page
        page.goto(address)
        units = page.locator("#filtro-unidade option").count()
        page.select_option("#filtro-regiao", code)
        assert figures(page) == expected != everything
        assert page.url.endswith(f"#regiao={code}")
        assert page.locator("#filtro-unidade option").count() < units
        page.select_option("#filtro-unidade", unit)
        assert f"unidade={unit}" in page.url
        kept = page.url
        # Also through a page that has no filters.
        page.click("nav >> text=Sobre")
        page.wait_for_url(f"**/sobre.html#*regiao={code}*")
        page.click("nav >> text=Visão geral")
        page.wait_for_url(f"**/index.html#*regiao={code}*")
        assert page.input_value("#filtro-regiao") == code
        page.goto("about:blank")
        page.goto(kept)
        assert page.input_value("#filtro-unidade") == unit
        page.click("text=Limpar filtros")
        assert figures(page) == everything
        assert "regiao" not in page.url
        assert watched.troubles == []


def read_parts(page: Page) -> None:
    """Wait until the data of a choice have come."""
    expect(page.locator("#anuncio")).not_to_contain_text("Lendo", timeout=WAIT)


def test_data_in_several_files_are_read_when_a_choice_needs_them(
    browser: Browser,
    folder: Path,
    city_house: House,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As a large network's are: the limits are small here, not the data large.
    monkeypatch.setattr(cube, "WHOLE", 1_000)
    monkeypatch.setattr(cube, "MOST", 3_000)
    target = tmp_path / store.SITE
    target.mkdir()
    database = city_house.settings.published / store.DATABASE
    with opened(database, "1", "MPDFT") as release:
        renderer = Renderer(release, target, ["oferta.html"])
        renderer.assets(folder)
        for made in offer.pages(release):
            renderer.write(made)
    files = {file.name for file in (target / "dados").glob("oferta_*.js")}
    assert len(files) > 5
    assert {name.split("_")[1] for name in files} == {"2025", "2026"}
    with duckdb.connect(str(database), read_only=True) as con:
        code, month = con.execute(
            "select min(regiao_saude_codigo), max(strftime(competencia, '%Y-%m')) "
            "from pub_oferta_real_por_mes where competencia_situacao = 'encerrada'"
        ).fetchall()[0]
    with looking(browser) as watched:
        page = watched.page

        def asked() -> set[str]:
            return {url.rpartition("/")[2] for url in watched.asked} & files

        page.goto((target / "oferta.html").as_uri())
        assert figures(page) == published(city_house)
        assert asked() == set()
        page.select_option("#filtro-de", month)
        read_parts(page)
        assert 0 < len(asked()) < len(files)
        page.click("text=Limpar filtros")
        page.select_option("#filtro-regiao", code)
        read_parts(page)
        assert figures(page) == published(city_house, f"regiao_saude_codigo = '{code}'")
        page.goto("about:blank")
        page.goto(f"{(target / 'oferta.html').as_uri()}#regiao={code}")
        read_parts(page)
        assert figures(page) == published(city_house, f"regiao_saude_codigo = '{code}'")
        page.goto("about:blank")
        page.goto((target / "oferta.html").as_uri())
        before = words(page)
        page.evaluate("MAPA.redraw()")
        assert words(page) == before
        page.goto("about:blank")
        page.goto((target / "oferta.html").as_uri())
        file = download(page, "tabela", "csv", tmp_path)
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines, delimiter=";"))
        told = sum(int(row["qtd_oferta_real"] or 0) for row in rows)
        assert text.number(told) == published(city_house)["v-real"]
        assert watched.troubles == []
        # Said, and not silently wrong, when a file of them is gone.
        for name in files:
            (target / "dados" / name).unlink()
        page.goto("about:blank")
        page.goto(f"{(target / 'oferta.html').as_uri()}#regiao={code}")
        page.wait_for_selector("#endereco:visible")
        assert "não puderam ser lidos" in page.inner_text("#endereco")


@pytest.mark.parametrize("name", CUBES)
def test_no_sentence_vanishes_whatever_is_chosen(browser: Browser, folder: Path, name: str) -> None:
    with looking(browser) as watched:
        page = watched.page
        page.goto((folder / name).as_uri())
        names = page.locator("#filtros select").evaluate_all("all => all.map(one => one.id)")
        sentences = page.locator(".frase").count()
        nothing = 0
        # The last of every list: what stands at the ends of all seldom meets.
        for control in names:
            last = page.locator(f"#{control} option").count() - 1
            page.select_option(f"#{control}", index=last)
            said = page.locator(".frase").all_inner_texts()
            assert len(said) == sentences
            assert all(len(text) > 20 and "{" not in text for text in said), said
            notes = page.locator("dd.nota").all_inner_texts()
            assert all(notes), notes
            nothing += page.locator("#vazio").is_visible()
        assert nothing or name not in {"oferta.html", "mudancas.html"}
        assert watched.troubles == []


def test_what_an_address_asks_and_is_not_there_is_said(browser: Browser, folder: Path) -> None:
    with looking(browser) as watched:
        watched.page.goto(f"{(folder / 'oferta.html').as_uri()}#regiao=nenhuma&cor=azul")
        said = watched.page.inner_text("#endereco")
        assert "regiao=nenhuma" in said
        assert "cor" in said
        watched.page.select_option("#filtro-de", index=0)
        assert not watched.page.locator("#endereco").is_visible()


@pytest.mark.parametrize("address", HOSTILE)
def test_a_hostile_address_changes_nothing(
    browser: Browser, folder: Path, city_house: House, address: str
) -> None:
    with looking(browser) as watched:
        watched.page.goto(f"{(folder / 'oferta.html').as_uri()}#{address}")
        assert figures(watched.page) == published(city_house)
        assert watched.page.locator("main img").count() == 0
        assert len(watched.page.inner_text("#endereco")) < 1000
        assert watched.troubles == []


def test_downloads_hold_the_published_numbers_and_where_they_come_from(
    browser: Browser, folder: Path, city_house: House, tmp_path: Path
) -> None:
    files = {}
    with looking(browser) as watched:
        watched.page.goto((folder / "oferta.html").as_uri())
        for kind in ("csv", "xlsx"):
            with watched.page.expect_download() as waiting:
                watched.page.click(f"[data-baixar=tabela][data-tipo={kind}]")
            assert waiting.value.suggested_filename.startswith("dados_sinteticos_oferta_tabela_")
            files[kind] = tmp_path / f"tabela.{kind}"
            waiting.value.save_as(files[kind])
    with files["csv"].open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter=";"))
    book = load_workbook(files["xlsx"])
    heading, *cells = book["Dados"].iter_rows(values_only=True)
    assert len(rows) == len(cells)
    for measure, name in (("qtd_vagas_total", "v-total"), ("qtd_oferta_real", "v-real")):
        told = sum(int(row[measure] or 0) for row in rows)
        assert text.number(told) == published(city_house)[name]
        place = heading.index(measure)
        # What is not disclosed is an empty cell, never a zero.
        assert [row[place] for row in cells] == [
            int(row[measure]) if row[measure] else None for row in rows
        ]
    said = {row[0]: row[1] for row in book["Procedência"].iter_rows(values_only=True)}
    assert {"Fonte", "Licença", "Versão", "Dados até", "Filtros", "Atenção"} <= set(said)
    assert "vagas" in str(said["Oferta total"]).lower()


def download(page: Page, name: str, kind: str, folder: Path) -> Path:
    """Press a button of a table and return the file that it gives."""
    with page.expect_download() as waiting:
        page.click(f"[data-baixar={name}][data-tipo={kind}]")
    file = folder / waiting.value.suggested_filename
    waiting.value.save_as(file)
    return file


@pytest.fixture(scope="module")
def one_of_each(folder: Path) -> dict[str, str]:
    """Return the pages of the unit and the procedure that are told most of."""

    def largest(kind: str) -> str:
        pages = (page for page in (folder / kind).glob("*.html") if page.stem != "index")
        return max(pages, key=lambda page: (page.stat().st_size, page.name)).stem

    return {kind: f"{kind}/{largest(kind)}.html" for kind in ("unidades", "procedimentos")}


@pytest.mark.parametrize(
    "place",
    [
        ("unidades", "procedimentos"),
        ("unidades", "meses"),
        ("procedimentos", "unidades"),
        ("procedimentos", "causas"),
        ("territorio.html", "areas"),
        ("territorio.html", "regioes"),
    ],
)
def test_a_table_of_any_page_downloads_as_it_stands(
    browser: Browser,
    folder: Path,
    one_of_each: dict[str, str],
    tmp_path: Path,
    place: tuple[str, str],
) -> None:
    kind, table = place
    path = one_of_each.get(kind, kind)
    with looking(browser) as watched:
        page = watched.page
        page.goto((folder / path).as_uri())
        shown = page.locator(f"#{table} tbody tr").evaluate_all(
            "rows => rows.map(row => [...row.cells].map(cell => cell.textContent.trim()))"
        )
        as_of = page.inner_text("footer strong")
        made = {each: download(page, table, each, tmp_path) for each in ("csv", "xlsx")}
        assert watched.troubles == []
    day = "-".join(reversed(as_of.split("/")))
    stem = path.removesuffix(".html").replace("/", "_")
    assert made["csv"].name == f"dados_sinteticos_{stem}_{table}_dados_ate_{day}.csv"
    content = made["csv"].read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    heading, *rows = csv.reader(content.decode("utf-8-sig").splitlines(), delimiter=";")
    assert not {"Partes", "Tamanho"} & set(heading)
    assert len(rows) == len(shown)
    for row, cells in zip(rows, shown, strict=True):
        found = dict(zip(heading, row, strict=True))
        # Whole numbers lose their dots, shares keep one decimal with its comma, a dash is empty.
        told = [cell.removesuffix("%") for cell in cells if re.fullmatch(r"[\d.]+(,\d)?%?", cell)]
        given = [value for value in row if re.fullmatch(r"\d+(,\d)?", value)]
        for number in told:
            assert number.replace(".", "").removesuffix(",0") in given, (number, found)
        assert "–" not in row
    book = load_workbook(made["xlsx"])
    top, *cells = book["Dados"].iter_rows(values_only=True)
    assert list(top) == heading
    for row, values in zip(rows, cells, strict=True):
        assert row == [
            "" if value is None else str(value).replace(".", ",") if _is_number(value) else value
            for value in values
        ]
    said = {row[0]: row[1] for row in book["Procedência"].iter_rows(values_only=True)}
    assert {"Página", "Tabela", "Fonte", "Licença", "Versão", "Filtros", "Atenção"} <= set(said)
    assert said["Dados até"] == as_of
    measures = [name.removesuffix(" (%)") for name in heading]
    assert all(said[name] for name in measures if name in said)
    if place == ("territorio.html", "areas"):
        shares = [row[heading.index("Do que é divulgado (%)")] for row in rows]
        assert any(re.fullmatch(r"\d+,\d", share) for share in shares)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


def test_codes_of_a_page_are_a_column_of_their_own(
    browser: Browser, folder: Path, one_of_each: dict[str, str], tmp_path: Path
) -> None:
    with looking(browser) as watched:
        watched.page.goto((folder / one_of_each["procedimentos"]).as_uri())
        file = download(watched.page, "unidades", "csv", tmp_path)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter=";"))
    assert list(rows[0])[:3] == ["Unidade (código)", "Unidade", "Região de saúde"]
    assert all(f"({row['Unidade (código)']})" in row["Unidade"] for row in rows)


def test_a_list_downloads_whole_or_as_it_was_narrowed(
    browser: Browser, folder: Path, tmp_path: Path
) -> None:
    def rows(page: Page) -> list[dict[str, str]]:
        file = download(page, "lista", "csv", tmp_path)
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return list(csv.DictReader(lines, delimiter=";"))

    with looking(browser) as watched:
        page = watched.page
        page.goto((folder / "unidades" / "index.html").as_uri())
        whole = rows(page)
        assert len(whole) == page.locator("[data-lista] tbody tr").count()
        assert len({row["Região de saúde"] for row in whole}) > 1
        code = whole[-1]["Unidade (código)"]
        page.fill("#filtra", code)
        assert rows(page) == whole[-1:]
        book = load_workbook(download(page, "lista", "xlsx", tmp_path))
        said = {row[0]: row[1] for row in book["Procedência"].iter_rows(values_only=True)}
        assert code in str(said["Filtros"])


def test_a_fraction_has_a_comma_in_the_csv_of_a_page_with_filters(
    browser: Browser, folder: Path, tmp_path: Path
) -> None:
    # Hours are fractions; those of the city are not told.
    copy = tmp_path / "site"
    shutil.copytree(folder, copy)
    data = copy / "dados" / "horas.js"
    before, name, after = data.read_text(encoding="utf-8").partition('"horas_ofertadas":[')
    _, end, rest = after.partition("]")
    (months,) = re.findall(r'"rows":\{"competencia":\[([^]]+)\]', before + after)
    told = ",".join("1234.5" for _ in months.split(","))
    data.write_text(f"{before}{name}{told}{end}{rest}", encoding="utf-8")
    with looking(browser) as watched:
        watched.page.goto((copy / "horas.html").as_uri())
        content = download(watched.page, "tabela", "csv", tmp_path).read_text("utf-8-sig")
        assert ";1234,5;" in content
        book = load_workbook(download(watched.page, "tabela", "xlsx", tmp_path))
    assert 1234.5 in [cell for row in book["Dados"].iter_rows(values_only=True) for cell in row]


@pytest.mark.parametrize("kind", ["unidades", "procedimentos", "territorio.html"])
def test_a_page_without_filters_is_cited_by_its_sentence(
    browser: Browser, folder: Path, one_of_each: dict[str, str], kind: str
) -> None:
    with looking(browser) as watched:
        watched.page.goto((folder / one_of_each.get(kind, kind)).as_uri())
        watched.page.evaluate(
            "navigator.clipboard.writeText = async (text) => { window.copied = text; }"
        )
        watched.page.click("text=Copiar citação")
        # Nothing that a page's policy would have to let be evaluated again and again.
        watched.page.wait_for_selector("text=Copiado")
        copied = watched.page.evaluate("window.copied")
        sentence = watched.page.inner_text("#achado")
        title = watched.page.inner_text("h1")
    assert copied.startswith(f"{sentence} (dados até ")
    assert f"Mapa Social da Saúde: {title}. Disponível em: file:" in copied
    assert copied.endswith("DADOS SINTÉTICOS.")


def test_a_citation_says_value_filters_day_version_and_address(
    browser: Browser, folder: Path
) -> None:
    with looking(browser) as watched:
        watched.page.goto((folder / "oferta.html").as_uri())
        watched.page.evaluate(
            "navigator.clipboard.writeText = async (text) => { window.copied = text; }"
        )
        watched.page.click("text=Copiar citação")
        # Nothing that a page's policy would have to let be evaluated again and again.
        watched.page.wait_for_selector("text=Copiado")
        copied = watched.page.evaluate("window.copied")
    for part in (
        "vagas",
        "Período: ",
        "dados até ",
        "versão ",
        "Disponível em: file:",
        "Acesso em",
    ):
        assert part in copied


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("way", ["folder", "server"])
def test_every_page_works_at_every_width_and_asks_no_other_host(
    browser: Browser, folder: Path, under_a_path: str, scheme: str, way: str
) -> None:
    base = f"{folder.as_uri()}/" if way == "folder" else under_a_path
    for width in WIDTHS:
        with looking(
            browser, viewport={"width": width, "height": 800}, color_scheme=scheme
        ) as watched:
            for name in CUBES:
                watched.page.goto(base + name)
                watched.page.evaluate("MAPA.redraw()")
                assert watched.page.locator(".desenho svg").first.is_visible()
                wide = watched.page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, (name, width)
            assert watched.troubles == []
            assert watched.hosts == {urlsplit(base).netloc}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [*CUBES, "404.html"])
def test_axe_finds_no_barrier(browser: Browser, folder: Path, name: str, scheme: str) -> None:
    with looking(browser, color_scheme=scheme) as watched:
        watched.page.goto((folder / name).as_uri())
        for _ in range(2):
            found = Axe().run(watched.page)
            assert found.violations_count == 0, found.generate_report()
            if name not in CUBES:
                break
            watched.page.evaluate("MAPA.redraw()")
            watched.page.locator("summary").first.click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_without_filters_have_no_barrier_and_fit_every_width(
    browser: Browser, folder: Path, one_of_each: dict[str, str], scheme: str
) -> None:
    with looking(browser, color_scheme=scheme) as watched:
        for name in (*PLAIN, *one_of_each.values()):
            watched.page.goto((folder / name).as_uri())
            for width in WIDTHS:
                watched.page.set_viewport_size({"width": width, "height": 800})
                wide = watched.page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, (name, width)
            assert watched.troubles == []
            assert watched.hosts == {""}
            found = Axe().run(watched.page)
            assert found.violations_count == 0, (name, found.generate_report())
            # The judge asks for the style sheet, which the policy does not let it have.
            watched.troubles.clear()


def test_the_keyboard_reaches_content_and_filters(browser: Browser, folder: Path) -> None:
    with looking(browser) as watched:
        page = watched.page
        page.goto((folder / "oferta.html").as_uri())
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Ir para o conteúdo"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "conteudo"
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "filtro-regiao":
                break
        page.keyboard.press("ArrowDown")
        page.wait_for_url("**#*regiao=*")
        assert "Resultados atualizados" in page.inner_text("#anuncio")


def test_print_shows_the_numbers_of_every_chart(browser: Browser, folder: Path) -> None:
    with looking(browser) as watched:
        watched.page.goto((folder / "oferta.html").as_uri())
        watched.page.emulate_media(media="print")
        assert watched.page.locator("#meses-tabela tbody tr").first.is_visible()
        assert not watched.page.locator("#filtros").is_visible()
        assert not watched.page.locator("nav").is_visible()


def test_every_page_says_that_the_city_is_simulated(folder: Path) -> None:
    for page in folder.rglob("*.html"):
        written = page.read_text(encoding="utf-8")
        assert '<html lang="pt-BR"' in written
        if page.name != "404.html":
            assert "DADOS SINTÉTICOS" in written, page
        assert not re.search(r"<script>|<style|\sstyle=|\son\w+=", written), page


def test_a_first_visit_is_light_and_a_choice_is_quick(
    browser: Browser, folder: Path, under_a_path: str
) -> None:
    for name in CUBES:
        with looking(browser, viewport={"width": 1440, "height": 900}) as watched:
            page = watched.page
            page.goto(under_a_path + name)
            got = [folder / urlsplit(url).path.split(f"/{folder.name}/")[1] for url in watched.asked
                   if url.startswith("http")]  # fmt: skip
            contents = [file.read_bytes() for file in dict.fromkeys(got)]
            assert sum(map(len, contents)) <= 1_000_000, name
            assert sum(len(gzip.compress(content)) for content in contents) <= 400_000, name
            page.evaluate("MAPA.redraw()")
            session = page.context.new_cdp_session(page)
            session.send("Performance.setTimeDomain", {"timeDomain": "threadTicks"})
            session.send("Performance.enable")
            spent = []
            control = page.locator("#filtros select").first
            for place in range(min(5, control.locator("option").count())):
                before = _thread_seconds(session)
                control.select_option(index=place)
                page.evaluate("() => new Promise((done) => requestAnimationFrame(() => done()))")
                spent.append(_thread_seconds(session) - before)
            assert min(spent) <= 0.1, (name, spent)


def test_no_page_of_the_site_is_heavy(folder: Path) -> None:
    """Bytes of a first visit: the page and all that it names, as they are and compressed."""
    sizes: dict[Path, tuple[int, int]] = {}

    def size(file: Path) -> tuple[int, int]:
        if file not in sizes:
            content = file.read_bytes()
            sizes[file] = len(content), len(gzip.compress(content))
        return sizes[file]

    pages = sorted(folder.rglob("*.html"))
    assert len(pages) > 200
    for page in pages:
        said = page.read_text(encoding="utf-8")
        named = re.findall(r'<(?:script|link|img)\b[^>]*?(?:src|href)="([^":]+)"', said)
        assert page.name == "404.html" or len(named) >= 3
        files = {page, *((page.parent / name).resolve() for name in named)}
        whole, packed = (sum(parts) for parts in zip(*map(size, sorted(files)), strict=True))
        assert whole <= 1_000_000, (page, whole)
        assert packed <= 400_000, (page, packed)


def _thread_seconds(session: CDPSession) -> float:
    """Return the CPU seconds that scripts, styles and layout have taken of the main thread."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    work = {"ScriptDuration", "RecalcStyleDuration", "LayoutDuration"}
    return sum(float(one["value"]) for one in metrics if one["name"] in work)


@pytest.fixture(scope="module")
def served(city_house: House) -> Iterator[str]:
    process = subprocess.Popen(
        [MAPA, "site", "--serve", "--port", "0"],
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


def test_the_server_of_the_house_sends_the_policy_and_a_portuguese_404(served: str) -> None:
    with urlopen(f"{served}/") as answer:
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "Visão geral" in answer.read().decode()
    for path in ("/fila", "/dados/", "/../manifest.json", "/%2e%2e/manifest.json", "/recursos"):
        with pytest.raises(HTTPError) as caught:
            urlopen(served + path)
        assert caught.value.code == 404
        assert "Página não encontrada" in caught.value.read().decode()


def test_a_port_in_use_is_said(served: str, city_house: House) -> None:
    done = subprocess.run(
        [MAPA, "site", "--serve", "--port", served.rpartition(":")[2]],
        env=os.environ | city_house.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "cannot be used" in done.stderr
    assert "--port" in done.stderr
    assert done.returncode != 0


def test_where_the_site_is_and_that_there_is_none(city_house: House, tmp_path: Path) -> None:
    def say(data: Path) -> subprocess.CompletedProcess[str]:
        env = os.environ | city_house.env | {"MAPA_DIR": str(data)}
        return subprocess.run([MAPA, "site"], env=env, capture_output=True, text=True, check=False)

    there = say(city_house.settings.mapa_dir)
    assert there.returncode == 0
    assert Path(there.stderr.strip().splitlines()[-1]).exists()
    none = say(tmp_path)
    assert (none.returncode, "Nothing has been published yet" in none.stderr) == (9, True)


@pytest.mark.parametrize("harm", ["delete from {}", "drop table {}"])
def test_a_version_without_an_offer_has_a_site_that_says_so(
    city_house: House, tmp_path: Path, harm: str
) -> None:
    database = tmp_path / store.DATABASE
    with duckdb.connect(str(database)) as con:
        source = city_house.settings.published / store.DATABASE
        con.execute(f"attach '{source.resolve()}' as version (read_only)")
        for (name,) in con.execute(
            "select table_name from duckdb_tables() where database_name = 'version'"
        ).fetchall():
            con.execute(f"create table {name} as from version.{name}")
            if name.startswith("pub_oferta"):
                con.execute(harm.format(name))
    target = city_house.settings.dbt_target_path
    manifest, catalog = (
        json.loads((target / name).read_bytes()) for name in ("manifest.json", "docs/catalog.json")
    )
    version = read_manifest(city_house.settings.published)
    assert version is not None
    folder = tmp_path / store.SITE
    writer.write(database, folder, version, Dictionary(manifest, catalog, city_house.project))
    assert "Nenhuma oferta foi publicada" in (folder / "index.html").read_text(encoding="utf-8")
    assert not (folder / "oferta.html").exists()
    assert 'href="oferta.html"' not in (folder / "sobre.html").read_text(encoding="utf-8")
