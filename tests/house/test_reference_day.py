"""Nothing after the reference day leaks into it.

One city is read several times. Of its warehouse a second one is made in which everything dated
after a day is something else: later versions say other things, later facts have other dates or are
gone, later losses were not noticed. Built as of that day, every column of every mart must be the
same.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, timedelta

import duckdb
import pytest

import under_key
from conftest import environment
from mapa import warehouse
from mapa.load import cadsus, sisreg
from mapa_city import city as simulated
from mapa_city.doors.server import serving
from offer_house import OfferHouse
from queue_house import build, seed

UNTIL = date(2026, 6, 30)
READINGS = (60, 30, 7, 0)
"""Days before the last one as of whose end the source is read."""

DAYS = (45, 30, 3)
"""Days before the last one that are rebuilt: between two readings, on one, and near the end."""

MARTS = {
    "fila_por_mes": "fila",
    "espera_por_mes": "espera",
    "espera_probabilidade_por_mes": "espera",
    "espera_limites_por_mes": "espera",
    "fila_por_faixa_por_mes": "fila",
    "fila_equilibrio_por_mes": "fila",
    "fila_ordem_por_mes": "fila",
    "fila_planejamento_por_mes": "fila",
    "espera_estimativa_por_mes": "espera",
    "fila_qualificacao_por_mes": "fila",
    "fila_perfil_por_mes": "fila",
    "fila_regulacao_por_mes": "fila",
    "fila_por_municipio_por_mes": "fila",
    "espera_etapas_por_mes": "espera",
    "espera_deslocamento_por_mes": "espera",
    "espera_diferencas_por_mes": "espera",
    "absenteismo_por_mes": "absenteismo",
    "absenteismo_por_perfil_por_mes": "absenteismo",
    "qualidade_identidade": "qualidade",
    # The use of the offer; the marts of the offer are built on it.
    "int_oferta__marcacoes_por_mes": "intermediario",
}
"""Models that are compared, each with its schema. To cover more, add them here and spoil below what
they are made of."""

REQUESTS = "bruto_sisreg.solicitacao_ambulatorial"
BOOKINGS = "bruto_sisreg.marcacao_ambulatorial"
VERSIONS = f"(select * from {REQUESTS} union all by name select * from {BOOKINGS})"
# A version counts when it changed by the day, or when none of its request did: then the first one
# of each index.
UNKNOWN = f"""
    left(data_atualizacao, 10) > '{{day}}'
    and (
        exists (
            select 1 from {VERSIONS} as o
            where o.codigo_solicitacao = {{table}}.codigo_solicitacao
                and left(o.data_atualizacao, 10) <= '{{day}}'
        )
        or exists (
            select 1 from {{table}} as o
            where o.codigo_solicitacao = {{table}}.codigo_solicitacao
                and o.data_atualizacao < {{table}}.data_atualizacao
        )
    )
