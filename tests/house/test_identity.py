"""Whose each request is: what a cleaned registry changes, what scores add, what they store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from conftest import environment
from mapa import identity, pseudonyms, warehouse
from mapa.dbt_plugin import hmac_sha256
from mapa.errors import ConfigError
from mapa.load import cadsus, sisreg
from mapa_city import city as simulated
from mapa_city.bench.identity import judge
from mapa_city.city import City
from mapa_city.doors import documents
from mapa_city.doors.server import serving
from offer_house import OfferHouse
from queue_house import build, seed

UNTIL = date(2026, 6, 30)
DAYS = (UNTIL, UNTIL - timedelta(days=45))
CLEANED = documents.Habits(cleaned=True)
PEOPLE = (
    "select competencia, procedimento_codigo, regiao_saude_codigo, risco_codigo, "
    "qtd_pessoas_aguardando, qtd_aguardando_obito from fila.fila_por_mes order by all"
)
# Counts alone stay as they are when a person is only known by another number.
WHOSE = (
    "select solicitacao_codigo, pessoa_id, data_obito "
    "from intermediario.int_pessoas__identidade order by all"
)


@pytest.fixture(scope="module")
def city() -> City:
    """Return a city in which one request in ten has a slip."""
    return simulated.build(2000, 120, 5, UNTIL, slips=0.1)


@pytest.fixture(scope="module")
def house(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfferHouse]:
    """Return a house in which the city was read once."""
    house = OfferHouse.at(tmp_path_factory.mktemp("identity"))
    with environment(house.env):
        with serving(city) as server:
            pointed = house.settings.model_copy(update=server.settings())
            sisreg.load(pointed, "all")
            cadsus.load(pointed)
        seed(house)
        yield house


def rows(house: OfferHouse, query: str) -> list[Any]:
    with warehouse.connect(house.settings.warehouse, read_only=True) as con:
        return con.execute(query).fetchall()


def people(house: OfferHouse, day: date) -> tuple[list[Any], list[Any]]:
    """Return the people counted at the end of each month and whose each request is, as of a day."""
    build(house, "fila_por_mes", data_referencia=day.isoformat())
    return rows(house, PEOPLE), rows(house, WHOSE)


def test_scores_link_what_numbers_do_not_and_store_no_name(house: OfferHouse, city: City) -> None:
    digest = hmac_sha256(house.settings.pseudonym_key())
    build(house, "qualidade_identidade", data_referencia=UNTIL.isoformat())
    with warehouse.connect(house.settings.warehouse) as con:
        exact = judge(con, city, digest)
    assert exact.precision == 1
    assert 0.9 < exact.recall < 0.998
    done = identity.score(house.settings)
    assert done.requests >= exact.possible - exact.right.total()
    build(house, "qualidade_identidade", data_referencia=UNTIL.isoformat())
    with warehouse.connect(house.settings.warehouse) as con:
        both = judge(con, city, digest)
        columns = con.execute("describe controle.pares_identidade").fetchall()
        pairs = con.execute("select * from controle.pares_identidade").fetchall()
        made = con.execute("select sum(qtd_por_escore) from qualidade.qualidade_identidade")
        assert made.fetchone() == (both.made["escore"],)
    assert both.precision == 1
    assert both.recall > max(exact.recall, 0.99)
    assert [column[0] for column in columns] == ["solicitacao_codigo", "cadastro_id", "escore"]
    assert all(len(record) == 32 and 0 <= score <= 1 for _, record, score in pairs)
    # Scored again, what the scores linked stays linked.
    identity.score(house.settings)
    assert rows(house, "select * from controle.pares_identidade") == pairs


def test_another_key_takes_the_scores_with_it(house: OfferHouse) -> None:
    with warehouse.connect(house.settings.warehouse) as con:
        con.begin()
        pseudonyms.drop_built(con)
        assert con.execute("select count(*) from controle.pares_identidade").fetchone() == (0,)
        con.rollback()


def test_a_cleaned_registry_changes_nobody_on_past_days(house: OfferHouse, city: City) -> None:
    before = {day: people(house, day) for day in DAYS}
    asking = house.settings.model_copy(update={"cadsus_max_age_days": 0})
    with serving(city, habits=CLEANED) as server:
        cadsus.load(asking.model_copy(update=server.settings()), accept_fewer=True)
    merged = rows(
        house, "select count(*) from bruto_cadsus.pessoa where cast(id_pessoa as bigint) > 3000000"
    )
    stripped = rows(
        house,
        "select count(*) from bruto_cadsus.pessoa as p where p.cpf is null and exists (select 1 "
        "from bruto_cadsus.pessoa as o where o.id_pessoa = p.id_pessoa and o.cpf is not null)",
    )
    fewer = rows(
        house,
        "select count(*) from bruto_cadsus.pessoa as p where p.cpf is null "
        "and cast(p.id_pessoa as bigint) > 3000000 and exists (select 1 from bruto_cadsus.pessoa "
        "as o where cast(o.id_pessoa as bigint) = cast(p.id_pessoa as bigint) - 2000000 "
        "and o.cpf is not null)",
    )
    assert merged[0][0] > 300
    assert stripped[0][0] > 100
    assert fewer[0][0] > 100
    for day in DAYS:
        counted, whose = people(house, day)
        assert counted == before[day][0]
        assert whose == before[day][1]
    assert sum(row[4] for row in before[DAYS[1]][0]) > 300


def test_nothing_is_scored_before_a_build(tmp_path: Path) -> None:
    other = OfferHouse.at(tmp_path)
    with environment(other.env), pytest.raises(ConfigError) as caught:
        identity.score(other.settings)
    assert "Nothing is built yet" in caught.value.message
