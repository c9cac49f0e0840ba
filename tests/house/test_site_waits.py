"""What pages tell of people who wait: each number and sentence is of the published tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import duckdb
import pytest

from conftest import House
from mapa.publish import store
from mapa.site import text, uses, waits
from mapa.site.page import file_name
from test_site_units import Read, Site, site

DAY = f"horizonte_dias = {waits.DAY}"


@pytest.fixture(scope="module")
def written(city_house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    database = city_house.settings.published / store.DATABASE
    with site(database, tmp_path_factory.mktemp("site") / "here") as found:
        yield found


def asked(site: Site, sql: str, *values: Any) -> list[dict[str, Any]]:
    """Return rows by the names of their columns."""
    found = site.con.execute(sql, list(values))
    names = [name for name, *_ in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def page_of(site: Site, kind: str, code: str) -> Read | None:
    path = f"{kind}/{file_name(code)}.html"
    return site.page(path) if path in site.pages else None


def test_each_procedure_says_how_many_wait_and_the_chance_or_that_it_is_not_told(
    written: Site,
) -> None:
    chances = {
        row["procedimento_codigo"]: row
        for row in asked(
            written,
            f"select * from {waits.CHANCES} where {DAY} and pct_pedidos_atendidos_minimo is not "
            f"null and competencia = (select max(competencia) from {waits.QUEUE})",
        )
    }
    kinds = set()
    for row in asked(
        written,
        f"select * from {waits.QUEUE} where competencia = (select max(competencia) from "
        f"{waits.QUEUE})",
    ):
        code, waiting = row["procedimento_codigo"], row["qtd_aguardando"]
        page = page_of(written, "procedimentos", code)
        if not page:
            continue
        said = page.texts["espera"]
        if waiting is None:
            assert "está oculto" in said
            assert "não é zero" in said
        elif waiting:
            assert f"{text.number(waiting)} pedidos deste procedimento aguardavam" in said
        else:
            assert "nenhum pedido deste procedimento aguardava" in said
        chance = chances.get(code)
        if chance:
            ends = (chance[f"pct_pedidos_atendidos_{end}"] for end in ("minimo", "maximo"))
            low, high = map(text.number, ends)
            assert f"de {low} a {high} são atendidos até o dia {waits.DAY}" in said
            (day,) = (line for line in page.tables["chances"] if line[0] == str(waits.DAY))
            assert day[2] == f"{low} a {high}"
        else:
            assert f"A chance de ser atendido até o dia {waits.DAY} não se diz" in said
        kinds.add((waiting is None, bool(waiting), bool(chance)))
        # A mean never stands alone, and here it does not stand at all.
        assert "média" not in said
    assert kinds >= {(True, False, False), (False, True, True), (False, False, False)}


def test_the_parts_of_a_hundred_add_up(written: Site) -> None:
    rows = asked(written, f"select * from ({waits.KNOWN}) where chance_de is not null")
    assert rows
    for row in rows:
        parts = [row[measure] for measure, _, _ in waits.ENDS]
        assert (sum(parts), min(parts) >= 0) == (100, True)
    within = asked(written, f"select * from ({waits.TOGETHER}) where fila_limite_de is not null")
    assert within
    for row in within:
        parts = [row[measure] for measure, _, _ in waits.WITHIN]
        assert (sum(parts), min(parts) >= 0) == (100, True)


def test_a_balance_that_is_computed_of_published_counts_is_that_of_the_warehouse(
    written: Site, city_house: House
) -> None:
    columns = {"carga": 100, "meses_para_atender": 1, "vagas_semana_alivio": 1}
    with closing(duckdb.connect(str(city_house.settings.warehouse), read_only=True)) as con:
        right = {
            (month, code): dict(zip(columns, values, strict=True))
            for month, code, *values in con.execute(
                f"select competencia, procedimento_codigo, {', '.join(columns)} "
                "from fila.fila_equilibrio_por_mes"
            ).fetchall()
        }
    told = dict.fromkeys(columns, 0)
    for row in asked(written, f"select * from ({waits.KNOWN})"):
        key = row["competencia"], row["procedimento_codigo"]
        for (name, times), measure in zip(columns.items(), waits.BALANCE, strict=True):
            if row[measure] is not None:
                assert row[measure] == pytest.approx(times * right[key][name], abs=1e-6), key
                told[name] += 1
    assert min(told.values()) > 3


def test_a_unit_tells_its_bookings_as_they_are_published(written: Site) -> None:
    columns = (
        "qtd_agendamentos_devidos", "qtd_confirmados", "qtd_faltas", "qtd_sem_confirmacao",
        "qtd_canceladas",
    )  # fmt: skip
    hidden = told = 0
    for code, of_unit in _by_unit(written).items():
        page = page_of(written, "unidades", code)
        if not page:
            continue
        rows = page.tables["uso"][1:]
        assert [row[0] for row in rows] == [text.month(one["competencia"]) for one in of_unit]
        for row, one in zip(rows, of_unit, strict=True):
            counts = [one[name] for name in columns]
            assert row[2:7] == [text.number(count) for count in counts]
            hidden += counts.count(None)
            told += len(counts) - counts.count(None)
        due = of_unit[-1]["qtd_agendamentos_devidos"]
        said = page.texts["uso-dito"]
        assert ("está oculto" in said) if due is None else f"{text.number(due)} agendamento" in said
    assert min(hidden, told) > 10


def _by_unit(site: Site) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in asked(site, f"select * from {uses.TABLE} order by competencia"):
        found.setdefault(row["unidade_executante_cnes"], []).append(row)
    return found


def test_each_region_tells_who_waits_there(written: Site) -> None:
    table = "pub_fila_regioes_por_mes"
    rows = asked(
        written,
        f"select t.*, r.regiao_saude_nome as nome from {table} as t "
        "inner join pub_dim_regioes_saude as r using (regiao_saude_codigo) "
        f"where competencia = (select max(competencia) from {table})",
    )
    said = {row[0]: row[2:] for row in written.page("territorio.html").tables["aguardam"][1:]}
    assert said.keys() == {row["nome"] for row in rows}
    for row in rows:
        counts = [row[name] for name in ("qtd_aguardando", "qtd_entradas", "qtd_agendamentos")]
        own = said[row["nome"]]
        assert [own[0], *own[2:]] == [text.number(count) for count in counts]
