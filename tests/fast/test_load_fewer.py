"""A source gone empty, or far smaller than what is known of it, is not believed."""

# ruff: noqa: F811 - fixtures come from elsewhere
from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import stamina
from click.testing import CliRunner
from pydantic import SecretStr

from mapa import warehouse
from mapa.cli import cli
from mapa.errors import FewerError, SourceError
from mapa.layouts import named
from mapa.load import cadsus, offer_api, sisreg
from mapa.load.exports import Completeness
from mapa.settings import Settings
from mapa_city.doors import offer_api as door
from mirror import INDICES, PASSWORD, USER, Mirror, document
from test_load_cadsus import serving_answers
from test_load_offer_api import EXAMPLE, EXPORT, map_for, records_of
from test_load_sisreg import _hurry, mirror, settings  # noqa: F401 - fixtures

INDEX, LATER = INDICES[0], datetime(2026, 7, 2, 3, 5, tzinfo=UTC)
ABSENT = "select count(*) from controle.ausencias where evento = 'ausente'"


def query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    """Ask the warehouse."""
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("left", [0, 1, 17])
def test_an_index_that_has_lost_a_third_is_refused_with_the_numbers(
    mirror: Mirror, settings: Settings, left: int, *, full: bool
) -> None:
    for each in mirror.documents[INDEX][:20]:
        # Closed requests are not asked for by number: only the count can miss them.
        each["status_solicitacao"] = "SOLICITAÇÃO / AGENDADA / CONFIRMADO / EXECUTANTE"
    sisreg.load(settings)
    mirror.now = LATER
    mapping = mirror.mapping(INDEX)
    del mirror.documents[INDEX][: 25 - left]
    mirror.mapping = lambda index: mapping if index == INDEX else Mirror.mapping(mirror, index)  # type: ignore[method-assign]
    with pytest.raises(FewerError, match=f"{left} documents of 530010 are counted and 25 are k"):
        sisreg.load(settings, INDEX, full=full)
    # The other indices are loaded, and the command ends with the code of a source that fails.
    env = {"MAPA_DIR": str(settings.mapa_dir), "SISREG_URL": mirror.url, "SISREG_USER": USER,
           "SISREG_PASSWORD": PASSWORD, "SISREG_PAGE": "10"}  # fmt: skip
    command = ["load", "sisreg", *(["--full"] * full)]
    refused = CliRunner().invoke(cli, command, env=env)
    assert refused.exit_code == 5
    assert f"{INDICES[1]}: " in refused.output and "--full --accept-fewer" in refused.output
    assert query(settings, ABSENT) == [(0,)]
    if left:
        (summary,) = sisreg.load(settings, INDEX, full=True, accept_fewer=True)
        assert f"{left} documents of 530010 are counted and 25 are known; accepted" in str(summary)
        assert query(settings, ABSENT) == [(25 - left,)]
        # From now on the smaller number is what is known.
        assert sisreg.load(settings, INDEX)[0].tally.loaded == 0


def test_a_loss_that_is_no_third_is_believed(mirror: Mirror, settings: Settings) -> None:
    sisreg.load(settings, INDEX)
    mirror.now = LATER
    del mirror.documents[INDEX][:7]
    sisreg.load(settings, INDEX, full=True)
    assert query(settings, ABSENT) == [(7,)]


def test_one_central_that_has_gone_empty_is_named(mirror: Mirror, settings: Settings) -> None:
    both = settings.model_copy(update={"sisreg_central": "530010,530020"})
    for each in mirror.documents[INDEX][:3]:
        each["codigo_central_reguladora"] = "530020"
    sisreg.load(both, INDEX)
    mirror.now = LATER
    del mirror.documents[INDEX][:3]
    with pytest.raises(FewerError, match="0 documents of 530020 are counted and 3 are known"):
        sisreg.load(both, INDEX)


def test_a_full_reading_that_brings_others_instead_is_not_believed(
    mirror: Mirror, settings: Settings
) -> None:
    sisreg.load(settings, INDEX)
    mirror.now = LATER
    mirror.documents[INDEX] = [document(n + 500) for n in range(25)]
    with pytest.raises(FewerError, match="0 of the known requests came and 25 are known"):
        sisreg.load(settings, INDEX, full=True)
    with pytest.raises(FewerError, match="0 of the known requests came and 25 are known"):
        sisreg.load(settings, INDEX)
    assert query(settings, ABSENT) == [(0,)]


def test_open_requests_that_vanish_all_at_once_are_not_believed(
    mirror: Mirror, settings: Settings
) -> None:
    closed = "SOLICITAÇÃO / AGENDADA / CONFIRMADO / EXECUTANTE"
    mirror.documents[INDEX] = [document(n) for n in range(25)] + [
        document(n, status_solicitacao=closed) for n in range(25, 100)
    ]
    sisreg.load(settings, INDEX)
    mirror.now = LATER
    del mirror.documents[INDEX][:25]
    with pytest.raises(FewerError, match="of the open requests came and"):
        sisreg.load(settings, INDEX)
    sisreg.load(settings, INDEX, accept_fewer=True)
    assert query(settings, ABSENT) == [(25,)]


