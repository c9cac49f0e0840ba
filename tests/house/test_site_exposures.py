"""Each page of the menu is an exposure of dbt: who answers for it, and exactly what it reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb
import pytest

from conftest import House
from mapa.publish import read_manifest, store
from mapa.site import pages
from mapa.site.dictionary import Dictionary
from mapa.site.page import MENU
from mapa.site.pages import about, data, dictionary, indicators
from mapa.site.release import Release, opened

AS_OF = "pub_atualizacao"
"""What every page reads, for its day, its source and its licence."""


@dataclass(eq=False)
class Listening:
    """A connection that remembers which published tables it was asked for."""

    con: duckdb.DuckDBPyConnection
    asked: set[str] = field(default_factory=lambda: {AS_OF})

    def execute(self, sql: str, *values: Any) -> duckdb.DuckDBPyConnection:
        """Run a query, as the connection does."""
        self.asked.update(re.findall(r"\bpub_\w+", sql))
        return self.con.execute(sql, *values)


@pytest.fixture(scope="module")
def described(city_house: House) -> Dictionary:
    manifest = json.loads((city_house.settings.dbt_target_path / "manifest.json").read_bytes())
    return Dictionary(manifest, {}, city_house.project)


@pytest.fixture(scope="module")
def exposed(described: Dictionary) -> dict[str, dict[str, Any]]:
    """Return the exposures by the page that they are about."""
    return {one["url"]: one for one in described.manifest["exposures"].values()}


@pytest.fixture
def release(city_house: House) -> Iterator[Release]:
    with opened(city_house.settings.published / store.DATABASE, "1", "MPDFT") as found:
        yield replace(found, con=Listening(found.con))  # type: ignore[arg-type]


def behind(exposure: dict[str, Any]) -> set[str]:
    """Return the models that a page is said to be made of."""
    return {name.split(".")[-1] for name in exposure["depends_on"]["nodes"]}


def asked(release: Release) -> set[str]:
    """Return the tables that were asked for."""
    assert isinstance(release.con, Listening)
    return release.con.asked


def test_each_page_of_the_menu_has_one_entry_and_no_other_has(
    described: Dictionary, exposed: dict[str, dict[str, Any]]
) -> None:
    assert len(exposed) == len(described.manifest["exposures"])
    assert {path: f"Site: {title}" for path, title in MENU} == {
        url: one["label"].replace(" e reconciliação", "") for url, one in exposed.items()
    }
    for one in exposed.values():
        assert one["owner"]["name"] == "MPDFT"
        assert one["description"].strip()
        assert {name.split(".")[2][:4] for name in one["depends_on"]["nodes"]} == {"pub_"}


@pytest.mark.parametrize(
    "module", pages.MODULES, ids=lambda module: module.__name__.rpartition(".")[2]
)
def test_a_page_reads_what_its_entry_says_and_nothing_else(
    release: Release, exposed: dict[str, dict[str, Any]], module: Any
) -> None:
    listening = release.con
    assert isinstance(listening, Listening)
    told: dict[str, set[str]] = {}
    last = ""
    for page in module.pages(release):
        # What a page of the menu does not ask for itself, the pages below it do.
        last = page.path if page.path in exposed else last
        told[last] = told.get(last, set()) | listening.asked
        listening.asked = {AS_OF}
    told[last] |= listening.asked
    assert {path: behind(exposed[path]) for path in told} == told


def test_pages_about_the_tables_say_all_of_them(
    release: Release,
    described: Dictionary,
    exposed: dict[str, dict[str, Any]],
    city_house: House,
) -> None:
    everything = {table.name for table in described.tables if table.public}
    list(dictionary.pages(release, described))
    assert behind(exposed["dicionario/index.html"]) == asked(release) == everything
    version = read_manifest(city_house.settings.published)
    assert version is not None
    (page,) = data.pages(release, version)
    assert behind(exposed[page.path]) == {table["name"] for table in version["tables"]}
    catalogue, *_ = indicators.pages(described)
    assert behind(exposed[catalogue.path]) == everything
    (page,) = about.pages(release, described)
    assert behind(exposed[page.path]) == {AS_OF}
