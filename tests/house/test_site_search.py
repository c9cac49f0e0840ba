"""Looking for things on the site: the dictionary's search and the lists, in a real browser."""

# ruff: noqa: F811 - fixtures come from elsewhere; their site is that of the city_house
from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from test_browser import browser, folder, looking  # noqa: F401 - fixtures

COVER = "dicionario/index.html"
LISTS = ("unidades/index.html", "procedimentos/index.html")


def found(page: Page) -> list[tuple[str, str]]:
    """Return name and place of each result of the whole dictionary, in order."""
    page.wait_for_selector("#achados[aria-busy=false]", state="attached")
    return [
        (str(name), str(where).strip())
        for name, where in page.locator("#achados li").evaluate_all(
            "all => all.map(one => [one.querySelector('a').textContent, one.childNodes[1].data])"
        )
    ]


def plain(text: str) -> str:
    """Return a text as somebody in a hurry types it."""
    return unicodedata.normalize("NFD", text).encode("ascii", "ignore").decode().lower()


def public(name: str, where: str) -> bool | None:
    """Tell whether a result may be read by all; None: it is a word, a rule or an indicator."""
    if where.startswith("tabela, "):
        return name.startswith("pub_")
    return where.startswith("em pub_") if where.startswith("em ") else None


def tab_to(page: Page, name: str) -> None:
    """Go on from link to link until a field has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == name:
            return
    pytest.fail(f"the keyboard does not reach {name}")


@pytest.mark.parametrize("asked", ["oferta real", "oferta_real", "vaga"])
def test_what_people_ask_for_is_found_and_public_tables_come_first(
    browser: Browser, folder: Path, asked: str
) -> None:
    with looking(browser) as watched:
        page = watched.page
        page.goto((folder / COVER).as_uri())
        page.fill("#procura", asked)
        results = found(page)
        kinds = [kind for result in results if (kind := public(*result)) is not None]
        assert kinds[:5] == [True] * 5
        assert kinds == sorted(kinds, reverse=True)
        names = [name for name, _ in results]
        if asked != "vaga":
            assert "qtd_oferta_real" in names[:5] and "pub_oferta_real_por_mes" in names[:10]
        else:
            assert any(where == "glossário" for _, where in results[:20])
        said = page.inner_text("#anuncio")
        assert re.match(r"[\d.]+ resultados", said)
        if len(results) == 50:
            assert said.endswith("aqui os 50 primeiros")
        assert watched.troubles == []


def test_what_is_not_public_comes_when_somebody_types(browser: Browser, folder: Path) -> None:
    with looking(browser) as watched:
        page = watched.page
        page.goto((folder / COVER).as_uri())
        (file,) = (folder / "dados").glob("dicionario*_resto.js")
        first = folder / "dados" / "dicionario_index.js"
        assert first.stat().st_size < 400_000
        assert file.name not in "".join(watched.asked)
        page.fill("#procura", "stg_sisreg")
        results = found(page)
        assert results
        assert all(where.startswith(("tabela, ", "em stg_")) for _, where in results[:20])
        assert watched.asked[-1].endswith(file.name)
        assert watched.troubles == []


@pytest.mark.parametrize(
    ("asked", "other"),
    [("oferta real", "oferta_real"), ("reconciliação", "RECONCILIACAO"), ("região", " regiao  ")],
)
def test_accents_capitals_and_signs_do_not_count(
    browser: Browser, folder: Path, asked: str, other: str
) -> None:
    with looking(browser) as watched:
        watched.page.goto((folder / COVER).as_uri())
        watched.page.fill("#procura", asked)
        results = found(watched.page)
        assert results
        watched.page.fill("#procura", other)
        assert found(watched.page) == results


def test_the_search_says_that_there_is_nothing_and_runs_nothing(
    browser: Browser, folder: Path
) -> None:
    with looking(browser) as watched:
        page = watched.page
        page.goto((folder / COVER).as_uri())
        for asked in ("xyzzy", "<img src=x onerror=alert(1)>", "(.*", "9" * 5000):
            page.fill("#procura", asked)
            assert found(page) == []
            assert page.locator("#anuncio").is_visible()
            assert "Nada foi encontrado" in page.inner_text("#anuncio")
        page.fill("#procura", "")
        assert page.inner_text("#anuncio") == ""
        page.goto("about:blank")
        page.goto(f"{(folder / COVER).as_uri()}#procura=<b>teto</b>%20xyzzy")
        assert page.input_value("#procura") == "<b>teto</b> xyzzy"
        assert watched.troubles == []


def test_the_keyboard_alone_searches_and_follows(browser: Browser, folder: Path) -> None:
    with looking(browser) as watched:
        page = watched.page
        page.goto((folder / COVER).as_uri())
        tab_to(page, "procura")
        page.keyboard.type("qtd_oferta_real")
        name, where = found(page)[0]
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == name
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/{where.removeprefix('em ')}.html#coluna-{name}")
        assert page.locator(f"#coluna-{name}").is_visible()


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_narrowed_by_the_keyboard_alone(
    browser: Browser, folder: Path, name: str
) -> None:
    with looking(browser) as watched:
        page = watched.page
        page.goto((folder / name).as_uri())
        rows = page.locator("[data-lista] tbody tr")
        first = page.locator("[data-lista] tbody th a").first.inner_text()
        code = re.findall(r"\((\w+)\)$", first)[0]
        tab_to(page, "filtra")
        page.keyboard.type(code)
        shown = [row for row in rows.all() if row.is_visible()]
        assert [first in row.inner_text() for row in shown] == [True]
        # A part of which nothing is left goes with its heading.
        assert page.locator("[data-lista] h2").locator("visible=true").count() == 1
        assert page.inner_text("#anuncio") == "1 na lista"
        for _ in range(4):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent") == first:
                break
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/{code}.html")
        assert page.inner_text("h1") == first
        assert watched.troubles == []


@pytest.mark.parametrize("name", LISTS)
def test_a_list_needs_no_accents_and_says_that_there_is_nothing(
    browser: Browser, folder: Path, name: str
) -> None:
    with looking(browser) as watched:
        page = watched.page
        page.goto((folder / name).as_uri())
        rows = page.locator("[data-lista] :is(tbody tr, li)")
        whole = rows.count()
        words = " ".join(rows.all_inner_texts()).split()
        accented = next(word for word in words if word.isalpha() and not word.isascii())
        typed = plain(accented)
        page.fill("#filtra", f"  {typed} ")
        shown = rows.locator("visible=true").all_inner_texts()
        assert 0 < len(shown) < whole
        assert all(typed in plain(text) for text in shown)
        page.fill("#filtra", "nenhuma com este nome")
        assert rows.locator("visible=true").count() == 0
        assert page.locator("#anuncio").is_visible()
        assert page.inner_text("#anuncio") == "Nada foi encontrado. Tente outro nome."
        page.fill("#filtra", "")
        assert rows.locator("visible=true").count() == whole
        assert not page.locator("#anuncio").is_visible()
        assert watched.troubles == []