def doubled(hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return hits of which one comes twice, the second time instead of another."""
    return [*hits[:-2], hits[-1], hits[-1]] if len(hits) > 2 else hits


@pytest.mark.parametrize("has_ids", [True, False])
@pytest.mark.parametrize("night", ["first", "second"])
def test_a_page_with_a_document_twice_instead_of_another_is_asked_for_again(
    mirror: Mirror, settings: Settings, night: str, *, has_ids: bool
) -> None:
    def spoil(content: dict[str, Any]) -> dict[str, Any]:
        hits = doubled(content["hits"]["hits"])
        if not has_ids:
            hits = [{k: v for k, v in hit.items() if k != "_id"} for hit in hits]
        content["hits"]["hits"] = hits
        return content

    if night == "second":
        sisreg.load(settings, INDEX)
        mirror.now = LATER
    mirror.spoil = [None, spoil]
    assert sisreg.load(settings, INDEX)[0].tally.received == 25
    mirror.spoil = [spoil] * 50
    with pytest.raises(SourceError, match="the answer holds a document twice"):
        sisreg.load(settings, INDEX, full=True)
    assert query(settings, ABSENT) == [(0,)]


def test_a_document_that_comes_on_two_pages_instead_of_another_is_noticed(
    mirror: Mirror, settings: Settings
) -> None:
    first = list[dict[str, Any]]()

    def keep(content: dict[str, Any]) -> dict[str, Any]:
        first[:] = content["hits"]["hits"][:1]
        return content

    def repeat(content: dict[str, Any]) -> dict[str, Any]:
        content["hits"]["hits"][0] = first[0]
        return content

    mirror.spoil = [keep, repeat]
    (summary,) = sisreg.load(settings, INDEX)
    stored = "select count(distinct codigo_solicitacao) from bruto_sisreg.solicitacao_ambulatorial"
    assert query(settings, stored) == [(25,)]
    assert summary.tally.loaded == 25
    mirror.spoil = [keep, repeat, None] * 3
    with pytest.raises(SourceError, match="25 documents came, 24 of them different, and the sour"):
        sisreg.load(settings, INDEX, full=True)


def cards(first: int, count: int) -> Iterator[str]:
    """Yield valid numbers of provisional cards."""
    number = 7 * 10**14 + first
    while count:
        digits = f"{number}"
        if sum(int(d) * w for d, w in zip(digits, range(15, 0, -1), strict=True)) % 11 == 0:
            yield digits
            count -= 1
        number += 1


@pytest.mark.parametrize(("asked", "lost"), [(30, 10), (30, 30), (20, 7)])
def test_a_registry_that_forgets_a_third_is_not_believed(
    asked: int, lost: int, tmp_path: Path
) -> None:
    numbers = list(cards(0, asked))
    settings = Settings(mapa_dir=tmp_path / "data", cadsus_max_age_days=0)
    with warehouse.connect(settings.warehouse) as con:
        for number in numbers:
            con.execute(
                "insert into bruto_sisreg.marcacao_ambulatorial (cns_usuario) values (?)", [number]
            )
    with serving_answers() as service, stamina.set_testing(True, attempts=2):
        urls = {"cadsus_url": f"{service.url}/pdq", "cadsus_token_url": f"{service.url}/token"}
        pointed = settings.model_copy(update=urls)
        answer(service, numbers, "pdq_ok.xml")
        cadsus.load(pointed)
        answer(service, numbers[:lost], "pdq_nao_encontrado.xml")
        with pytest.raises(FewerError, match=f"does not know {lost} of {asked} persons whom it"):
            cadsus.load(pointed)
        newest = (
            "select count(*) from (select arg_max(resultado, momento_consulta) as r "
            f"from {named('cadsus_consulta').table} group by identificador) "
            "where r = 'nao_encontrado'"
        )
        assert query(pointed, newest) == [(0,)]
        cadsus.load(pointed, accept_fewer=True)
        assert query(pointed, newest) == [(lost,)]


def answer(service: Any, numbers: list[str], name: str) -> None:
    """Let the service answer for these cards."""
    for number in numbers:
        service.answers[number] = (200, name)


def test_a_schedule_that_comes_twice_instead_of_another_is_refused(tmp_path: Path) -> None:
    pointed = Settings(mapa_dir=tmp_path / "data", oferta_api_token=SecretStr(door.TOKEN))
    first = records_of(EXPORT)[0]
    key = offer_api.FieldMap.read(EXAMPLE).fields["cod_escala_ambulatorial"]
    offer = [{**first, key: str(5_000_000 + n)} for n in range(10)]
    with door.serving(offer) as url:
        offer_api.load(pointed, map_for(url, tmp_path), Completeness())
    with (
        door.serving([*offer[:9], offer[0]]) as url,
        pytest.raises(SourceError, match="10 schedules came, 9 of them different"),
    ):
        offer_api.load(pointed, map_for(url, tmp_path), Completeness())
    assert query(pointed, ABSENT) == [(0,)]
