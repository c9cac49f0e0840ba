"""The SISREG loader against a search server that none of us wrote: osmem, OpenSearch in memory.

Our own simulator shares our misunderstandings; this one does not. Where it differs from the real
source: it knows neither TLS nor accounts (it takes any), never compresses, is never late, never
loses a shard and shows the true clock; and it lacks the analyzer `brazilian`, which is put in its
place here. All of that is the simulator's part (`test_load_faults.py`).
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from pydantic import SecretStr

from mapa import landing
from mapa.errors import EmptyScopeError, LayoutError, SourceError
from mapa.http import Answer, Door
from mapa.layouts import Layout, named, of_indices
from mapa.load import pages, sisreg
from mapa.load.archives import GZIP
from mapa.load.documents import ALIASES
from mapa.load.window import BRASILIA
from mapa.settings import Settings
from mapa_city import city as simulated
from mapa_city.doors.server import Server, serving
from mirror import INDICES, document

osmem = pytest.importorskip("osmem_server", reason="osmem-server has no wheel for this machine")

REQUESTS, BOOKINGS, ADMISSIONS = INDICES
TABLE = "bruto_sisreg.solicitacao_ambulatorial"
ALIAS = f"{REQUESTS}-df-brasilia"
KEYWORD = {"type": "keyword"}
TEXT = {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}
NAMED = TEXT | {"analyzer": "brazilian"}
NESTED = {"laudo": {"type": "nested"}, "procedimentos": {"type": "nested"}}
SETTINGS = {
    "number_of_shards": 5,
    "analysis": {"analyzer": {"brazilian": {"tokenizer": "standard", "filter": ["lowercase"]}}},
}
FAMILIES = ("manual", "keyword", "text")
Documents = dict[str, list[dict[str, Any]]]


# --- the server ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Real:
    """A server of one test, written to as the owner of the source would."""

    url: str

    def ask(self, method: str, path: str, content: Any = None) -> dict[str, Any]:
        """Send a request that must succeed."""
        answer = httpx.request(method, self.url + path, json=content, timeout=60)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def make(self, name: str, mapping: dict[str, Any], alias: str = ALIAS) -> None:
        """Make an index behind an alias."""
        body = {"settings": SETTINGS, "mappings": mapping, "aliases": {alias: {}}}
        self.ask("PUT", f"/{name}", body)

    def write(self, name: str, documents: list[dict[str, Any]]) -> None:
        """Write documents in bulk; their `_id` is their place, never their number."""
        lines = []
        for place, each in enumerate(documents):
            lines += [json.dumps({"index": {"_id": str(place)}}), json.dumps(each)]
        answer = httpx.post(
            f"{self.url}/{name}/_bulk?refresh=true",
            content="\n".join([*lines, ""]),
            headers={"content-type": "application/x-ndjson"},
            timeout=60,
        )
        failed = [item["index"].get("error") for item in answer.json()["items"]]
        assert not any(failed), next(filter(None, failed))

    def settings(self, directory: Path, **changes: Any) -> Settings:
        """Return settings that point here, with small pages and little patience."""
        chosen: dict[str, Any] = {
            "mapa_dir": directory / "data",
            "sisreg_url": self.url,
            "sisreg_user": "conta",
            "sisreg_password": SecretStr("segredo"),
            "sisreg_page": 10,
            "mapa_attempts": 2,
            "mapa_wait_seconds": 0.001,
        }
        return Settings(**(chosen | changes))


def mapping(index: str, family: str) -> dict[str, Any]:
    """Return the mapping of an index: as the manual's mirror has it, or text all of one kind."""
    text = {"manual": TEXT, "keyword": KEYWORD, "text": TEXT}[family]
    dates = [_template("data_*", {"type": "date"}), _template("dt_*", {"type": "date"})]
    rest = {"strings": {"match_mapping_type": "string", "mapping": text}}
    if index == ADMISSIONS:
        # Its mapping is static: the numbers are numbers and all else is text.
        names = ("codigo_classificacao_risco", "codigo_natureza_lesao", "codigo_solicitacao")
        longs = {name: {"type": "long"} for name in (*names, "numero_aih", "numero_digito_aih")}
        floats = {"valor_proc_aih": {"type": "float"}}
        return {"dynamic_templates": [*dates, rest], "properties": longs | floats}
    if family != "manual":
        # The source writes codes now as text, now as number.
        numbers = {"numbers": {"match_mapping_type": "long", "mapping": text}}
        return {"dynamic_templates": [*dates, rest, numbers], "properties": _nested(index)}
    codes = ("codigo_*", "cpf_*", "uf_*", "st_*", "cep_*", "tipo_logradouro_*", "numero_*")
    names = ("no_*", "nome_*", "descricao_*")
    templates = [_template(n, KEYWORD) for n in codes] + [_template(n, NAMED) for n in names]
    situation = TEXT if index == BOOKINGS else KEYWORD
    own = {"telefone": KEYWORD, "status_solicitacao": TEXT, "sigla_situacao": situation}
    return {
        "dynamic_templates": [*dates, *templates, rest],
        "properties": own | _nested(index),
    }


