"""The SISREG loader against real HTTP: complete, versioned, idempotent, and clear when it fails."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import stamina
from pydantic import SecretStr

from mapa import landing
from mapa.errors import ConfigError, LayoutError, MapaError, SourceError
from mapa.load import sisreg
from mapa.load.replay import replay
from mapa.settings import Settings
from mapa_city import city as simulated
from mapa_city.doors.server import serving
from mirror import INDICES, PASSWORD, SAMPLES, USER, Mirror, document, mirroring

REQUESTS = "bruto_sisreg.solicitacao_ambulatorial"


@pytest.fixture(autouse=True)
def _hurry() -> Iterator[None]:
    """Retry without waiting, twice at most."""
    with stamina.set_testing(True, attempts=2):
        yield


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    """Serve 25 requests, 7 bookings and 3 admissions."""
    counts = dict(zip(INDICES, (25, 7, 3), strict=True))
    documents = {name: [document(n, name) for n in range(counts[name])] for name in INDICES}
    with mirroring(Mirror(documents)) as served:
        yield served


@pytest.fixture
def settings(mirror: Mirror, tmp_path: Path) -> Settings:
    """Return settings that point at the mirror, with small pages."""
    return Settings(
        mapa_dir=tmp_path / "data",
        sisreg_url=mirror.url,
        sisreg_user=USER,
        sisreg_password=SecretStr(PASSWORD),
        sisreg_page=10,
    )


def query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    """Ask the warehouse."""
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_every_document_is_loaded_and_counted(settings: Settings) -> None:
    summaries = sisreg.load(settings)
    assert [summary.tally.loaded for summary in summaries] == [25, 7, 3]
    assert query(settings, f"select count(*), count(distinct _linha) from {REQUESTS}") == [(25, 25)]
    rows = query(
        settings,
        "select entidade, qtd_recebidas, qtd_carregadas + qtd_identicas + qtd_rejeitadas, "
        "resultado, janela_fim from controle.cargas order by iniciada_em",
    )
    local_now = datetime(2026, 7, 1, 0, 5)
    assert rows == [
        (name, n, n, "completa", local_now) for name, n in zip(INDICES, (25, 7, 3), strict=True)
    ]


def test_values_are_text_as_the_source_wrote_them(settings: Settings) -> None:
    sisreg.load(settings)
    assert query(
        settings,
        "select codigo_solicitacao, valor_proc_aih, _linha from "
        "bruto_sisreg.solicitacao_hospitalar order by _linha limit 1",
    ) == [("900000000", "450.1", 1)]
    laudo = query(settings, f"select laudo, procedimentos from {REQUESTS} limit 1")[0]
    assert laudo[0][0]["situacao"] == "PENDENTE"
    assert set(laudo[0][0]) == {
        "codigo_cnes_operador", "nome_cnes_operador", "tipo_perfil", "tipo_descricao", "situacao",
        "data_observacao",
    }  # fmt: skip
    assert laudo[1][0]["codigo_interno"] == "0701234"


def test_bounds_are_the_sources_clock_with_a_false_z(mirror: Mirror, settings: Settings) -> None:
    mirror.documents[INDICES[0]][0]["data_atualizacao"] = "2026-07-01T00:04:00.000Z"
    sisreg.load(settings, INDICES[0])
    sisreg.load(settings, INDICES[0])
    windows = [body for body in mirror.bodies if "sort" in body]
    first, *_, last = [body["query"]["bool"]["filter"] for body in windows]
    assert first[0] == {"term": {"codigo_central_reguladora": "530010"}}
    # 03:05 in Greenwich is 00:05 in Brasília, where July the first has just begun.
    assert first[1] == {
        "bool": {"must_not": [{"range": {"data_atualizacao": {"gte": "2026-07-01T00:05:00.000Z"}}}]}
    }
    assert last[1] == {
        "range": {
            "data_atualizacao": {
                "gte": "2026-06-30T00:04:00.000Z",
                "lt": "2026-07-01T00:05:00.000Z",
            }
        }
    }
    assert all(body["track_total_hits"] is True for body in mirror.bodies)


def test_midnight_at_the_source_is_midnight_in_the_window(
    mirror: Mirror, settings: Settings
) -> None:
    instants = ("2026-06-30T23:59:59.999Z", "2026-07-01T00:00:00.000Z", "2026-07-01T02:59:59.000Z")
    documents = [document(n, data_atualizacao=instant) for n, instant in enumerate(instants)]
    mirror.documents[INDICES[0]] = documents
    # What has happened by each instant of Greenwich; midnight in Brasília is at three there.
    for hour, minute, known in ((2, 59, 0), (3, 0, 1), (5, 59, 2), (6, 0, 3)):
        mirror.now = datetime(2026, 7, 1, hour, minute, tzinfo=UTC)
        sisreg.load(settings, INDICES[0])
        assert query(settings, f"select count(*) from {REQUESTS}") == [(known,)]


def test_what_a_mirror_that_stood_still_shows_later_is_read(
    mirror: Mirror, settings: Settings
) -> None:
    newest = document(0, data_atualizacao="2026-07-01T00:04:00.000Z")
    mirror.documents[INDICES[0]].append(newest | {"codigo_solicitacao": "900000500"})
    for day in (1, 3, 5):
        mirror.now = datetime(2026, 7, day, 3, 5, tzinfo=UTC)
        sisreg.load(settings, INDICES[0])
    # What happened on the second is seen on the sixth.
    late = document(0, data_atualizacao="2026-07-02T10:00:00.000Z")
    mirror.documents[INDICES[0]].append(late | {"codigo_solicitacao": "900000501"})
    mirror.now = datetime(2026, 7, 6, 3, 5, tzinfo=UTC)
    sisreg.load(settings, INDICES[0])
    assert query(
        settings, f"select count(*) from {REQUESTS} where codigo_solicitacao = '900000501'"
    ) == [(1,)]


def test_a_count_that_lacks_a_part_is_asked_again(mirror: Mirror, settings: Settings) -> None:
    partial = {"count": 12, "_shards": {"total": 5, "successful": 4, "skipped": 0, "failed": 1}}
    answers = [partial]

    class Failing(Mirror):
        def counted(self, body: dict[str, Any]) -> Any:
            whole = super().counted(body)
            return lambda index: answers.pop() if answers else whole(index)

    with mirroring(Failing(mirror.documents)) as failing:
        pointed = settings.model_copy(update={"sisreg_url": failing.url})
        (summary,) = sisreg.load(pointed, INDICES[0])
        assert summary.tally.received == 25
        assert query(settings, "select qtd_novas_tentativas from controle.cargas") == [(1,)]
        answers += [partial] * 2
        with pytest.raises(SourceError, match="count: a part of the index failed"):
            sisreg.load(pointed, INDICES[0])


def test_fields_of_the_hospital_family_need_keyword(mirror: Mirror, settings: Settings) -> None:
    sisreg.load(settings, INDICES[2])
    body = mirror.bodies[-1]
    assert body["query"]["bool"]["filter"][0] == {
        "term": {"codigo_central_reguladora.keyword": "530010"}
    }
    assert body["sort"] == [{"data_atualizacao": "asc"}, {"codigo_solicitacao": "asc"}]


def test_loading_twice_changes_no_row(settings: Settings) -> None:
    sisreg.load(settings)
    before = query(settings, f"select * from {REQUESTS} order by _linha")
    again = sisreg.load(settings, since=datetime(2020, 1, 1))
    assert [(s.tally.loaded, s.tally.identical) for s in again] == [(0, 25), (0, 7), (0, 3)]
    assert query(settings, f"select * from {REQUESTS} order by _linha") == before


def test_a_changed_document_is_a_second_version(mirror: Mirror, settings: Settings) -> None:
    sisreg.load(settings, INDICES[0])
    mirror.now = datetime(2026, 7, 2, 3, 5, tzinfo=UTC)
    changed = document(3, sigla_situacao="C", data_atualizacao="2026-07-01T10:00:00.000Z")
    touched = document(4, timestamp="2026-07-01T23:00:00.000Z", carga_epoch="1")
    mirror.documents[INDICES[0]][3:5] = [changed, touched]
    (summary,) = sisreg.load(settings, INDICES[0])
    # One by the window; the other 24 because they are open, and none of those has changed.
    assert (summary.tally.received, summary.tally.loaded) == (25, 1)
    rows = query(
        settings,
        f"select sigla_situacao from {REQUESTS} where codigo_solicitacao = '900000003' "
        "order by _carregado_em, _linha",
    )
    assert rows == [("P",), ("C",)]


def test_a_document_that_returns_to_an_earlier_state_is_a_third_version(
    mirror: Mirror, settings: Settings
) -> None:
    for state in ("P", "C", "P", "P"):
        mirror.documents[INDICES[0]][3] = document(3, sigla_situacao=state)
        sisreg.load(settings, INDICES[0])
    states = (
        f"select sigla_situacao from {REQUESTS} where codigo_solicitacao = '900000003' "
        "order by _carga_ordem"
    )
    assert query(settings, states) == [("P",), ("C",), ("P",)]
    replay(settings)
    assert query(settings, states) == [("P",), ("C",), ("P",)]


def test_what_the_mirror_rewrites_each_night_is_no_version(
    mirror: Mirror, settings: Settings
) -> None:
    sisreg.load(settings, INDICES[0])
    for touched in mirror.documents[INDICES[0]]:
        touched |= {"timestamp": "2026-07-01T23:00:00.000Z", "carga_epoch": 1, "version": "2"}
    (summary,) = sisreg.load(settings, INDICES[0], since=datetime(2020, 1, 1))
    assert (summary.tally.loaded, summary.tally.identical) == (0, 25)


def test_a_document_that_comes_twice_in_a_load(mirror: Mirror, settings: Settings) -> None:
    twice = [document(1), document(1), document(1, sigla_situacao="C"), document(1)]
    mirror.documents[INDICES[0]] = twice
    (summary,) = sisreg.load(settings, INDICES[0])
    # Identical to the version before it is not stored; back to an older content is.
    assert (summary.tally.loaded, summary.tally.identical) == (3, 1)


def test_a_new_field_is_kept_and_reported_once(mirror: Mirror, settings: Settings) -> None:
    documents = mirror.documents[INDICES[0]]
    documents[7]["canal"] = "APLICATIVO"
    documents[9]["canal"] = {"nome": None, "versao": [1, 2.5]}
    documents[8]["laudo"] = [{**documents[8]["laudo"][0], "anexo": True}]
    first, again = sisreg.load(settings, INDICES[0]), sisreg.load(settings, INDICES[0])
    assert first[0].notes == ("new fields kept in _campos_extras: canal, laudo.anexo",)
    assert not again[0].notes
    rows = query(
        settings,
        f"select codigo_solicitacao, _campos_extras from {REQUESTS} "
        "where _campos_extras is not null order by 1",
    )
    assert [(code, json.loads(extra)) for code, extra in rows] == [
        ("900000007", {"canal": "APLICATIVO"}),
        ("900000008", {"laudo": [{"anexo": True}]}),
        ("900000009", {"canal": {"nome": None, "versao": [1, 2.5]}}),
    ]
    assert query(
        settings, "select tabela, campo from controle.campos_desconhecidos order by campo"
    ) == [(REQUESTS, "canal"), (REQUESTS, "laudo.anexo")]


def test_a_field_that_the_mapping_hides_is_found_in_the_documents(
    mirror: Mirror, settings: Settings
) -> None:
    mirror.documents[INDICES[0]][0]["novo"] = "x"
    mirror.hidden = {"novo"}
    sisreg.load(settings, INDICES[0])
    found = query(settings, f"select _campos_extras from {REQUESTS} where _linha = 1")
    assert found == [('{"novo":"x"}',)]


def test_logstash_fields_with_an_at_sign_are_the_same(mirror: Mirror, settings: Settings) -> None:
    for each in mirror.documents[INDICES[0]]:
        each["@timestamp"], each["@version"] = each.pop("timestamp"), each.pop("version")
    sisreg.load(settings, INDICES[0])
    rows = query(settings, f"select distinct timestamp, version, _campos_extras from {REQUESTS}")
    assert rows == [("2026-04-02T20:00:00.000Z", "1", None)]


def test_withheld_fields_are_in_landing_and_never_in_the_warehouse(
    mirror: Mirror, settings: Settings
) -> None:
    secrets: dict[str, dict[str, Any]] = {
        INDICES[0]: {"laudo": [{**SAMPLES[INDICES[0]]["laudo"][0], "observacao": "XYZSEGREDO1"}]},
        INDICES[1]: {"chave_confirmacao": "XYZSEGREDO2"},
        INDICES[2]: {"sintomas": "XYZSEGREDO3", "justificativa": "XYZSEGREDO4"},
    }
    for index, fields in secrets.items():
        mirror.documents[index] = [document(n, index, **fields) for n in range(5)]
    sisreg.load(settings)
    assert b"XYZSEGREDO" not in settings.warehouse.read_bytes()
    pages = [gzip.decompress(landing.read(p)) for p in settings.landing.rglob("*.json.gz")]
    assert sum(b"XYZSEGREDO" in page for page in pages) == 3


def test_a_document_without_a_mandatory_field_is_rejected(
    mirror: Mirror, settings: Settings
) -> None:
    documents = mirror.documents[INDICES[0]]
    documents[3]["status_solicitacao"] = " "
    documents[11]["data_atualizacao"] = None
    (summary,) = sisreg.load(settings, INDICES[0])
    assert (summary.tally.loaded, summary.tally.rejected) == (23, 2)
    rows = query(
        settings, "select arquivo, linha, coluna, motivo from controle.rejeitos order by coluna"
    )
    assert [(row[2], row[3]) for row in rows] == [
        ("data_atualizacao", "coluna obrigatória ausente ou vazia"),
        ("status_solicitacao", "coluna obrigatória ausente ou vazia"),
    ]
    assert (settings.landing / rows[0][0]).exists()
    assert rows[0][1] == 25  # a document without an instant of change comes last


def test_a_booking_stands_without_the_date_of_its_request_and_a_request_does_not(
    mirror: Mirror, settings: Settings
) -> None:
    for index in INDICES[:2]:
        mirror.documents[index][0]["data_solicitacao"] = None
        mirror.documents[index][1].pop("data_solicitacao")
        sisreg.load(settings, index)
    assert (
        query(settings, "select motivo, coluna from controle.rejeitos")
        == [("coluna obrigatória ausente ou vazia", "data_solicitacao")] * 2
    )
    undated = "select count(*) from {} where data_solicitacao is null"
    assert query(settings, undated.format(REQUESTS)) == [(0,)]
    assert query(settings, undated.format("bruto_sisreg.marcacao_ambulatorial")) == [(2,)]


@pytest.mark.parametrize("how", ["mapping", "documents"])
def test_a_renamed_mandatory_field_stops_the_load(
    mirror: Mirror, settings: Settings, how: str
) -> None:
    sisreg.load(settings, INDICES[1])
    if how == "mapping":
        mirror.dropped = {"data_solicitacao"}
    else:
        for each in mirror.documents[INDICES[0]]:
            each["data_solicitacao"] = None
    with pytest.raises(LayoutError, match="data_solicitacao"):
        sisreg.load(settings, INDICES[0])
    assert query(settings, f"select count(*) from {REQUESTS}") == [(0,)]
    assert query(
        settings, "select resultado from controle.cargas order by iniciada_em desc limit 1"
    ) == [("recusada",)]


def test_a_nested_field_of_another_type_stops_the_load(mirror: Mirror, settings: Settings) -> None:
    mirror.documents[INDICES[0]][12]["laudo"] = "TEXTO QUE NAO DEVE APARECER"
    with pytest.raises(LayoutError, match="laudo") as caught:
        sisreg.load(settings, INDICES[0])
    assert "TEXTO" not in caught.value.message
    assert query(settings, f"select count(*) from {REQUESTS}") == [(0,)]


def _timed_out(answer: dict[str, Any]) -> Any:
    return answer | {"timed_out": True, "hits": answer["hits"] | {"hits": []}}


def _failed_shard(answer: dict[str, Any]) -> Any:
    return answer | {"_shards": {"total": 5, "successful": 4, "skipped": 0, "failed": 1}}


def _cut(answer: dict[str, Any]) -> Any:
    return json.dumps(answer).encode()[:-500]


def _no_json(answer: dict[str, Any]) -> Any:
    return b"<html>try later</html>"


def _no_total(answer: dict[str, Any]) -> Any:
    return answer | {"hits": {"hits": answer["hits"]["hits"]}}


def _busy(answer: dict[str, Any]) -> Any:
    return 503


FAULTS = [_timed_out, _failed_shard, _cut, _no_json, _no_total, _busy]


@pytest.mark.parametrize("fault", FAULTS)
def test_an_incomplete_page_is_asked_again(mirror: Mirror, settings: Settings, fault: Any) -> None:
    mirror.spoil = [None, fault]
    (summary,) = sisreg.load(settings, INDICES[0])
    assert summary.tally.loaded == 25
    assert query(settings, "select qtd_novas_tentativas from controle.cargas") == [(1,)]
    assert query(settings, f"select count(distinct codigo_solicitacao) from {REQUESTS}") == [(25,)]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_page_that_stays_incomplete_leaves_nothing(
    mirror: Mirror, settings: Settings, fault: Any
) -> None:
    mirror.spoil = [None, *[fault] * 8]
    with pytest.raises(SourceError):
        sisreg.load(settings, INDICES[0])
    assert query(settings, f"select count(*) from {REQUESTS}") == [(0,)]
    assert query(settings, "select resultado, qtd_recebidas from controle.cargas") == [
        ("falhou", None)
    ]
    assert query(settings, "select count(*) from controle.marcas") == [(0,)]


def test_a_missing_document_fails_and_names_the_window(mirror: Mirror, settings: Settings) -> None:
    mirror.uncounted = 1
    with pytest.raises(SourceError, match=r"the beginning, 2026-07-01T00:05:00\)") as caught:
        sisreg.load(settings, INDICES[0])
    assert "25 documents" in caught.value.message
    assert query(settings, f"select count(*) from {REQUESTS}") == [(0,)]


def test_a_server_that_caps_its_pages_is_read_with_smaller_ones(
    mirror: Mirror, settings: Settings
) -> None:
    def capped(answer: dict[str, Any]) -> Any:
        return answer | {"hits": answer["hits"] | {"hits": answer["hits"]["hits"][:4]}}

    mirror.spoil = [capped] * 100
    with pytest.raises(SourceError, match=r"fewer documents than it counts(.|\n)*SISREG_PAGE"):
        sisreg.load(settings, INDICES[0])
    assert query(settings, f"select count(*) from {REQUESTS}") == [(0,)]
    sisreg.load(settings.model_copy(update={"sisreg_page": 4}), INDICES[0])
    assert query(settings, f"select count(*) from {REQUESTS}") == [(25,)]


def test_the_window_never_ends_after_the_sources_now(settings: Settings) -> None:
    sisreg.load(settings, INDICES[0], until=datetime(2030, 1, 1))
    assert query(settings, "select marca from controle.marcas") == [(datetime(2026, 7, 1, 0, 5),)]


def test_a_gap_does_not_move_the_watermark(settings: Settings) -> None:
    sisreg.load(settings, INDICES[0], since=datetime(2026, 4, 10))
    assert query(settings, "select count(*) from controle.marcas") == [(0,)]
    sisreg.load(settings, INDICES[0])
    sisreg.load(settings, INDICES[0], until=datetime(2026, 4, 10))
    assert query(settings, "select marca from controle.marcas") == [(datetime(2026, 7, 1, 0, 5),)]
    assert query(settings, f"select count(distinct codigo_solicitacao) from {REQUESTS}") == [(25,)]


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"sisreg_user": None}, ConfigError, "SISREG_USER and SISREG_PASSWORD"),
        ({"sisreg_password": SecretStr("outra-senha")}, SourceError, "refuses the credentials"),
        ({"sisreg_url": "http://127.0.0.1:9"}, SourceError, "127.0.0.1:9 cannot be reached"),
        ({"sisreg_url": "http://eu:minha-senha@127.0.0.1:9"}, ConfigError, "carries a credential"),
        ({"sisreg_url": "ftp://x"}, ConfigError, "not a URL"),
        ({"sisreg_suffix": "rj"}, SourceError, "404"),
    ],
)
def test_wrong_settings_give_one_clear_line(
    settings: Settings, change: dict[str, Any], error: type[MapaError], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        sisreg.load(settings.model_copy(update=change), INDICES[0])
    assert "senha" not in caught.value.message
    assert PASSWORD not in caught.value.message


def test_landing_is_private_and_enough_to_load_again(settings: Settings) -> None:
    sisreg.load(settings, INDICES[0])
    (note,) = settings.landing.rglob("carga.json")
    files = json.loads(landing.read(note))["arquivos"]
    names = [file["nome"] for file in files]
    assert names[0] == "mapeamento.json"
    assert [name[:13] for name in names[1:]] == [f"pagina-{n:06d}" for n in (1, 2, 3)]
    assert {p.stat().st_mode & 0o777 for p in settings.landing.rglob("*.*")} == {0o600}
    folders = [settings.landing, *(p for p in settings.landing.rglob("*") if p.is_dir())]
    assert {p.stat().st_mode & 0o777 for p in folders} == {0o700}
    assert settings.warehouse.stat().st_mode & 0o777 == 0o600
    everything = b"".join(p.read_bytes() for p in settings.mapa_dir.rglob("*") if p.is_file())
    assert PASSWORD.encode() not in everything


def test_a_simulated_city_is_loaded_whole(tmp_path: Path) -> None:
    city = simulated.build(people=500, days=60, seed=7, until=date(2026, 6, 30))
    base = Settings(mapa_dir=tmp_path / "data", sisreg_page=100)
    for as_of in (date(2026, 6, 10), date(2026, 6, 30)):
        with serving(city, as_of=as_of) as server:
            pointed = base.model_copy(update=server.settings())
            loads = sisreg.load(pointed)
            # A state may change without its instant of change, so only a full read sees all.
            sisreg.load(pointed, since=datetime(2000, 1, 1))
            again = sisreg.load(pointed, since=datetime(2000, 1, 1))
        assert [s.tally.loaded for s in again] == [0, 0, 0]
    assert sum(load.tally.loaded for load in loads) > 0
    assert sum(load.tally.rejected for load in loads) == 0
    assert query(pointed, "select max(janela_fim) from controle.cargas") == [
        (datetime(2026, 7, 1, 0, 5),)
    ]
    numbers = {
        row[0]
        for table in (REQUESTS, "bruto_sisreg.marcacao_ambulatorial")
        for row in query(pointed, f"select codigo_solicitacao from {table}")
    }
    assert numbers <= set(city.requests["codigo"].to_pylist())
    assert len(numbers) > 0.9 * len(city.requests)
