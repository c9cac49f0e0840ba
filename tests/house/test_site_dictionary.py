"""The dictionary of the site: whole, true to its sources, and every link leads somewhere."""

from __future__ import annotations

import copy
import csv
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from lxml import html

from conftest import PROJECT, House
from mapa.dictionary.entries import documented
from mapa.site import indicators, release, render, text
from mapa.site.dictionary import COVER_PAGE, HISTORY, UNITS, Dictionary
from mapa.site.lineage import Lineage
from mapa.site.pages import about, dictionary, offer
from mapa.site.release import Release
from site_links import Site

CASES = PROJECT / "tests" / "fixtures" / "oferta" / "casos.yml"
SEED = PROJECT / "seeds" / "dicionario_codigos.csv"
HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(1)> [aqui](javascript:alert(1)) "
    "![aqui](javascript:alert(1)) `pub_atualizacao`<b> </script>\u2028 Nulo: <i>não</i> se sabe."
)


@dataclass(frozen=True)
class Written:
    """The site of the published version.

    Attributes:
        folder: where it stands, among the other files of the version.
        release: the published file, open.
        version: the manifest of the version.
        pages: all that it has.

    """

    folder: Path
    release: Release
    version: dict[str, Any]
    pages: Site

    def page(self, path: str) -> html.HtmlElement:
        """Return one page."""
        return self.pages.pages[self.folder / path]


@pytest.fixture(scope="module")
def described(city_house: House) -> Dictionary:
    target = city_house.settings.dbt_target_path
    return Dictionary(
        manifest=json.loads((target / "manifest.json").read_bytes()),
        catalog=json.loads((target / "docs" / "catalog.json").read_bytes()),
        project=PROJECT,
        results=json.loads((target / "run_results.json").read_bytes()),
    )


@pytest.fixture(scope="module")
def site(city_house: House) -> Iterator[Written]:
    version = (city_house.settings.published / "current").resolve()
    told = json.loads((version / "manifest.json").read_bytes())
    pages = Site(version / "site")
    with release.opened(
        version / "mapa_publico.duckdb", told["version"], told["publisher"]
    ) as opened:
        yield Written(pages.folder, opened, told, pages)


def rewritten(site: Written, described: Dictionary, folder: Path) -> Site:
    """Write the pages of another dictionary."""
    pages = list(dictionary.pages(site.release, described))
    renderer = render.Renderer(site.release, folder, {page.path for page in pages})
    for page in pages:
        renderer.write(page)
    return Site(folder)


def said(element: html.HtmlElement) -> str:
    """Return the text of an element on one line."""
    return " ".join(element.text_content().split())


def column_of(page: html.HtmlElement, name: str) -> html.HtmlElement:
    """Return the section of a column."""
    (heading,) = page.xpath(f'//h3[@id="coluna-{name}"]')
    return heading.getparent()


def field(section: html.HtmlElement, title: str) -> str | None:
    """Return what a section says under a title; None when it says nothing."""
    found = section.xpath(f'.//dt[text()="{title}"]/following-sibling::dd[1]')
    return said(found[0]) if found else None


# --- nothing is missing --------------------------------------------------------------------------


def test_every_published_column_has_a_place_of_its_own(site: Written) -> None:
    for table in site.release.tables():
        page = site.page(f"dicionario/{table}.html")
        comments = site.release.described(table)
        assert comments
        for name, comment in comments.items():
            section = column_of(page, name)
            first = comment.strip().partition("\n")[0].replace("`", "").replace("*", "")
            assert first in said(section).replace("  ", " "), f"{table}.{name}"
            assert field(section, "Tipo"), f"{table}.{name}"
            assert field(section, "Classe LGPD") == "publico"


def test_every_table_and_column_of_the_project_has_one(
    site: Written, described: Dictionary
) -> None:
    index = site.page("dicionario/index.html")
    listed = [str(link) for link in index.xpath("//section//li/a/@href")]
    for node in documented(dict(described.manifest)):
        source = node.get("source_name")
        file = f"{source}_{node['name']}.html" if source else f"{node['name']}.html"
        assert file in listed
        anchors = set(site.page(f"dicionario/{file}").xpath("//h3/@id"))
        assert {f"coluna-{name}" for name in node["columns"]} == anchors, file