"""
SPOILED = {
    "codigo_classificacao_risco": "'1'",
    "bairro_paciente_residencia": "'PLANO PILOTO'",
    "cns_usuario": "null",
    "cpf_usuario": "null",
}
"""What a version that does not count says instead."""


def spoil(con: duckdb.DuckDBPyConnection, day: date) -> None:
    """Change everything in raw that is dated after a day."""

    def later(column: str) -> str:
        return f"left({column}, 10) > '{day}'"

    for table in (REQUESTS, BOOKINGS):
        changes = ", ".join(f"{name} = {value}" for name, value in SPOILED.items())
        unknown = UNKNOWN.format(day=day, table=table)
        con.execute(f"create temp table spoiled as select rowid as r from {table} where {unknown}")
        if table == REQUESTS:
            changes += ", procedimentos = []"
        con.execute(f"update {table} set {changes} where rowid in (select r from spoiled)")
        con.execute("drop table spoiled")
        # A situation is true since the change that brought it, so all later ones may be any other.
        con.execute(
            f"update {table} set status_solicitacao = 'SOLICITAÇÃO / DEVOLVIDA / REGULADOR' "
            f"where {later('data_atualizacao')} and status_solicitacao like 'SOLICITAÇÃO%' "
            f"and '{table}' = '{REQUESTS}'"
        )
        con.execute(
            f"update {table} set status_solicitacao = 'AGENDAMENTO / FALTA / EXECUTANTE' "
            f"where {later('data_atualizacao')} and {later('data_confirmacao')}"
            if table == BOOKINGS
            else f"update {table} set st_visualizado_regulador = '0' "
            f"where {later('data_atualizacao')}"
        )
        con.execute(
            f"update {table} set laudo = "
            f"list_filter(laudo, lambda l: left(l.data_observacao, 10) <= '{day}')"
        )
        con.execute(
            f"update {table} set data_cancelamento = '2030-01-01T00:00:00.000Z' "
            "where cast(left(data_cancelamento, 19) as timestamp) + interval 3 hour "
            f">= date '{day}' + 1"
        )
        con.execute(f"delete from {table} where {later('data_solicitacao')}")
    for name in ("data_confirmacao", "data_aprovacao"):
        con.execute(
            f"update {BOOKINGS} set {name} = '2030-01-01T00:00:00.000Z' where {later(name)}"
        )
    con.execute(
        "delete from controle.ausencias where carga_id in (select carga_id from controle.cargas "
        f"where cast(janela_fim as date) > '{day}')"
    )
    # Of a booking, the first version stands when it is the only one.
    con.execute(
        f"update {BOOKINGS} set codigo_interno_procedimento = '0701000', "
        f"codigo_unidade_executante = '9999999' where {later('data_atualizacao')} "
        f"and exists (select 1 from {BOOKINGS} as o "
        f"where o.codigo_marcacao = {BOOKINGS}.codigo_marcacao "
        f"and o.data_atualizacao < {BOOKINGS}.data_atualizacao)"
    )
    con.execute(
        f"update bruto_cadsus.pessoa set data_obito = null where data_obito > '{day:%Y%m%d}'"
    )


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> OfferHouse:
    """Return a house in which a small city was read four times."""
    house = OfferHouse.at(tmp_path_factory.mktemp("whole"))
    city = simulated.build(1500, 120, 4, UNTIL)
    with environment(house.env):
        for back in READINGS:
            with serving(city, as_of=UNTIL - timedelta(days=back)) as server:
                pointed = house.settings.model_copy(update=server.settings())
                sisreg.load(pointed, "all")
                if not back:
                    cadsus.load(pointed)
    seed(house)
    return house


@pytest.fixture(scope="module")
def spoiled(read: OfferHouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfferHouse]:
    """Return another house with a warehouse of its own, to be filled by each test."""
    other = OfferHouse.at(tmp_path_factory.mktemp("spoiled"))
    yield other
    shutil.rmtree(other.directory, ignore_errors=True)


@pytest.mark.parametrize(
    "back", [DAYS[0], *(pytest.param(day, marks=pytest.mark.long) for day in DAYS[1:])]
)
def test_every_column_of_every_mart_knows_only_its_day(
    read: OfferHouse, spoiled: OfferHouse, back: int
) -> None:
    day = UNTIL - timedelta(days=back)
    spoiled.settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(read.settings.warehouse, spoiled.settings.warehouse)
    with warehouse.connect(spoiled.settings.warehouse) as con:
        before = con.execute(f"select count(*), sum(hash(x)) from {BOOKINGS} as x").fetchone()
        spoil(con, day)
        after = con.execute(f"select count(*), sum(hash(x)) from {BOOKINGS} as x").fetchone()
    assert before != after
    for house in (read, spoiled):
        build(house, *MARTS, data_referencia=day.isoformat())
    different = {mart: difference(read, spoiled, mart) for mart in MARTS}
    assert {mart: rows for mart, rows in different.items() if rows} == {}


def difference(one: OfferHouse, other: OfferHouse, mart: str) -> list[tuple[object, ...]]:
    """Return some rows of a mart that only one of two houses has."""
    relation = f"{MARTS[mart]}.{mart}"
    with warehouse.connect(one.settings.warehouse, read_only=True) as con:
        under_key.attach(con, other.settings.warehouse, "other")
        counts = con.execute(f"select count(*) from {relation}").fetchone()
        assert counts
        assert counts[0] > 0
        return con.execute(
            f"(from {relation} except all from other.{relation}) "
            f"union all (from other.{relation} except all from {relation}) limit 5"
        ).fetchall()