def _template(name: str, kind: dict[str, Any]) -> dict[str, Any]:
    return {name: {"match": name, "mapping": kind}}


def _nested(index: str) -> dict[str, Any]:
    return NESTED if index == REQUESTS else {"laudo": NESTED["laudo"]}


@pytest.fixture(scope="module")
def city_documents() -> Documents:
    """Return what a small city's own API delivers."""
    city = simulated.build(people=600, days=60, seed=11, until=date(2026, 6, 30))
    with serving(city) as server:
        return {index: _all(server, index) for index in INDICES}


def _all(server: Server, index: str) -> list[dict[str, Any]]:
    given = server.environment()
    answer = httpx.post(
        f"{server.url}/{index}-df-brasilia/_search",
        json={"size": 10_000},
        auth=(given["SISREG_USER"], given["SISREG_PASSWORD"]),
        timeout=60,
    )
    return [hit["_source"] for hit in answer.json()["hits"]["hits"]]


@pytest.fixture(scope="module")
def osmem_server(city_documents: Documents) -> Iterator[Any]:
    """Start the server, the city in it once for each family; each test gets a copy of its own."""
    with osmem.OsmemServer.start(japanese=False) as started:
        base = Real(started.url)
        for family in FAMILIES:
            for index in INDICES:
                base.make(f"{index}-{family}-v3", mapping(index, family), f"{index}-{family}")
                base.write(f"{index}-{family}-v3", city_documents[index])
        yield started


@pytest.fixture
def real(osmem_clone: Any) -> Real:
    """Return the server of this test."""
    return Real(osmem_clone.url)


@pytest.fixture
def requests_index(real: Real) -> Real:
    """Return a server whose index of requests holds 25 open ones."""
    real.make("v3", mapping(REQUESTS, "manual"))
    real.write("v3", [document(n) for n in range(25)])
    return real


# --- what must be in raw ---------------------------------------------------------------------


def query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()


def stored(settings: Settings, layout: Layout) -> list[str]:
    """Return each raw row as JSON, in order of its text."""
    names = ", ".join(f'"{name}"' for name in layout.columns)
    rows = query(settings, f"select {names}, _campos_extras from {layout.table}")
    return sorted(_line([*row[:-1], json.loads(row[-1]) if row[-1] else None]) for row in rows)


def indexed(documents: list[dict[str, Any]], layout: Layout) -> list[str]:
    """Return what the rows of these documents must be, told from the documents alone."""
    known = {*layout.columns, *layout.withheld, *ALIASES.values()}
    rows = []
    for each in documents:
        cells: list[Any] = [
            _entries(layout, name, each.get(name))
            if name in layout.nested
            else _text(each.get(name, each.get(ALIASES.get(name, name))))
            for name in layout.columns
        ]
        unknown = {name: value for name, value in each.items() if name not in known}
        rows.append(_line([*cells, unknown or None]))
    return sorted(rows)


