"""The dictionary: nothing undocumented, and each rule catches what it is there for."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml
from click.testing import CliRunner

from conftest import House, environment
from mapa import dictionary
from mapa.commands.dictionary import dictionary as command
from mapa.dictionary import checks, entries, files
from mapa.dictionary.yaml_keys import unknown_keys
from mapa.errors import LayoutError

MODEL = "model.mapa.pub_dim_estabelecimentos"
COLUMN = "unidade_nome"


@pytest.fixture(scope="module")
def manifest(city_house: House) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        (city_house.settings.dbt_target_path / "manifest.json").read_bytes()
    )
    return content


@pytest.fixture(scope="module")
def before(city_house: House, manifest: dict[str, Any]) -> set[checks.Finding]:
    """Return what the rules say of the project as it stands, without the database."""
    return set(checks.all_findings(city_house.project, manifest, {}))


def copy_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return a copy to spoil; JSON is several times as fast as `deepcopy`."""
    copied: dict[str, Any] = json.loads(json.dumps(manifest))
    return copied


def test_nothing_in_the_project_is_undocumented(city_house: House) -> None:
    with environment(city_house.env):
        findings = dictionary.check(city_house.settings)
    assert [str(finding) for finding in findings] == []


def test_the_csv_has_a_row_for_every_column(city_house: House, manifest: dict[str, Any]) -> None:
    path = city_house.settings.published / "dicionario.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert {row["dados"] for row in rows} == {"sintéticos"}
    expected = {
        (node["schema"], node["name"], column)
        for node in entries.documented(manifest)
        for column in node["columns"]
    }
    assert {(row["schema"], row["tabela"], row["coluna"]) for row in rows} == expected
    published = [row for row in rows if row["schema"] == "publicacao"]
    assert published
    assert {row["classe_lgpd"] for row in published} == {"publico"}
    assert all(row["tipo"] and row["descricao"] and row["origem"] for row in published)


def as_excel_opens(content: bytes) -> list[list[str]]:
    """Return the cells that a double click in a Brazilian Excel shows.

    It takes UTF-8 only by its mark, else windows-1252; the delimiter is the one of the region; a
    line ends with CR and LF outside quotes.
    """
    mark = b"\xef\xbb\xbf"
    text = content[3:].decode() if content.startswith(mark) else content.decode("windows-1252")
    cells, cell, quoted, at = [[""]], "", False, 0
    while at < len(text):
        if text[at] == '"' and quoted and text[at : at + 2] == '""':
            cell, at = f'{cell}"', at + 1
        elif text[at] == '"' and (quoted or not cell):
            quoted = not quoted
        elif not quoted and text[at] == ";":
            cells[-1][-1], cell = cell, ""
            cells[-1].append("")
        elif not quoted and text[at : at + 2] == "\r\n":
            cells[-1][-1], cell, at = cell, "", at + 1
            cells.append([""])
        else:
            cell += text[at]
        at += 1
    assert not quoted
    assert cells.pop() == [""]
    return cells


def test_the_csv_opens_in_a_brazilian_excel(city_house: House) -> None:
    heading, *rows = as_excel_opens((city_house.settings.published / "dicionario.csv").read_bytes())
    assert tuple(heading) == entries.HEADINGS
    assert len(rows) > 500
    assert {len(row) for row in rows} == {len(heading)}
    told = {(row[2], row[4]): row[6] for row in rows}
    assert (
        "PPI da central executora para o procedimento no mês."
        in (told["pub_oferta_real_por_mes", "qtd_ppi"])
    )
    every = [cell for row in rows for cell in row]
    # Excel would run a cell that begins so, and read one of digits and a comma as a number.
    assert [cell for cell in every if cell.startswith(("=", "+", "-", "@", "\t"))] == []
    assert [cell for cell in every if "\n" in cell or "\r" in cell or len(cell) > 32_767] == []
    assert any(";" in cell for cell in every)


@pytest.mark.parametrize(
    "hard", ["a;b", 'diz "sim"', "1,5", "ção", "fim;", '"', "linha\nnova", "dois\r\nfins"]
)
def test_no_text_breaks_the_csv_apart(tmp_path: Path, hard: str) -> None:
    entry = entries.Entry(*[hard] * len(entries.HEADINGS))
    files.write_csv([entry, entry], tmp_path / "d.csv")
    heading, *rows = as_excel_opens((tmp_path / "d.csv").read_bytes())
    assert tuple(heading) == entries.HEADINGS
    assert rows == [[hard] * len(heading)] * 2


def test_the_spreadsheet_is_ready_to_use(city_house: House) -> None:
    book = openpyxl.load_workbook(city_house.settings.published / "dicionario.xlsx")
    assert book.sheetnames == ["Colunas", "Tabelas"]
    for sheet, headings in zip(
        book.worksheets, (entries.HEADINGS, entries.TABLE_HEADINGS), strict=True
    ):
        assert tuple(cell.value for cell in sheet[1]) == headings
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref == sheet.dimensions
        assert sheet.max_row > 5