def test_the_published_tables_are_the_first(site: Written) -> None:
    index = site.page("dicionario/index.html")
    listed = [said(link) for link in index.xpath("//section//li/a")]
    public = site.release.tables()
    assert listed[: len(public)] == public


def test_a_list_of_codes_is_printed_as_the_seed_has_it(
    site: Written, described: Dictionary
) -> None:
    with SEED.open(encoding="utf-8", newline="") as lines:
        seed = list(csv.DictReader(lines))
    tests = [
        node
        for node in described.manifest["nodes"].values()
        if (node.get("test_metadata") or {}).get("name") == "codigo_no_dicionario"
    ]
    assert len(tests) > 50
    accepted = {
        (node["attached_node"], node["column_name"]): node["test_metadata"]["kwargs"]["values"]
        for node in described.manifest["nodes"].values()
        if (node.get("test_metadata") or {}).get("name") == "accepted_values"
    }
    for node in tests:
        given = node["test_metadata"]["kwargs"]
        table = described.manifest["nodes"][node["attached_node"]]["name"]
        section = column_of(site.page(f"dicionario/{table}.html"), given["column_name"])
        printed = [tuple(said(cell) for cell in row) for row in section.xpath(".//table//tbody/tr")]
        narrowed = accepted.get((node["attached_node"], given["column_name"]))
        expected = [
            tuple(" ".join(row[key].split()) for key in ("codigo", "rotulo", "descricao"))
            for row in seed
            if row["coluna"] == given["dicionario"] and (not narrowed or row["codigo"] in narrowed)
        ]
        assert expected
        assert printed == expected, node["name"]


def test_a_published_table_tells_its_rows_period_and_gaps(site: Written) -> None:
    for table in site.version["tables"]:
        page = site.page(f"dicionario/{table['name']}.html")
        assert field(page, "Linhas") == text.number(table["rows"])
    name = "pub_oferta_real_por_mes"
    page = site.page(f"dicionario/{name}.html")
    (row,) = site.release.con.execute(
        "select min(competencia), max(competencia), count(*) - count(qtd_ppi), count(*) "
        f"from {name}"
    ).fetchall()
    assert field(page, "Período") == f"{text.day(row[0])} a {text.day(row[1])}"
    gaps = field(column_of(page, "qtd_ppi"), "Ausente em")
    assert gaps == f"{text.percent(row[2], row[3])} das linhas"
    assert field(column_of(page, "competencia"), "Ausente em") == "nenhuma linha"


def test_a_column_says_each_thing_in_a_field_of_its_own(site: Written) -> None:
    section = column_of(site.page("dicionario/pub_oferta_real_por_mes.html"), "qtd_oferta_real")
    assert field(section, "Unidade") == "vagas"
    assert "número inteiro" in (field(section, "Tipo") or "")
    assert "nula e não zero" in (field(section, "Valor ausente") or "")
    assert "nunca abaixo de zero" in (field(section, "Conferências") or "")
    assert "passou" in (field(section, "Conferências") or "")
    near = field(section, "Vem de") or ""
    assert "oferta_real_por_mes.qtd_oferta_real" in near.split(", ")
    assert (field(section, "Indicadores") or "").startswith("4: Oferta real")


def test_without_results_nothing_is_said_of_how_tests_ended(
    site: Written, described: Dictionary
) -> None:
    silent = replace(described, results=None)
    tests = [test for table in silent.tables for test in table.tests]
    tests += [test for table in silent.tables for c in table.columns for test in c.tests]
    assert tests
    assert {test.result for test in tests} == {None}


def test_the_unit_of_a_published_quantity_is_known(described: Dictionary) -> None:
    unknown = [
        f"{table.name}.{column.name}"
        for table in described.tables
        if table.public
        for column in table.columns
        if not column.unit and column.kind != "texto" and not column.codes
    ]
    # Parts of a date, and the one number that is a name.
    assert set(unknown) <= {
        f"pub_dim_calendario.{name}" for name in ("ano", "mes", "dia_semana_numero")
    } | {"pub_dim_territorio.area_numero", "pub_dim_estabelecimentos.area_numero"}
    assert len(UNITS) == len({pattern for pattern, _ in UNITS})


# --- where a column comes from --------------------------------------------------------------------


