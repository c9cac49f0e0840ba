"""Exports for rules of transparency: what the published tables say, in other words and no more."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from conftest import House
from mapa.errors import PublishError
from mapa.publish import keys, store, transparency
from mapa.publish.contents import Published
from mapa.publish.gate import Column, Table

FEWEST = 30
"""Cases from which on a mean or percentile is shown."""


@pytest.fixture(scope="module")
def folder(city_house: House) -> Path:
    return city_house.settings.published / store.TRANSPARENCY


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines, delimiter=";"))


def number(text: str) -> float | None:
    return float(text.replace(",", ".")) if text else None


def test_each_profile_says_what_the_published_table_says(city_house: House, folder: Path) -> None:
    database = city_house.settings.published / store.DATABASE
    assert {path.name for path in folder.iterdir()} == {
        "perfis.json",
        "lista_de_espera_por_procedimento.csv",
        "lista_de_espera_por_regiao.csv",
    }
    with duckdb.connect(str(database), read_only=True) as con:
        told = con.execute(
            "select competencia, procedimento_codigo, qtd_aguardando, dias_espera_media, "
            "dias_em_fila_p90 from pub_fila_por_mes"
        ).fetchall()
        names = dict(
            con.execute(
                "select procedimento_codigo, procedimento_nome from pub_dim_procedimentos"
            ).fetchall()
        )
        regions = con.execute(
            "select count(*), sum(qtd_aguardando) from pub_fila_por_regiao_por_mes"
        ).fetchall()
    found = rows(folder / "lista_de_espera_por_procedimento.csv")
    assert sorted(map(str, told)) == sorted(
        str(
            (
                date.fromisoformat(row["competencia"]),
                row["procedimento_codigo"],
                int(row["qtd_aguardando"]) if row["qtd_aguardando"] else None,
                number(row["dias_espera_media"]),
                number(row["dias_em_fila_p90"]),
            )
        )
        for row in found
    )
    assert {row["contagem"] for row in found} == {"divulgada", "oculta"}
    assert {row["dados"] for row in found} == {"sintéticos"}
    for row in found:
        assert row["procedimento_nome"] == (names.get(row["procedimento_codigo"]) or "")
        assert (row["contagem"] == "oculta") is (row["qtd_aguardando"] == "")
        # Nothing small, and no time of few.
        assert row["qtd_aguardando"] in {"", "0"} or int(row["qtd_aguardando"]) >= 5
        for time, cases in (
            ("dias_em_fila_p50", "qtd_aguardando"),
            ("dias_em_fila_p90", "qtd_aguardando"),
            ("dias_espera_media", "qtd_atendidas"),
            ("dias_espera_p50", "qtd_atendidas"),
            ("dias_espera_p90", "qtd_atendidas"),
        ):
            assert not row[time] or int(row[cases]) >= FEWEST
    assert any(row["dias_em_fila_p50"] for row in found)
    other = rows(folder / "lista_de_espera_por_regiao.csv")
    assert [(len(other), sum(int(row["qtd_aguardando"] or 0) for row in other))] == regions


def test_what_a_rule_asks_and_is_not_given_is_said(city_house: House, folder: Path) -> None:
    said = json.loads((folder / "perfis.json").read_bytes())["perfis"]
    assert [profile["periodicidade"] for profile in said] == ["mensal", "mensal"]
    assert all("quinzenal" in profile["falta"] for profile in said)
    (first, _) = said
    header = set(rows(folder / f"{first['perfil']}.csv")[0]) - {"dados"}
    assert header == set(first["sentido"])
    assert all(first["sentido"].values())
    page = (city_house.settings.published / store.SITE / "dados.html").read_text(encoding="utf-8")
    assert "Mensal, e não quinzenal" in page
    assert "../transparencia/lista_de_espera_por_regiao.csv" in page


def example(tmp_path: Path) -> tuple[Path, Published]:
    database = tmp_path / "publico.duckdb"
    with duckdb.connect(str(database)) as con:
        con.execute("create table pub_fila (mes date, nome varchar, qtd bigint)")
        con.execute("insert into pub_fila values ('2026-01-01', '=1+1', null)")
    columns = tuple(Column(name, name, "publico") for name in ("mes", "nome", "qtd"))
    table = Table("pub_fila", "fila", "", ("mes",), columns)
    return database, Published(table, 1, ("DATE", "VARCHAR", "BIGINT"), "", keys.Keys())


PROFILE = transparency.Profile(
    "espera", "", "", "mensal", "", "pub_fila", "qtd", ("mes", "nome", "qtd"), ()
)


def test_no_cell_is_run_and_a_hidden_count_is_called_so(tmp_path: Path) -> None:
    database, published = example(tmp_path)
    transparency.write(database, [published], tmp_path / "t", [PROFILE], synthetic=False)
    (row,) = rows(tmp_path / "t" / "espera.csv")
    assert row["nome"].startswith("'")
    assert (row["qtd"], row["contagem"], row["dados"]) == ("", "oculta", "das fontes")


def test_a_profile_without_its_table_waits_and_one_of_a_wrong_column_is_refused(
    tmp_path: Path,
) -> None:
    database, published = example(tmp_path)
    absent = replace(PROFILE, tabela="pub_outra")
    transparency.write(database, [published], tmp_path / "a", [absent], synthetic=False)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["perfis.json"]
    wrong = replace(PROFILE, colunas=("mes", "cns"))
    with pytest.raises(PublishError, match=r"espera asks for pub_fila\.cns, which is not"):
        transparency.write(database, [published], tmp_path / "b", [wrong], synthetic=False)