def test_the_digest_follows_what_the_dictionary_says(manifest: dict[str, Any]) -> None:
    altered = copy_of(manifest)
    assert dictionary.digest(altered) == dictionary.digest(manifest)
    altered["nodes"][MODEL]["columns"][COLUMN]["description"] += "x"
    assert dictionary.digest(altered) != dictionary.digest(manifest)


def test_an_entry_is_in_force_drafted_or_replaced(manifest: dict[str, Any]) -> None:
    states = {each.tabela: each.situacao for each in entries.tables(manifest)}
    # How what counts people will be published, with what suppressed, is still open.
    drafts = {
        "fila_por_mes",
        "espera_por_mes",
        "absenteismo_por_mes",
        "absenteismo_por_residencia_por_mes",
    }
    assert {name for name, state in states.items() if state == "em elaboração"} == drafts
    assert {state for name, state in states.items() if name not in drafts} == {"em vigor"}
    altered = copy_of(manifest)
    replaced_by("unidade_cnes")(altered)
    rows = {(row.tabela, row.coluna): row for row in entries.columns(altered, {})}
    (told, other) = (
        rows["pub_dim_estabelecimentos", name].situacao for name in (COLUMN, "unidade_cnes")
    )
    assert (told, other) == ("substituída por unidade_cnes", "em vigor")
    altered["nodes"]["model.mapa.fila_por_mes"]["config"]["meta"]["substituida_por"] = "outra"
    (state,) = (each.situacao for each in entries.tables(altered) if each.tabela == "fila_por_mes")
    assert state == "substituída por outra"
    assert dictionary.digest(altered) != dictionary.digest(manifest)


def column_text(text: str) -> Callable[[dict[str, Any]], None]:
    def alter(manifest: dict[str, Any]) -> None:
        manifest["nodes"][MODEL]["columns"][COLUMN]["description"] = text

    return alter


def text_of_two_marts(manifest: dict[str, Any]) -> None:
    column = manifest["nodes"]["model.mapa.oferta_horas_por_mes"]["columns"]["qtd_vagas_em_feriado"]
    column["description"] += " E mais."


def column_class(lgpd: str | None, model: str = MODEL) -> Callable[[dict[str, Any]], None]:
    def alter(manifest: dict[str, Any]) -> None:
        first = next(iter(manifest["nodes"][model]["columns"].values()))
        first["config"]["meta"]["lgpd"] = lgpd

    return alter