def test_the_sql_gives_the_columns_that_are_described(described: Dictionary) -> None:
    found = Lineage(described.manifest)._models
    models = {
        unique_id: [name.lower() for name in node["columns"]]
        for unique_id, node in described.manifest["nodes"].items()
        if node["resource_type"] == "model"
    }
    assert {unique_id: list(relation) for unique_id, relation in found.items()} == models


def test_a_published_column_leads_back_to_the_fields_of_the_sources(
    described: Dictionary,
) -> None:
    month = described.by_name["pub_oferta_real_por_mes"]
    total = month.column("qtd_vagas_total")
    assert total
    kinds = ("qtd_vagas_prim_vez", "qtd_vagas_reserva", "qtd_vagas_retorno")
    assert total.near == ("oferta_real_por_mes.qtd_vagas_total",)
    assert total.far == (("bruto_sisreg.escala_ambulatorial", kinds),)
    real = month.column("qtd_oferta_real")
    assert real
    fields = dict(real.far)
    assert {"bruto_sisreg.ppi", "bruto_sisreg.teto", "bruto_sisreg.escala_ambulatorial"} <= set(
        fields
    )
    # What nothing is read for: constants of the SQL, and variables of the build.
    made_here = {
        "pub_atualizacao": {"assunto", "eh_desatualizado", "licenca", "construcao_id"},
        "pub_oferta_causas_por_mes": {"vaga_tipo", "vaga_destino"},
    }
    for table in described.tables:
        if table.public:
            unknown = {column.name for column in table.columns if not column.near}
            assert unknown == made_here.get(table.name, set()), table.name


# --- search --------------------------------------------------------------------------------------


def entries_of(site: Written) -> list[dict[str, Any]]:
    """Return what the page gives to the search."""
    data = site.folder / "dados"
    script = (data / "dicionario_index.js").read_text(encoding="utf-8")
    assert script.startswith("MAPA.search(")
    first = json.loads(script.removeprefix("MAPA.search(")[:-3])
    rest = (site.folder / first["rest"]).read_text(encoding="utf-8")
    assert rest.startswith("MAPA.found(")
    found: list[dict[str, Any]] = [
        *first["entries"],
        *json.loads(rest.removeprefix("MAPA.found(")[:-3]),
    ]
    return found


def test_public_tables_are_found_first(site: Written) -> None:
    entries = entries_of(site)
    public = {f"{table}.html" for table in site.release.tables()}
    for entry in entries:
        inside = entry["at"].partition("#")[0] in public
        assert (entry["rank"] == 0) == inside, entry["name"]
    for asked in ("oferta real", "vaga"):
        found = [
            entry
            for entry in entries
            if asked in f"{entry['name']} {entry['text']}".lower().replace("_", " ")
        ]
        kinds = {entry["where"].partition(" ")[0] for entry in found}
        assert {"tabela,", "em", "regra", "glossário", "indicador"} <= kinds, asked
        assert found[0]["at"].partition("#")[0] in public


def test_what_is_found_stands_where_it_is_said_to(site: Written) -> None:
    pages = site.pages
    for entry in entries_of(site):
        file, _, place = entry["at"].partition("#")
        target = (site.folder / "dicionario" / file).resolve()
        assert not place or place in pages.names[target], entry["at"]
        assert target in pages.names


# --- indicators ----------------------------------------------------------------------------------


def test_every_column_that_a_sheet_names_exists(described: Dictionary) -> None:
    for sheet in indicators.sheets():
        places = sheet.places(described)
        assert len(places) >= len(sheet.columns)
        assert bool(sheet.caveats) == bool(sheet.question)
        assert not sheet.question or places, sheet.number
        assert not (sheet.obstacle and places), sheet.number


def test_the_catalogue_says_what_cannot_be_computed_and_why(
    described: Dictionary, site: Written
) -> None:
    impossible = [sheet for sheet in indicators.sheets() if sheet.obstacle]
    assert {sheet.number for sheet in impossible} >= {"33", "51"}
    page = site.page("indicadores/index.html")
    for sheet in impossible:
        assert sheet.state(described) == indicators.IMPOSSIBLE
        assert len(sheet.obstacle) > 40
        (row,) = (row for row in page.iter("tr") if row.get("id") == f"indicador-{sheet.number}")
        assert f"{indicators.IMPOSSIBLE}: {sheet.obstacle}" in said(row)