def _line(row: list[Any]) -> str:
    return json.dumps(row, sort_keys=True, ensure_ascii=False)


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _entries(layout: Layout, column: str, entries: Any) -> Any:
    if entries is None:
        return None
    body = layout.nested[column].removeprefix("STRUCT(").removesuffix(")[]")
    members = [member.split()[0] for member in body.split(", ")]
    return [{name: _text(entry.get(name)) for name in members} for entry in entries]


def requests_of(settings: Settings) -> list[str]:
    return stored(settings, named(REQUESTS))


def as_indexed(documents: list[dict[str, Any]]) -> list[str]:
    return indexed(documents, named(REQUESTS))


# --- the mapping families --------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_raw_is_what_was_indexed_in_each_mapping_family(
    real: Real, tmp_path: Path, city_documents: Documents, family: str
) -> None:
    settings = real.settings(tmp_path, sisreg_suffix=family, sisreg_page=100)
    summaries = sisreg.load(settings)
    for summary, layout in zip(summaries, of_indices(), strict=True):
        index = layout.name
        expected = indexed(city_documents[index], layout)
        assert len(expected) >= 10
        assert stored(settings, layout) == expected
        assert summary.tally.received == summary.tally.loaded == len(expected)
    again = sisreg.load(settings, full=True)
    assert [s.tally.loaded for s in again] == [0, 0, 0]
    assert query(settings, "select count(*) from controle.ausencias") == [(0,)]


@pytest.mark.parametrize("family", FAMILIES)
def test_another_central_is_told_apart_in_each_mapping_family(
    real: Real, tmp_path: Path, family: str
) -> None:
    for index in INDICES:
        ours = document(1, index)
        theirs = document(2, index, codigo_central_reguladora="530011")
        real.make(f"{index}-two", mapping(index, family), f"{index}-df-brasilia")
        real.write(f"{index}-two", [ours, theirs])
    settings = real.settings(tmp_path)
    assert [s.tally.received for s in sisreg.load(settings)] == [1, 1, 1]
    settings = real.settings(tmp_path, sisreg_central="530011")
    assert [s.tally.received for s in sisreg.load(settings, full=True)] == [1, 1, 1]
    settings = real.settings(tmp_path, sisreg_central="530010 530011")
    assert [s.tally.received for s in sisreg.load(settings)] == [2, 2, 2]
    settings = real.settings(tmp_path, sisreg_central="530012,53001A")
    with pytest.raises(EmptyScopeError, match="53001A"):
        sisreg.load(settings)


@pytest.mark.parametrize("family", FAMILIES)
def test_without_a_central_the_whole_state_is_read(real: Real, tmp_path: Path, family: str) -> None:
    for index in INDICES:
        real.make(f"{index}-two", mapping(index, family), f"{index}-df-brasilia")
        centrals = [document(n, index, codigo_central_reguladora=f"53001{n}") for n in (1, 2)]
        real.write(f"{index}-two", [*centrals, document(3, index, codigo_uf_regulador="52")])
    settings = real.settings(tmp_path, sisreg_central="")
    assert [s.tally.received for s in sisreg.load(settings)] == [2, 2, 2]


def test_an_alias_may_stand_for_several_indices(requests_index: Real, tmp_path: Path) -> None:
    more = [document(n) for n in range(25, 40)]
    requests_index.make("v4", mapping(REQUESTS, "manual"))
    requests_index.write("v4", more)
    # An index that was made for documents to come has no field yet.
    requests_index.ask("PUT", "/v5", {"aliases": {ALIAS: {}}})
    settings = requests_index.settings(tmp_path)
    sisreg.load(settings, REQUESTS)
    assert requests_of(settings) == as_indexed([document(n) for n in range(40)])


