"""The mirror of the sources' variables: every field has a meaning, and columns or a reason."""

from __future__ import annotations

import copy
import csv
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import duckdb
import pytest
from lxml import html
from openpyxl import load_workbook

from conftest import PROJECT, House
from mapa import layouts as raw
from mapa.publish import contents, read_manifest, store
from mapa.publish.identifiers import identifier_in
from mapa.site import mirror
from mapa.site.dictionary import Dictionary
from mapa.site.text import UNKNOWN

FIXTURES = PROJECT / "tests" / "fixtures" / "load"
DAY_OR_HOUR = re.compile(r"\d\d[:./-]\d\d")


@pytest.fixture(scope="module")
def described(city_house: House) -> Dictionary:
    target = city_house.settings.dbt_target_path
    manifest, catalog = (
        json.loads((target / name).read_bytes()) for name in ("manifest.json", "docs/catalog.json")
    )
    return Dictionary(manifest, catalog, PROJECT)


@pytest.fixture(scope="module")
def found(described: Dictionary) -> list[mirror.Layout]:
    return mirror.layouts(described)


@pytest.fixture(scope="module")
def fields(found: list[mirror.Layout]) -> list[mirror.Variable]:
    return [one for layout in found for one in layout.variables]


def owed(described: Dictionary) -> Iterator[str]:
    """Yield what the mirror lacks of each field."""
    reasons = {
        f"{node['schema']}.{node['name']}.{name}": column["config"]["meta"].get("nao_lido")
        for node in described.manifest["sources"].values()
        for name, column in node["columns"].items()
    }
    for layout in mirror.layouts(described):
        for one in layout.variables:
            name = f"{one.tabela}.{one.campo}"
            if not one.significado:
                yield f"{name}: no meaning"
            if one.exemplo == UNKNOWN:
                yield f"{name}: no example"
            if not one.colunas and one.por_que_nao in ("", mirror.UNTOLD):
                yield f"{name}: no column and no reason"
            if one.colunas and reasons.get(name):
                yield f"{name}: it is read, and a reason says why not"


def test_every_field_of_every_layout_is_there(fields: list[mirror.Variable]) -> None:
    told = [(one.tabela, one.campo) for one in fields]
    assert len(set(told)) == len(told)
    parts = {
        "procedimentos": ("codigo_interno", "descricao_interna", "codigo_sigtap",
                          "descricao_sigtap"),
        "laudo": ("codigo_cnes_operador", "nome_cnes_operador", "tipo_perfil", "tipo_descricao",
                  "situacao", "data_observacao"),
    }  # fmt: skip
    assert set(told) == {
        (layout.table, name)
        for layout in raw.read(PROJECT)
        for column in layout.columns
        for name in (
            column,
            *(f"{column}.{part}" for part in (parts[column] if column in layout.nested else ())),
        )
    } | {(layout.table, name) for layout in raw.read(PROJECT) for name in layout.withheld}


def test_every_field_has_a_meaning_and_either_columns_or_a_reason(described: Dictionary) -> None:
    assert list(owed(described)) == []


@pytest.mark.parametrize(
    ("table", "column", "change", "said"),
    [
        ("teto", "qtd_teto", {"description": " "}, "no meaning"),
        ("teto", "qtd_teto", {"nao_lido": "repetido"}, "it is read, and a reason says why not"),
        ("agendamento", "telefone", {"nao_lido": None}, "no column and no reason"),
        ("agendamento", "telefone", {"nao_lido": "sem_texto"}, "no column and no reason"),
        ("teto", "nunca_visto", {"description": "Nada."}, "no column and no reason"),
        ("teto", "nunca_visto", {"description": "Nada."}, "no example"),
    ],
)
def test_a_field_that_owes_something_is_noticed(
    described: Dictionary, table: str, column: str, change: dict[str, Any], said: str
) -> None:
    manifest = copy.deepcopy(dict(described.manifest))
    columns = manifest["sources"][f"source.mapa.bruto_sisreg.{table}"]["columns"]
    changed = columns.setdefault(
        column, {"name": column, "description": "", "config": {"meta": {"lgpd": "publico"}}}
    )
    for key, value in change.items():
        (changed if key == "description" else changed["config"]["meta"])[key] = value
    found = list(owed(replace(described, manifest=manifest)))
    assert f"bruto_sisreg.{table}.{column}: {said}" in found
    assert all(one.startswith(f"bruto_sisreg.{table}.{column}: ") for one in found)


def test_columns_are_those_that_the_sql_computes(fields: list[mirror.Variable]) -> None:
    of = {(one.leiaute, one.campo): one for one in fields}
    slots = of["escala", "qtd_vagas_retorno"]
    assert slots.colunas == ("stg_sisreg__escalas.qtd_vagas_retorno",)
    assert "pub_oferta_real_por_mes.qtd_vagas_total" in slots.publicadas
    assert slots.ate_a_camada == "publicação"
    assert "pub_oferta_real_por_mes" in slots.published_in
    # The loader makes the key of it, and the key is read.
    assert of["escala", "cod_escala_ambulatorial"].colunas == ("stg_sisreg__escalas.escala_codigo",)
    phone = of["agendamento", "telefone"]
    assert (phone.colunas, phone.publicadas, phone.ate_a_camada) == ((), (), "")
    withheld = of["solicitacao-hospitalar", "sintomas"]
    assert (withheld.coluna, withheld.classe_lgpd) == ("", "")
    assert withheld.por_que_nao.startswith("Não entra no banco")
    assert not [one for one in fields if one.classe_lgpd != "publico" and "pub_" in one.coluna]


def test_no_example_is_of_anybody(fields: list[mirror.Variable]) -> None:
    assert [one.campo for one in fields if identifier_in(one.exemplo)] == []
    assert {one.exemplo for one in fields if "cpf" in one.campo} == {"0" * 11}