def test_a_sheet_of_a_column_that_is_gone_is_refused(described: Dictionary) -> None:
    (sheet,) = [sheet for sheet in indicators.sheets() if sheet.number == "4"]
    with pytest.raises(LookupError, match=r"indicator 4: oferta_real_por_mes\.qtd_perdida"):
        replace(sheet, columns=("oferta_real_por_mes.qtd_perdida",)).places(described)


def test_the_catalogue_is_whole_and_numbers_are_for_ever() -> None:
    numbers = [sheet.number for sheet in indicators.sheets()]
    parts = [f"47{part}" for part in "abc"]
    assert numbers == [str(n) for n in range(1, 47)] + parts + [str(n) for n in range(48, 68)]


def test_a_worked_example_is_a_golden_case_to_the_letter() -> None:
    cases = {case["nome"]: case for case in yaml.safe_load(CASES.read_text(encoding="utf-8"))}
    examples = [sheet.example for sheet in indicators.sheets() if sheet.example]
    assert len(examples) >= 8
    for example in examples:
        assert example == cases[example["nome"]]


def test_a_sheet_prints_what_goes_in_and_what_comes_out(site: Written) -> None:
    page = site.page("indicadores/4.html")
    tables = {
        said(table.find("caption")): [
            dict(zip(map(said, table.findall(".//thead//th")), map(said, row), strict=True))
            for row in table.findall(".//tbody/tr")
        ]
        for table in page.iter("table")
    }
    assert [row["vagas por dia"] for row in tables["Escalas"]] == ["60", "126"]
    assert tables["PPI"] == [{"quantidade": "1.010"}]
    (month,) = tables["Resultado no mês"]
    assert month["oferta total"] == "930"
    assert month["oferta bloqueada"] == "300"
    assert month["oferta real"] == "630"


def test_every_figure_of_the_pages_has_its_sheet(site: Written) -> None:
    sheets_told = {figure.sheet for figure in offer.SUM.figures if figure.sheet}
    assert sheets_told
    for number in sheets_told:
        assert (site.folder / f"indicadores/{number}.html").exists()


# --- the pages themselves ------------------------------------------------------------------------


def test_every_link_of_the_whole_site_leads_somewhere(site: Written) -> None:
    assert len(site.pages.pages) > 200
    assert site.pages.broken() == []


def test_nothing_on_the_pages_offends_their_policy(site: Written) -> None:
    assert site.pages.forbidden() == []


def test_the_page_of_the_data_offers_every_file_of_a_table(site: Written) -> None:
    page = site.page("dados.html")
    offered = {str(address).removeprefix("../") for address in page.xpath("//main//a/@href")}
    listed = {
        file["path"] for file in site.version["files"] if not file["path"].startswith("site/")
    }
    assert listed <= offered
    assert "manifest.json" in offered


def test_the_cover_says_what_it_is_and_for_when(site: Written) -> None:
    page = site.page("dicionario/index.html")
    assert "07/2025" in (field(page, "Instrumento") or "")
    # Nobody has told them: they are not invented.
    assert field(page, "Número ou termo") == field(page, "Órgão que aprova") == "não informado"
    assert field(page, "Órgão emissor") == site.version["publisher"]
    assert field(page, "Versão") == site.version["version"]
    assert field(page, "Dados até") == text.day(site.release.as_of)
    assert page.xpath('//*[@id="historico"]')


def test_the_agreement_is_what_the_project_says(
    site: Written, described: Dictionary, tmp_path: Path
) -> None:
    manifest = copy.deepcopy(dict(described.manifest))
    manifest["exposures"][COVER_PAGE]["config"]["meta"] = {
        "acordo": "",
        "acordo_numero": "ACT 12/2025",
        "orgao_aprovador": "CIB",
    }
    other = replace(described, manifest=manifest)
    folder = tmp_path / "site"
    folder.mkdir()
    cover = rewritten(site, other, folder).pages[(folder / "dicionario" / "index.html").resolve()]
    assert field(cover, "Instrumento") == "não informado"
    assert field(cover, "Número ou termo") == "ACT 12/2025"
    assert field(cover, "Órgão que aprova") == "CIB"
    (page,) = about.pages(site.release, other)
    assert "Instrumento: não informado." in page.content["text"]