def test_indices_that_name_the_instant_of_change_differently_are_read_together(
    requests_index: Real, tmp_path: Path
) -> None:
    def renamed(found: dict[str, Any]) -> dict[str, Any]:
        return {"dt_atualizacao" if k == "data_atualizacao" else k: v for k, v in found.items()}

    requests_index.make("v4", mapping(REQUESTS, "manual"))
    requests_index.write("v4", [renamed(document(n)) for n in range(25, 40)])
    settings = requests_index.settings(tmp_path)
    sisreg.load(settings, REQUESTS)
    assert requests_of(settings) == as_indexed([document(n) for n in range(40)])
    since = datetime(2026, 4, 10)
    (window,) = sisreg.load(settings, REQUESTS, since=since)
    inside = [n for n in range(40) if document(n)["data_atualizacao"] >= since.isoformat()]
    assert (window.tally.received, window.tally.loaded) == (len(inside), 0)


def test_indices_that_map_the_central_differently_are_refused(
    requests_index: Real, tmp_path: Path
) -> None:
    # `term` on the name of the one finds nothing in the other, and `_count` agrees with it.
    requests_index.make("v4", mapping(REQUESTS, "text"))
    requests_index.write("v4", [document(n) for n in range(25, 40)])
    settings = requests_index.settings(tmp_path)
    with pytest.raises(LayoutError, match="mapped differently"):
        sisreg.load(settings, REQUESTS)
    assert query(settings, f"select count(*) from {TABLE}") == [(0,)]


def test_a_mapping_without_the_central_is_no_empty_index(real: Real, tmp_path: Path) -> None:
    real.make("v3", mapping(REQUESTS, "manual"))
    without = document(1)
    del without["codigo_central_reguladora"]
    real.write("v3", [without])
    with pytest.raises(LayoutError, match="codigo_central_reguladora"):
        sisreg.load(real.settings(tmp_path), REQUESTS)


# --- paging ----------------------------------------------------------------------------------