def test_days_and_hours_have_the_form_that_the_layout_has(fields: list[mirror.Variable]) -> None:
    compared, wrong = 0, []
    for one in fields:
        file = FIXTURES / f"{one.leiaute}.csv"
        if not DAY_OR_HOUR.search(one.exemplo) or not file.exists():
            continue
        with file.open(encoding="utf-8-sig", errors="replace") as lines:
            heading, *rows = csv.reader(lines, delimiter=";")
        names = [re.sub(r"\W+", "_", name.strip().lower()).strip("_") for name in heading]
        if one.campo not in names:
            continue
        values = {row[names.index(one.campo)] for row in rows if len(row) == len(names)}
        forms = {re.sub(r"\d", "9", value) for value in values if re.match(r"\d", value)}
        if forms:
            shown = re.sub(r"\d", "9", one.exemplo)
            if shown not in forms | {form[:5] for form in forms}:
                wrong.append((one.leiaute, one.campo, forms))
            compared += 1
    assert wrong == []
    assert compared > 15


def test_page_and_files_say_the_same(city_house: House, fields: list[mirror.Variable]) -> None:
    published = city_house.settings.published
    with (published / store.MIRROR[1]).open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter=";"))
    sheet = load_workbook(published / store.MIRROR[0], read_only=True)["Variáveis"]
    cells = [row[:3] for row in sheet.iter_rows(min_row=2, values_only=True)]
    told = [(one.leiaute, one.tabela, one.campo) for one in fields]
    assert [(row["leiaute"], row["tabela"], row["campo"]) for row in rows] == told == cells
    assert {row["dados"] for row in rows} == {"sintéticos"}
    page = html.parse(published / store.SITE / "dicionario" / "espelho.html")
    assert len(page.xpath('//table[@class="plano"]/tbody/tr')) == len(fields)
    (finding,) = page.xpath('//p[@id="achado"]/text()')
    unread = sum(1 for row in rows if row["por_que_nao"] and row["coluna"])
    withheld = sum(1 for row in rows if not row["coluna"])
    assert finding == (
        f"As fontes têm {len(fields)} campos em {len({row['leiaute'] for row in rows})} leiautes, "
        f"todos com significado: de {len(fields) - unread - withheld} saem colunas da casa, e de "
        f"{sum(1 for row in rows if row['publicadas'])} saem colunas publicadas; {unread} não são "
        f"lidos, com a razão, e {withheld} nunca são carregados."
    )


def test_what_loads_found_otherwise_is_shown_and_strange_names_stay_inside(
    city_house: House,
) -> None:
    published = city_house.settings.published
    manifest = read_manifest(published)
    assert manifest is not None
    assert manifest["source_drift"] == [
        {"table": f"bruto_sisreg.{name}", "unknown": 1, "missing": [], "retyped": []}
        for name in ("marcacao_ambulatorial", "solicitacao_ambulatorial", "solicitacao_hospitalar")
    ]
    with duckdb.connect(str(city_house.settings.warehouse), read_only=True) as con:
        strange = con.execute("select distinct campo from controle.campos_desconhecidos").fetchall()
    page = (published / store.SITE / "dicionario" / "espelho.html").read_text(encoding="utf-8")
    assert page.count("1 campo que o leiaute não prevê") == 3
    written = page + json.dumps(manifest) + (published / store.MIRROR[1]).read_text("utf-8-sig")
    assert strange
    assert [name for (name,) in strange if name in written] == []


def test_drift_is_the_last_word_on_each_field_of_a_layout(described: Dictionary) -> None:
    with duckdb.connect() as con:
        assert contents.drift(con, dict(described.manifest)) == []
        con.execute("create schema controle")
        con.execute(
            "create table controle.cargas as from (values ('a', 1, 'arquivo', 'teto'), "
            "('b', 2, 'arquivo', 'teto'), ('c', 3, 'oferta_api', 'escala')) "
            "as t (carga_id, ordem, fonte, entidade)"
        )
        con.execute(
            "create table controle.campos as from (values "
            "('a', 'arquivo', 'teto', 'qtd_teto', 'conhecido', false), "
            "('b', 'arquivo', 'teto', 'qtd_teto', 'tipo', false), "
            "('a', 'arquivo', 'teto', 'competencia', 'ausente', false), "
            "('b', 'arquivo', 'teto', 'competencia', 'novo', false), "
            "('b', 'arquivo', 'teto', 'cod_cnes_exec', 'ausente', false), "
            "('b', 'arquivo', 'teto', 'cod_procedimento_interno', 'ausente', true), "
            "('b', 'arquivo', 'teto', 'NOME DE ALGUÉM', 'ausente', false), "
            "('c', 'oferta_api', 'escala', 'status', 'ausente', false)) "
            "as t (carga_id, fonte, entidade, campo, evento, recusada)"
        )
        con.execute(
            "create table controle.campos_desconhecidos as from (values "
            "('bruto_sisreg.teto', 'NOME DE ALGUÉM'), ('bruto_sisreg.teto', 'outro')) "
            "as t (tabela, campo)"
        )
        told = contents.drift(con, dict(described.manifest))
    assert told == [
        {
            "table": "bruto_sisreg.teto",
            "unknown": 2,
            "missing": ["cod_cnes_exec"],
            "retyped": ["qtd_teto"],
        }
    ]
    (layout,) = [one for one in mirror.layouts(described, told) if one.name == "teto"]
    assert layout.unknown == 2
    assert {one.campo: one.diferenca for one in layout.variables if one.diferenca} == {
        "cod_cnes_exec": mirror.GONE,
        "qtd_teto": mirror.RETYPED,
    }