def test_the_state_of_each_entry_is_said(site: Written, described: Dictionary) -> None:
    assert field(site.page("dicionario/pub_oferta_real_por_mes.html"), "Situação") == "em vigor"
    assert field(site.page("dicionario/fila_por_mes.html"), "Situação") == "em elaboração"
    assert "fila_por_mes (em elaboração)" in said(site.page("dicionario/index.html"))
    manifest = copy.deepcopy(dict(described.manifest))
    columns = manifest["nodes"]["model.mapa.pub_oferta_real_por_mes"]["columns"]
    columns["qtd_ppi"]["config"]["meta"]["substituida_por"] = "qtd_teto"
    table = replace(described, manifest=manifest).by_name["pub_oferta_real_por_mes"]
    column = table.column("qtd_ppi")
    assert column is not None
    assert (table.state, column.state) == ("em vigor", "substituída por qtd_teto")


def told_changes(text: str) -> dict[str, int]:
    """Return how many changes a file tells readers of the data of, by version."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    bodies = dict(zip(parts[1::2], parts[2::2], strict=True))
    return {
        version: len(re.findall(r"^- ", body, re.MULTILINE)) for version, body in bodies.items()
    }


def test_every_change_of_the_dictionary_is_told_in_portuguese() -> None:
    english = re.sub(
        r"^### (?!Dictionary).*?(?=^##|\Z)",
        "",
        (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8"),
        flags=re.MULTILINE | re.DOTALL,
    )
    told = told_changes((PROJECT / HISTORY).read_text(encoding="utf-8"))
    names = {"Unreleased": "Ainda sem versão"}
    assert told == {names.get(name, name): n for name, n in told_changes(english).items()}
    assert sum(told.values()) > 20


def test_a_project_that_tells_no_history_has_none(described: Dictionary, tmp_path: Path) -> None:
    assert described.history.startswith("## Ainda sem versão")
    assert replace(described, project=tmp_path).history == ""


def test_hostile_text_stays_text(site: Written, described: Dictionary, tmp_path: Path) -> None:
    manifest = copy.deepcopy(dict(described.manifest))
    node = manifest["nodes"]["model.mapa.pub_oferta_real_por_mes"]
    node["description"] = f"{HOSTILE}\n\n{HOSTILE}"
    for column in node["columns"].values():
        column["description"] = HOSTILE
    manifest["docs"]["doc.mapa.regra_oferta_real"]["block_contents"] = f"**{HOSTILE}** {HOSTILE}"
    (tmp_path / "seeds").mkdir()
    lines = SEED.read_text(encoding="utf-8").splitlines()
    (tmp_path / "seeds" / SEED.name).write_text(
        "\n".join(line.replace("Teto", "<script>alert(1)</script>Teto") for line in lines),
        encoding="utf-8",
    )
    (tmp_path / "docs").mkdir()
    (tmp_path / HISTORY).write_text(f"# H\n\n## 1\n\n- {HOSTILE}\n", encoding="utf-8")
    folder = tmp_path / "site"
    folder.mkdir()
    found = rewritten(site, Dictionary(manifest, described.catalog, tmp_path), folder)
    assert found.forbidden() == []
    for path, page in found.pages.items():
        assert not page.xpath("//img | //i | //b"), path
        assert not page.xpath('//*[starts-with(@href, "javascript:")]'), path
        assert all(str(at).startswith("../") for at in page.xpath("//script/@src")), path
    table = found.pages[(folder / "dicionario" / "pub_oferta_real_por_mes.html").resolve()]
    assert "<script>alert(1)</script>" in said(column_of(table, "qtd_oferta_real"))
    assert "<script>alert(1)</script>" in said(column_of(table, "limite_vinculante"))
    script = (folder / "dados" / "dicionario_index.js").read_text(encoding="utf-8")
    assert "<" not in script
    assert "\u2028" not in script


def test_the_pages_cost_little(site: Written, described: Dictionary, tmp_path: Path) -> None:
    """Seconds of a processor, with what is read from dbt's records."""
    began = time.process_time()
    rewritten(site, replace(described), tmp_path)
    assert time.process_time() - began <= 8
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "dicionario").iterdir()}
    assert max(sizes.values()) < 300_000
    assert (tmp_path / "dados" / "dicionario_index.js").stat().st_size < 400_000