def test_more_documents_than_a_result_window_holds(
    real: Real, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 12_345
    instants = [f"2026-04-0{n % 3 + 1}T10:00:00.000Z" for n in range(count)]
    documents = [_narrow(n, data_atualizacao=instant) for n, instant in enumerate(instants)]
    random.Random(1).shuffle(documents)
    real.make("v3", mapping(REQUESTS, "manual"))
    real.write("v3", documents)
    settings = real.settings(tmp_path, sisreg_page=10_000)
    (summary,) = sisreg.load(settings, REQUESTS)
    assert summary.tally.loaded == count
    assert requests_of(settings) == as_indexed(documents)
    landed = list(settings.landing.rglob("pagina-*"))
    assert len(landed) == 2
    # The server does not compress; landing does.
    assert all(landing.read(path).startswith(GZIP) for path in landed)
    # Read in parts, page by page, over instants that thousands of documents share: nothing more.
    monkeypatch.setattr(pages, "MOST_DOCUMENTS", 5000)
    smaller = settings.model_copy(update={"sisreg_page": 999})
    (summary,) = sisreg.load(smaller, REQUESTS, since=datetime(2026, 1, 1))
    assert (summary.tally.loaded, summary.tally.identical) == (0, count)


def _narrow(number: int, **changes: Any) -> dict[str, Any]:
    """Return a document with what is mandatory and a code, because thousands are to be indexed."""
    names = (*named(REQUESTS).required, "codigo_central_reguladora", "cns_usuario")
    return {name: document(number)[name] for name in names} | changes


def test_documents_with_the_same_key_at_the_edge_of_a_page(real: Real, tmp_path: Path) -> None:
    # The same document twice, in other words with other content: `search_after` skips the second.
    same = {"data_atualizacao": "2026-04-01T10:00:00.000Z"}
    documents = [document(n, **same) for n in range(10)]
    documents += [document(9, **same, bairro_paciente_residencia="GAMA")]
    documents += [document(n, **same) for n in range(10, 15)]
    real.make("v3", mapping(REQUESTS, "manual"))
    real.write("v3", documents)
    settings = real.settings(tmp_path)
    sisreg.load(settings, REQUESTS)
    assert sorted(set(requests_of(settings))) == as_indexed(documents)


def test_a_server_that_cannot_sort_is_scrolled(real: Real, tmp_path: Path) -> None:
    cannot = mapping(REQUESTS, "manual")
    cannot["properties"]["data_atualizacao"] = {"type": "date", "doc_values": False}
    documents = [document(n) for n in range(37)]
    real.make("v3", cannot)
    real.write("v3", documents)
    settings = real.settings(tmp_path)
    sisreg.load(settings, REQUESTS)
    assert requests_of(settings) == as_indexed(documents)
    assert len(list(settings.landing.rglob("pagina-*-rolagem.json.gz"))) == 4


@pytest.mark.parametrize("losses", [1, 3])
def test_a_scroll_that_the_server_closes_is_begun_anew(
    real: Real, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, losses: int
) -> None:
    cannot = mapping(REQUESTS, "manual")
    cannot["properties"]["data_atualizacao"] = {"type": "date", "doc_values": False}
    documents = [document(n) for n in range(25)]
    real.make("v3", cannot)
    real.write("v3", documents)
    settings = real.settings(tmp_path)
    ask, left = Door.ask, [None] * losses

    def interrupted(door: Door, method: str, path: str, **request: Any) -> Answer:
        # As when it takes too long between two pages, or the server begins anew.
        if (method, path) == ("POST", "/_search/scroll") and left:
            left.pop()
            real.ask("DELETE", "/_search/scroll/_all")
        return ask(door, method, path, **request)

    monkeypatch.setattr(Door, "ask", interrupted)
    if losses == pages.READINGS:
        with pytest.raises(SourceError, match=r"scroll was closed(.|\n)*nothing was loaded"):
            sisreg.load(settings, REQUESTS)
        assert query(settings, f"select count(*) from {TABLE}") == [(0,)]
    else:
        sisreg.load(settings, REQUESTS)
        assert requests_of(settings) == as_indexed(documents)


def test_a_smaller_result_window_is_named_with_its_setting(
    requests_index: Real, tmp_path: Path
) -> None:
    requests_index.ask("PUT", "/v3/_settings", {"index.max_result_window": 5})
    settings = requests_index.settings(tmp_path)
    with pytest.raises(SourceError, match=r"400(.|\n)*SISREG_PAGE"):
        sisreg.load(settings, REQUESTS)
    smaller = requests_index.settings(tmp_path, sisreg_page=5)
    for full in (False, True):
        sisreg.load(smaller, REQUESTS, full=full)
    assert requests_of(smaller) == as_indexed([document(n) for n in range(25)])


# --- windows ---------------------------------------------------------------------------------


def test_a_window_begins_and_ends_at_the_sources_own_midnight(real: Real, tmp_path: Path) -> None:
    inside = ("2026-06-30T00:00:00.000Z", "2026-06-30T02:59:59.000Z", "2026-06-30T23:59:59.999Z")
    outside = ("2026-06-29T23:59:59.999Z", "2026-07-01T00:00:00.000Z", "2026-07-01T02:59:59.000Z")
    real.make("v3", mapping(REQUESTS, "manual"))
    instants = enumerate([*inside, *outside])
    real.write("v3", [document(n, data_atualizacao=instant) for n, instant in instants])
    settings = real.settings(tmp_path)
    sisreg.load(settings, REQUESTS, since=datetime(2026, 6, 30), until=datetime(2026, 7, 1))
    found = query(settings, f"select data_atualizacao from {TABLE} order by 1")
    assert [row[0] for row in found] == list(inside)


def test_now_is_the_servers_clock_read_in_brasilia(real: Real, tmp_path: Path) -> None:
    now = datetime.now(UTC).astimezone(BRASILIA).replace(tzinfo=None)
    # By the clock of Greenwich, which is three hours ahead, both would have happened.
    passed, to_come = (now + timedelta(minutes=m) for m in (-5, 60))
    real.make("v3", mapping(REQUESTS, "manual"))
    real.write(
        "v3", [document(1, data_atualizacao=_z(passed)), document(2, data_atualizacao=_z(to_come))]
    )
    settings = real.settings(tmp_path)
    sisreg.load(settings, REQUESTS)
    assert query(settings, f"select codigo_solicitacao from {TABLE}") == [("900000001",)]
    ((mark,),) = query(settings, "select marca from controle.marcas")
    assert abs(mark - now) < timedelta(minutes=2)


def _z(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds") + "Z"


def test_only_what_changed_and_what_is_open_comes_again(real: Real, tmp_path: Path) -> None:
    long_ago = {"data_atualizacao": "2019-01-01T00:00:00.000Z"}
    closed = {**long_ago, "status_solicitacao": "SOLICITAÇÃO / CANCELADA / SOLICITANTE"}
    first = [document(n, **long_ago) for n in range(15)]
    first += [document(n, **closed) for n in range(15, 30)]
    now = datetime.now(UTC).astimezone(BRASILIA).replace(tzinfo=None)
    # The window begins a day before the newest change.
    first.append(document(30, **closed | {"data_atualizacao": _z(now - timedelta(minutes=5))}))
    real.make("v3", mapping(REQUESTS, "manual"))
    real.write("v3", first)
    settings = real.settings(tmp_path)
    sisreg.load(settings, REQUESTS)
    # One changes and says so; one that is open and one that is closed change in silence.
    changed = document(20, **closed | {"data_atualizacao": _z(now - timedelta(hours=1))})
    in_silence = document(4, **long_ago, bairro_paciente_residencia="GAMA")
    closed_in_silence = document(25, **closed, bairro_paciente_residencia="GAMA")
    second = [*first]
    second[20], second[4], second[25] = changed, in_silence, closed_in_silence
    real.write("v3", second)
    (summary,) = sisreg.load(settings, REQUESTS)
    assert (summary.tally.received, summary.tally.loaded) == (2 + 15, 2)
    assert requests_of(settings) == as_indexed([*first, changed, in_silence])
    sisreg.load(settings, REQUESTS, full=True)
    assert requests_of(settings) == as_indexed([*first, changed, in_silence, closed_in_silence])


def test_what_vanished_is_marked_and_may_come_back(requests_index: Real, tmp_path: Path) -> None:
    settings = requests_index.settings(tmp_path)
    sisreg.load(settings, REQUESTS)
    for place in (3, 7):
        requests_index.ask("DELETE", f"/v3/_doc/{place}?refresh=true")
    sisreg.load(settings, REQUESTS, full=True)
    requests_index.ask("PUT", "/v3/_doc/7?refresh=true", document(7))
    sisreg.load(settings, REQUESTS, full=True)
    events = "select chave, evento from controle.ausencias order by registrado_em, chave"
    assert query(settings, events) == [
        ("900000003", "ausente"), ("900000007", "ausente"), ("900000007", "presente")
    ]  # fmt: skip
    assert query(settings, f"select count(*) from {TABLE}") == [(25,)]


def test_a_number_in_many_documents_makes_no_other_number_vanish(
    real: Real, tmp_path: Path
) -> None:
    # Asked for eight numbers, a page of ten would show one of them ten times.
    documents = [document(3) for _ in range(30)] + [document(n) for n in range(8) if n != 3]
    real.make("v3", mapping(REQUESTS, "manual"))
    real.write("v3", documents)
    settings = real.settings(tmp_path)
    for _ in range(2):
        sisreg.load(settings, REQUESTS)
    assert query(settings, "select count(*) from controle.ausencias") == [(0,)]
    assert query(settings, f"select count(*) from {TABLE}") == [(8,)]


# --- content and drift -----------------------------------------------------------------------


def test_unicode_nulls_and_numbers_arrive_as_they_were_written(real: Real, tmp_path: Path) -> None:
    documents = [
        document(1, no_usuario='ÇÃO \u2028 😀 "aspas" \\ \' \t \n \x00 <b>&amp;', telefone=None),
        document(2, no_usuario="", laudo=[], procedimentos=None, codigo_cid_solicitado=" h259 "),
        document(3, laudo=None, procedimentos=[{"codigo_interno": "0701234"}, {}]),
        document(4, marcacao_executada="1.0", endereco_paciente_residencia="9" * 40_000),
        document(
            5, numero_crm=12345678901234567890, codigo_tipo_fila=1, st_visualizado_regulador=True
        ),
        {k: v for k, v in document(6).items() if k not in ("telefone", "laudo", "no_usuario")},
    ]
    real.make("v3", mapping(REQUESTS, "manual"))
    real.write("v3", documents)
    settings = real.settings(tmp_path)
    sisreg.load(settings, REQUESTS)
    assert requests_of(settings) == as_indexed(documents)


@pytest.mark.parametrize("dynamic", ["true", "false"])
def test_a_new_field_is_kept_and_reported(real: Real, tmp_path: Path, dynamic: str) -> None:
    documents = [document(n) for n in range(5)]
    real.make("v3", mapping(REQUESTS, "manual"))
    real.write("v3", documents)
    # With `false` the server keeps the field and does not show it in its mapping.
    real.ask("PUT", "/v3/_mapping", {"dynamic": dynamic})
    documents += [document(5, canal="APP"), document(6, canal={"nome": "ção", "versao": [1, 2.5]})]
    if dynamic == "true":
        documents[6]["canal"] = "SITE"
    real.write("v3", documents)
    settings = real.settings(tmp_path)
    (summary,) = sisreg.load(settings, REQUESTS)
    assert summary.notes == ("new fields kept in _campos_extras: canal",)
    assert requests_of(settings) == as_indexed(documents)


@pytest.mark.parametrize("name", ["com espaço", 'aspas"duplas', "apos'trofo", "a){}, (", "_b"])
def test_a_new_field_may_have_any_name(requests_index: Real, tmp_path: Path, name: str) -> None:
    new: dict[str, Any] = {name: {"a": ["1", None, "x"]}}
    documents = [document(n) for n in range(3)] + [document(3, **new)]
    requests_index.write("v3", documents)
    settings = requests_index.settings(tmp_path)
    sisreg.load(settings, REQUESTS)
    expected = as_indexed([*documents, *(document(n) for n in range(4, 25))])
    assert requests_of(settings) == expected


@pytest.mark.parametrize("name", ["Telefone", "CODIGO_SOLICITACAO"])
def test_fields_that_differ_by_case_only_are_refused(
    requests_index: Real, tmp_path: Path, name: str
) -> None:
    requests_index.write("v3", [document(3, **{name: "OUTRO VALOR"})])
    with pytest.raises(LayoutError, match=f"`{name}` and another one differ") as caught:
        sisreg.load(requests_index.settings(tmp_path), REQUESTS)
    assert "OUTRO" not in caught.value.message


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("laudo", TEXT, "TEXTO QUE NAO DEVE APARECER"),
        ("data_atualizacao", TEXT, "ontem"),
        ("data_atualizacao", KEYWORD, "2026-04-01"),
        ("codigo_solicitacao", {"type": "text"}, "900000001"),
    ],
)
def test_a_changed_type_stops_the_load_before_raw(
    requests_index: Real, tmp_path: Path, name: str, kind: dict[str, Any], value: str
) -> None:
    settings = requests_index.settings(tmp_path)
    sisreg.load(settings, REQUESTS)
    before = requests_of(settings)
    # A type cannot change in place: the owner fills a new index and moves the alias.
    changed = mapping(REQUESTS, "manual")
    changed["properties"][name] = kind
    requests_index.make("v4", changed, "elsewhere")
    others = [document(n, laudo=None) for n in range(25) if n != 1]
    requests_index.write("v4", [document(1, **{name: value}), *others])
    move = {"remove": {"index": "v3", "alias": ALIAS}}, {"add": {"index": "v4", "alias": ALIAS}}
    requests_index.ask("POST", "/_aliases", {"actions": list(move)})
    with pytest.raises(LayoutError, match=f"`{name}`") as caught:
        sisreg.load(settings, REQUESTS)
    assert value not in caught.value.message
    assert requests_of(settings) == before
    outcome = "select resultado from controle.cargas order by iniciada_em desc limit 1"
    assert query(settings, outcome) == [("recusada",)]


def test_an_unknown_alias_is_named(real: Real, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"404(.|\n)*names in the settings"):
        sisreg.load(real.settings(tmp_path, sisreg_suffix="nenhuma"), REQUESTS)
