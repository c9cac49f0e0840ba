"""Tables kept from build to build: what raw holds otherwise is made again, and no more."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from mapa import pseudonyms, warehouse
from mapa.errors import BuildError
from offer_house import OfferHouse
from queue_cases import LIVES
from queue_house import build, read_all

RAW = "bruto_sisreg.solicitacao_ambulatorial"
MODEL = "stg_sisreg__solicitacoes_ambulatoriais"
MARK = "posta pelo teste"
CHANGES = (
    "delete from {raw} where rowid = (select max(rowid) from {raw} where _carga_id = '{load}')",
    "update {raw} set _hash = _hash + 1 where _carga_id = '{load}'",
    "update {raw} set _carregado_em = _carregado_em + interval 1 day where _carga_id = '{load}'",
    "insert into {raw} select * replace (_linha + 1000000 as _linha) from {raw} "
    "where _carga_id = '{load}'",
)
"""A row less, another content, seen on another day, rows more."""


def tell(house: OfferHouse, *statements: str) -> None:
    """Write into the warehouse."""
    with warehouse.connect(house.settings.warehouse) as con:
        for statement in statements:
            con.execute(statement)


def loads(house: OfferHouse) -> list[str]:
    """Return the loads of raw, oldest first."""
    rows = house.query(f"select _carga_id from {RAW} group by 1 order by min(_carga_ordem)")
    return [row["_carga_id"] for row in rows]


def marked(house: OfferHouse) -> set[str]:
    """Return the loads whose rows stand as the test left them."""
    rows = house.query(
        f"select distinct _carga_id from staging.{MODEL} where operador_solicitante_nome = '{MARK}'"
    )
    return {row["_carga_id"] for row in rows}


def mark(house: OfferHouse) -> None:
    """Mark each row of the kept table, so that one made again is known."""
    tell(house, f"update staging.{MODEL} set operador_solicitante_nome = '{MARK}'")
    assert marked(house) == {*loads(house)}


def state(house: OfferHouse) -> list[dict[str, Any]]:
    """Return all rows of the model, in order, whatever was marked."""
    return house.query(
        f"select * exclude (operador_solicitante_nome) from staging.{MODEL} order by all"
    )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> OfferHouse:
    """Return a house in which some requests were read four times, built."""
    house = OfferHouse.at(tmp_path_factory.mktemp("read"))
    read_all(house, [*LIVES.values()][:12])
    build(house, MODEL)
    return house


def test_what_is_new_changed_or_gone_is_made_again_and_no_more(house: OfferHouse) -> None:
    mark(house)
    build(house, MODEL)
    assert marked(house) == {*loads(house)}  # nothing was new

    known = loads(house)
    for changes in (CHANGES[:2], CHANGES[2:]):
        changed = [*zip(changes, (known[0], known[-1]), strict=True)]
        tell(house, *(change.format(raw=RAW, load=load) for change, load in changed))
        build(house, MODEL)
        assert marked(house) == {*known[1:-1]}
        mark(house)

    of_it = f"where _carga_id = '{known[1]}'"
    tell(house, f"create table controle.posta as from {RAW} {of_it}", f"delete from {RAW} {of_it}")
    build(house, MODEL)
    assert marked(house) == {*known} - {known[1]} == {*loads(house)}
    assert not house.query(f"select 1 from staging.{MODEL} {of_it}")

    tell(house, f"insert into {RAW} from controle.posta", "drop table controle.posta")
    build(house, MODEL)
    assert marked(house) == {*known} - {known[1]}

    kept = state(house)
    build(house, MODEL, options=["--full-refresh"])
    assert marked(house) == set()
    assert state(house) == kept
    assert len(kept) == house.query(f"select count(*) as n from {RAW}")[0]["n"]


def another_shape(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("update controle.preparos set forma = 'outra'")


def no_note(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("delete from controle.preparos")


def no_table(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("drop schema staging cascade")


def a_view(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"drop table staging.{MODEL}")
    con.execute(f"create view staging.{MODEL} as select 1 as coluna")


def test_what_is_not_known_to_be_of_this_sql_is_made_anew(house: OfferHouse) -> None:
    build(house, MODEL)
    whole = state(house)
    for spoil in (another_shape, no_note, no_table, a_view, pseudonyms.drop_built):
        mark(house)
        with warehouse.connect(house.settings.warehouse) as con:
            spoil(con)
        build(house, MODEL)
        assert marked(house) == set(), spoil.__name__
        assert state(house) == whole, spoil.__name__


def test_a_build_that_fails_leaves_table_and_note_as_they_were(house: OfferHouse) -> None:
    build(house, MODEL)
    noted = "select * from controle.preparos order by all"
    tell(
        house,
        f"update {RAW} set _hash = _hash + 1 where _carga_id = '{loads(house)[0]}'",
        # A column that the SQL makes and the table lacks: the insert fails after the delete.
        f"alter table staging.{MODEL} drop column residencia_complemento",
    )
    before, kept = house.query(noted), state(house)
    with pytest.raises(BuildError, match=MODEL):
        build(house, MODEL)
    assert house.query(noted) == before
    assert state(house) == kept
    build(house, MODEL, options=["--full-refresh"])
    assert "residencia_complemento" in state(house)[0]


def test_a_warehouse_of_before_says_what_brings_it_up_to_date(house: OfferHouse) -> None:
    tell(house, "drop table controle.preparos")
    with pytest.raises(BuildError, match="older version"):
        build(house, MODEL)
    tell(house)  # whatever opens it to write makes what it lacks
    build(house, MODEL)
    assert {row["tabela"] for row in house.query("select tabela from controle.preparos")} == {MODEL}