def node_key(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def alter(manifest: dict[str, Any]) -> None:
        manifest["nodes"][MODEL][key] = value

    return alter


def no_grain(manifest: dict[str, Any]) -> None:
    del manifest["nodes"][MODEL]["config"]["meta"]["grao"]


def other_grain(manifest: dict[str, Any]) -> None:
    manifest["nodes"][MODEL]["config"]["meta"]["grao"] = ["outra"]


def untested_quantities(manifest: dict[str, Any]) -> None:
    for name in [n for n in manifest["nodes"] if "fila_por_mes__nunca_negativas" in n]:
        del manifest["nodes"][name]


def untested_grain(manifest: dict[str, Any]) -> None:
    for name in [n for n in manifest["nodes"] if "pub_dim_estabelecimentos__grao" in n]:
        del manifest["nodes"][name]


def replaced_by(name: str) -> Callable[[dict[str, Any]], None]:
    def alter(manifest: dict[str, Any]) -> None:
        manifest["nodes"][MODEL]["columns"][COLUMN]["config"]["meta"]["substituida_por"] = name

    return alter


def backward_reference(manifest: dict[str, Any]) -> None:
    manifest["parent_map"]["model.mapa.dim_estabelecimentos"].append(MODEL)


def macro_without_text(manifest: dict[str, Any]) -> None:
    manifest["macros"]["macro.mapa.pad_code"]["description"] = ""


@pytest.mark.parametrize(
    ("alter", "problem"),
    [
        (column_text(""), ".unidade_nome has no description"),
        (column_text("Esta coluna traz o nome."), "empty phrase"),
        (column_text("Nome que a unidade tem atualmente."), "atualmente"),
        (column_text("Unidade nome."), "only repeats the name"),
        (column_text("Denominação " + "muito " * 15 + "longa."), "more than 90"),
        (node_key("description", ""), "has no description"),
        (node_key("description", "Unidades."), "lacks **Grão:**"),
        (node_key("columns", {}), "describes no columns"),
        (node_key("raw_code", "select 1\n" * 151), "has 151 lines, more than 150"),
        (node_key("patch_path", "mapa://models/publicacao/outro.yml"), "belongs in"),
        (node_key("name", "estabelecimentos"), "a name starts with pub_"),
        (column_text("Denominação de outra coisa."), "says something else than in dim_estab"),
        (column_text("Denominação de outra coisa."), "says otherwise than col_unidade_nome"),
        (text_of_two_marts, "begin with the doc block col_qtd_vagas_em_feriado"),
        (column_class(None), "config.meta.lgpd is missing"),
        (column_class("secreto"), "config.meta.lgpd is secreto"),
        (column_class("pseudonimo"), "`pseudonimo` is not allowed in publicacao"),
        (column_class("pessoal", "model.mapa.dim_estabelecimentos"), "not allowed in marts"),
        (no_grain, "config.meta.grao is missing"),
        (other_grain, "the grain names outra, which is no column"),
        (untested_quantities, "no test fila_por_mes__nunca_negativas looks at"),
        (untested_grain, "no test pub_dim_estabelecimentos__grao"),
        (node_key("config", {"meta": {"situacao": "nova"}}), "situacao is nova, not em_elabor"),
        (node_key("config", {"meta": {"situacao": "em_elaboracao"}}), "so that it is no draft"),
        (replaced_by("outra"), "substituida_por names outra, which is not there"),
        (replaced_by(COLUMN), f"substituida_por names {COLUMN}, which is not there"),
        (node_key("config", {"meta": {"substituida_por": "pub_outra"}}), "names pub_outra, which"),
        (backward_reference, "which comes later"),
        (macro_without_text, "macro pad_code has no description"),
    ],
)
def test_each_rule_objects(
    city_house: House,
    manifest: dict[str, Any],
    before: set[checks.Finding],
    alter: Callable[[dict[str, Any]], None],
    problem: str,
) -> None:
    altered = copy_of(manifest)
    alter(altered)
    new = set(checks.all_findings(city_house.project, altered, {})) - before
    assert any(problem in str(finding) for finding in new), sorted(map(str, new))


def test_a_staging_model_may_be_described_with_its_source(
    city_house: House, manifest: dict[str, Any], before: set[checks.Finding]
) -> None:
    def findings(model: str, path: str) -> set[checks.Finding]:
        altered = copy_of(manifest)
        altered["nodes"][f"model.mapa.{model}"]["patch_path"] = f"mapa://models/{path}/_sources.yml"
        return set(checks.all_findings(city_house.project, altered, {})) - before

    assert not findings("stg_sisreg__tetos", "staging/sisreg")
    assert len(findings("stg_sisreg__tetos", "staging/cnes")) == 1
    assert len(findings("dim_territorio", "marts/dimensoes")) == 1


def test_columns_are_compared_with_the_database(
    city_house: House, manifest: dict[str, Any]
) -> None:
    told = list(manifest["nodes"][MODEL]["columns"])

    def findings(actual: list[str]) -> str:
        columns = {name: {"name": name, "index": i} for i, name in enumerate(actual, start=1)}
        catalog = {"nodes": {MODEL: {"columns": columns}}, "sources": {}}
        found = checks.all_findings(city_house.project, manifest, catalog)
        return "\n".join(str(f) for f in found if "pub_dim_estabelecimentos" in str(f))

    assert findings(told) == ""
    assert "nova is in the database and not described" in findings([*told, "nova"])
    assert f"{told[-1]} is described and not in the database" in findings(told[:-1])
    assert "not described in the order of the table" in findings(told[::-1])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("models: [{name: m, desription: x}]", "model m: unknown key `desription`"),
        ("models: [{name: m, meta: {}}]", "model m: unknown key `meta`"),
        ("models: [{name: m, tests: []}]", "model m: unknown key `tests`"),
        ("models: [{name: m, columns: [{name: c, lgpd: publico}]}]", "m.c: unknown key `lgpd`"),
        (
            "models: [{name: m, columns: [{name: c, data_tests: [not_null]}]}]",
            "m.c: test `not_null` has no explicit name",
        ),
        (
            "models: [{name: m, data_tests: [{nunca_negativas: {name: m__n, tambem: [c]}}]}]",
            "m, test nunca_negativas: unknown key `tambem`",
        ),
        ("sources: [{name: s, tables: [{name: t, colunms: []}]}]", "table t: unknown key"),
        ("macros: [{name: m, arguments: [{name: a, tipo: x}]}]", "macro m.a: unknown key `tipo`"),
        ("version: 2", "unknown key `version`"),
    ],
)
def test_keys_that_dbt_ignores_are_found(text: str, problem: str) -> None:
    assert any(problem in found for found in unknown_keys(yaml.safe_load(text)))


def test_a_misspelled_key_ends_the_command_with_its_file(city_house: House, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for name in ("models", "macros", "seeds"):
        shutil.copytree(city_house.project / name, project / name)
    shutil.copytree(city_house.project / "tests" / "generic", project / "tests" / "generic")
    shutil.copyfile(city_house.project / "dbt_project.yml", project / "dbt_project.yml")
    file = project / "models" / "publicacao" / "pub_dim_estabelecimentos.yml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("description:", "desription:", 1), encoding="utf-8")
    with environment(
        city_house.env
        | {"DBT_PROJECT_DIR": str(project), "DBT_TARGET_PATH": str(tmp_path / "target")}
    ):
        result = CliRunner().invoke(command, ["--check"])
    assert result.exit_code == LayoutError.exit_code
    said = result.stdout.splitlines()
    where = "models/publicacao/pub_dim_estabelecimentos.yml: "
    assert f"{where}model pub_dim_estabelecimentos: unknown key `desription`" in said
    assert f"{where}pub_dim_estabelecimentos has no description" in said
