"""The simulator's doors, knocked at over a real socket and read back from real files."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pyarrow.compute as pc
import pytest
from click.testing import CliRunner
from lxml import etree

from mapa import synthetic
from mapa.cli import cli
from mapa.errors import PortError
from mapa_city.city import City, build
from mapa_city.doors import files
from mapa_city.doors.pdq import CNS_ROOT, CPF_ROOT, SHARED_CPF
from mapa_city.doors.server import Server, listen, serving

UNTIL = date(2026, 6, 30)
QUEUE = "/solicitacao-ambulatorial-df-brasilia"
BOOKED = "/marcacao-ambulatorial-df-brasilia"
HOSPITAL = "/solicitacao-hospitalar-df-brasilia"
BY_CHANGE: list[Any] = [{"data_atualizacao": "asc"}, {"codigo_solicitacao": "asc"}]
WITHOUT_HISTORY = {"solicitada", "visualizada"}


@pytest.fixture(scope="module")
def city() -> City:
    return build(3000, 120, 7, UNTIL)


@pytest.fixture(scope="module")
def server(city: City) -> Iterator[Server]:
    with serving(city) as running:
        yield running


@pytest.fixture(scope="module")
def api(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, auth=(server.user, server.password)) as client:
        yield client


@pytest.fixture(scope="module")
def queue(api: httpx.Client) -> list[dict[str, Any]]:
    return [hit["_source"] for hit in read_all(api, QUEUE)]


@pytest.fixture(scope="module")
def booked(api: httpx.Client) -> list[dict[str, Any]]:
    return [hit["_source"] for hit in read_all(api, BOOKED)]


def search(api: httpx.Client, index: str, **body: Any) -> dict[str, Any]:
    answer = api.post(f"{index}/_search", json=body)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


def count(api: httpx.Client, index: str, query: dict[str, Any]) -> int:
    return int(api.post(f"{index}/_count", json={"query": query}).json()["count"])


def read_all(api: httpx.Client, index: str, size: int = 700) -> list[dict[str, Any]]:
    """Read an index page by page, each page behind the last hit of the one before."""
    hits: list[dict[str, Any]] = []
    further: dict[str, Any] = {}
    while True:
        page = search(api, index, size=size, sort=BY_CHANGE, **further)["hits"]["hits"]
        hits += page
        if len(page) < size:
            return hits
        further = {"search_after": page[-1]["sort"]}


END = datetime.combine(UNTIL + timedelta(days=1), datetime.min.time())


def in_the_queue(city: City, closing: datetime = END) -> list[dict[str, Any]]:
    """Return the requests that the index of the queue shows at an instant."""
    away = {
        row["request_idx"]
        for row in city.absences.to_pylist()
        if row["gone_at"] < closing and not (row["back_at"] and row["back_at"] < closing)
    }
    return [
        row
        for number, row in enumerate(city.requests.to_pylist())
        if row["requested_at"] < closing and not row["undated"] and number not in away
    ]


def newest_bookings(city: City, closing: datetime = END) -> list[dict[str, Any]]:
    """Return the newest booking of each request at an instant."""
    made = sorted(city.bookings.to_pylist(), key=lambda row: row["approved_at"])
    return list({row["request_idx"]: row for row in made if row["approved_at"] < closing}.values())


def share(values: list[bool]) -> float:
    return sum(values) / len(values)


# Who may enter


def test_without_credentials_nothing_of_sisreg_answers(server: Server) -> None:
    for credentials in (None, (server.user, "wrong")):
        answer = httpx.get(f"{server.url}{QUEUE}/_search", auth=credentials)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="security"'
        assert answer.json()["error"]["type"] == "security_exception"


def test_the_cheap_credential_check_and_the_greeting(api: httpx.Client, server: Server) -> None:
    assert api.get("/_security/_authenticate").json()["username"] == server.user
    greeting = api.get("/")
    assert greeting.json()["tagline"] == "You Know, for Search"
    assert greeting.headers["X-elastic-product"] == "Elasticsearch"


def test_the_clock_is_the_citys_and_there_is_only_one(api: httpx.Client) -> None:
    dates = api.get("/").headers.get_list("date")
    assert dates == ["Wed, 01 Jul 2026 03:05:00 GMT"]


def test_an_unknown_index_is_a_404_in_the_servers_own_shape(api: httpx.Client) -> None:
    answer = api.post("/solicitacao-ambulatorial-rj/_search", json={})
    assert answer.status_code == 404
    assert answer.json()["error"]["root_cause"][0]["type"] == "index_not_found_exception"


# Reading everything, once


def test_search_after_gives_every_request_once(api: httpx.Client, city: City) -> None:
    hits = read_all(api, QUEUE)
    codes = [hit["_source"]["codigo_solicitacao"] for hit in hits]
    assert sorted(codes) == sorted(row["codigo"] for row in in_the_queue(city))
    assert [hit["sort"] for hit in hits] == sorted(hit["sort"] for hit in hits)
    assert hits[0]["_index"] == "solicitacao-ambulatorial"


def test_scroll_gives_every_booking_once_and_can_be_closed(api: httpx.Client, city: City) -> None:
    page = api.post(f"{BOOKED}/_search?scroll=2m", json={"size": 300}).json()
    seen: list[str] = []
    while hits := page["hits"]["hits"]:
        seen += [hit["_source"]["codigo_marcacao"] for hit in hits]
        body = {"scroll": "2m", "scroll_id": page["_scroll_id"]}
        page = api.post("/_search/scroll", json=body).json()
    assert sorted(seen) == sorted(row["codigo"] for row in newest_bookings(city))
    body = {"scroll_id": [page["_scroll_id"]]}
    assert api.request("DELETE", "/_search/scroll", json=body).json()["num_freed"] == 1
    gone = api.post("/_search/scroll", json={"scroll_id": page["_scroll_id"]})
    assert gone.status_code == 404


def test_totals(api: httpx.Client, city: City) -> None:
    total = len(in_the_queue(city))
    exact = {"value": total, "relation": "eq"}
    assert search(api, QUEUE, size=0)["hits"]["total"] == exact
    assert search(api, QUEUE, size=0, track_total_hits=True)["hits"]["total"] == exact
    capped = search(api, QUEUE, size=0, track_total_hits=50)["hits"]["total"]
    assert capped == {"value": 50, "relation": "gte"}
    assert "total" not in search(api, QUEUE, size=0, track_total_hits=False)["hits"]
    assert count(api, QUEUE, {"match_all": {}}) == total


def test_the_result_window_is_ten_thousand(api: httpx.Client) -> None:
    assert api.post(f"{QUEUE}/_search", json={"size": 1, "from": 9999}).status_code == 200
    answer = api.post(f"{QUEUE}/_search", json={"size": 2, "from": 9999})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "search_phase_execution_exception"
    assert "Result window is too large" in error["root_cause"][0]["reason"]


def test_pages_are_compressed_when_asked(api: httpx.Client) -> None:
    body = {"size": 200, "sort": BY_CHANGE}
    packed = api.post(f"{QUEUE}/_search", json=body, headers={"Accept-Encoding": "gzip"})
    plain = api.post(f"{QUEUE}/_search", json=body, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.json()["hits"] == plain.json()["hits"]


def test_source_can_be_chosen(api: httpx.Client) -> None:
    def source(wanted: Any) -> dict[str, Any]:
        hit = search(api, QUEUE, size=1, sort=BY_CHANGE, _source=wanted)["hits"]["hits"][0]
        found: dict[str, Any] = hit.get("_source", {"none": True})
        return found

    assert source(["codigo_solicitacao", "laudo"]).keys() == {"codigo_solicitacao", "laudo"}
    assert source({"includes": ["laudo"]}).keys() == {"laudo"}
    assert source(False) == {"none": True}


# The query language


def test_term_on_text_needs_keyword_and_match_does_not(api: httpx.Client) -> None:
    status = "AGENDAMENTO / CONFIRMADO / EXECUTANTE"
    assert count(api, QUEUE, {"term": {"status_solicitacao": status}}) == 0
    exact = count(api, QUEUE, {"term": {"status_solicitacao.keyword": status}})
    matched = count(api, QUEUE, {"match": {"status_solicitacao": "confirmado"}})
    assert 0 < exact < matched  # some statuses carry trailing blanks
    assert count(api, QUEUE, {"term": {"sigla_situacao": "P"}}) > 0
    assert count(api, BOOKED, {"term": {"sigla_situacao": "A"}}) == 0
    assert count(api, BOOKED, {"term": {"sigla_situacao.keyword": "A"}}) > 0


@pytest.mark.parametrize("index", [QUEUE, BOOKED, HOSPITAL])
def test_match_on_the_central_finds_everything_in_every_family(
    api: httpx.Client, index: str
) -> None:
    everything = count(api, index, {"match_all": {}})
    assert count(api, index, {"match": {"codigo_central_reguladora": "530010"}}) == everything


def test_sort_on_text_is_refused(api: httpx.Client) -> None:
    for field, status in (("no_usuario", 400), ("no_usuario.keyword", 200), ("no_such", 400)):
        assert api.post(f"{QUEUE}/_search", json={"sort": [field]}).status_code == status


def test_unknown_clauses_are_refused_not_ignored(api: httpx.Client) -> None:
    unknown: list[dict[str, Any]] = [
        {"nested": {"path": "laudo"}},
        {"bool": {"should": []}},
        {"wildcard": {"no_usuario": "A*"}},
    ]
    for clause in unknown:
        answer = api.post(f"{QUEUE}/_search", json={"query": clause})
        assert answer.status_code == 400
        assert answer.json()["error"]["type"] == "parsing_exception"


def test_ranges_read_the_false_z_and_a_time_zone_displaces_them(
    api: httpx.Client, city: City
) -> None:
    day = "2026-06-15"

    def found(**bounds: str) -> int:
        return count(api, QUEUE, {"bool": {"filter": [{"range": {"data_solicitacao": bounds}}]}})

    asked = [row["requested_at"] for row in in_the_queue(city)]
    asked = [at for at in asked if str(at)[:10] == day]
    late = [at for at in asked if at.hour >= 3]
    local = {"gte": f"{day}T00:00:00.000Z", "lt": "2026-06-16T00:00:00.000Z"}
    assert found(**local) == len(asked) > 0
    assert found(gte=day, lte=day) == len(asked)
    assert found(gte=day, lt=f"{day}T21:00:00", time_zone="-03:00") == len(late)


def test_windows_over_the_change_add_up(api: httpx.Client, city: City) -> None:
    middle = "2026-06-01T00:00:00.000Z"
    before = count(api, QUEUE, {"range": {"data_atualizacao": {"lt": middle}}})
    after = count(api, QUEUE, {"range": {"data_atualizacao": {"gte": middle}}})
    negated = {"bool": {"must_not": [{"range": {"data_atualizacao": {"lt": middle}}}]}}
    assert before + after == len(in_the_queue(city))
    assert count(api, QUEUE, negated) == after


def test_mapping_shows_both_families(api: httpx.Client) -> None:
    def kinds(index: str) -> dict[str, Any]:
        (content,) = api.get(f"{index}/_mapping").json().values()
        properties: dict[str, Any] = content["mappings"]["properties"]
        return {name: field["type"] for name, field in properties.items()}

    queue, booked, hospital = kinds(QUEUE), kinds(BOOKED), kinds(HOSPITAL)
    assert (queue["sigla_situacao"], booked["sigla_situacao"]) == ("keyword", "text")
    assert (queue["procedimentos"], queue["laudo"]) == ("nested", "nested")
    assert "procedimentos" not in booked
    assert (hospital["codigo_solicitacao"], hospital["codigo_uf_regulador"]) == ("long", "text")
    assert hospital["data_internacao"] == "date"


# What documents say


def test_documents_have_the_fields_of_the_manual(
    queue: list[dict[str, Any]], booked: list[dict[str, Any]], api: httpx.Client
) -> None:
    new = {"canal_entrada"}
    assert {len(doc.keys() - new - {"laudo", "procedimentos"}) for doc in queue} == {59}
    assert {len(doc.keys() - new - {"laudo"}) for doc in booked} == {91}
    admission = search(api, HOSPITAL, size=1)["hits"]["hits"][0]["_source"]
    assert len(admission.keys() - new) == 86
    assert 0 < share([doc.keys() >= new for doc in queue]) < 0.05
    assert all(doc["laudo"][0]["observacao"] and doc["chave_confirmacao"] for doc in booked)


def test_every_event_is_an_entry_of_the_history(city: City, booked: list[dict[str, Any]]) -> None:
    number = {code: row for row, code in enumerate(city.requests["codigo"].to_pylist())}
    shown = {number[doc["codigo_solicitacao"]]: doc["laudo"] for doc in booked}
    happened: dict[int, list[str]] = {}
    for event in city.events.to_pylist():
        if event["kind"] not in {"visualizada", "alterada"}:
            happened.setdefault(event["request_idx"], []).append(f"{event['at']:%Y-%m-%dT%H:%M:%S}")
    for row, entries in shown.items():
        assert [entry["data_observacao"][:19] for entry in entries] == happened[row]


def test_history_is_missing_only_where_there_is_none(
    city: City, queue: list[dict[str, Any]]
) -> None:
    kinds: dict[int, set[str]] = {}
    for event in city.events.to_pylist():
        kinds.setdefault(event["request_idx"], set()).add(event["kind"])
    number = {code: row for row, code in enumerate(city.requests["codigo"].to_pylist())}
    bare = [doc for doc in queue if not doc.get("laudo")]
    assert bare
    assert any("laudo" not in doc for doc in bare)
    for doc in bare:
        assert "PENDENTE" in doc["status_solicitacao"]
        happened = kinds[number[doc["codigo_solicitacao"]]] - {"alterada"}
        assert happened <= WITHOUT_HISTORY or "agendada" in happened  # the latter lag behind


def test_both_indices_agree_but_for_documents_that_lag(
    queue: list[dict[str, Any]], booked: list[dict[str, Any]]
) -> None:
    by_code = {doc["codigo_solicitacao"]: doc for doc in queue}
    # What was typed in as a booking is in no queue.
    undated = [doc for doc in booked if doc["data_solicitacao"] is None]
    assert 0 < len(undated) < 0.03 * len(booked)
    assert not any(doc["codigo_solicitacao"] in by_code for doc in undated)
    dated = [doc for doc in booked if doc["data_solicitacao"] is not None]
    pairs = [(by_code[doc["codigo_solicitacao"]], doc) for doc in dated]
    lagging = [a for a, b in pairs if a["data_atualizacao"] < b["data_atualizacao"]]
    assert 0.02 < len(lagging) / len(pairs) < 0.09
    for a, b in pairs:
        assert a["data_atualizacao"] <= b["data_atualizacao"]
        if a["data_atualizacao"] == b["data_atualizacao"]:
            assert a["status_solicitacao"] == b["status_solicitacao"]
    # Before its newest booking a request waited, or an earlier booking had been cancelled.
    held = ("AGENDADA", "AUTORIZADA", "CONFIRMA", "FALTA")
    assert not any(word in doc["status_solicitacao"] for doc in lagging for word in held)


def test_the_appointment_decides_the_status(city: City, booked: list[dict[str, Any]]) -> None:
    outcome = dict(
        zip(city.bookings["codigo"].to_pylist(), city.bookings["outcome"].to_pylist(), strict=True)
    )
    shown = {
        "confirmada": "AGENDAMENTO / CONFIRMADO",
        "falta": "AGENDAMENTO / FALTA",
        "sem_confirmacao": "AGENDAMENTO / PENDENTE CONFIRMAÇÃO",
        "cancelada": "AGENDAMENTO / CANCELADO",
        "futura": "SOLICITAÇÃO / A",
    }
    for doc in booked:
        assert doc["status_solicitacao"].startswith(shown[outcome[doc["codigo_marcacao"]]])


def test_cancellations_are_shifted_by_the_zone_once_more(
    city: City, queue: list[dict[str, Any]]
) -> None:
    number = {code: row for row, code in enumerate(city.requests["codigo"].to_pylist())}
    closing = {"cancelada", "cancelamento_agendamento"}
    cancelled = {
        event["request_idx"]: event["at"]
        for event in city.events.to_pylist()
        if event["kind"] in closing
    }
    shown = [doc for doc in queue if doc["data_cancelamento"]]
    assert shown
    zone = ZoneInfo("America/Sao_Paulo")
    for doc in shown:
        stored = datetime.fromisoformat(doc["data_cancelamento"])
        offset = stored.astimezone(zone).utcoffset() or timedelta(0)
        assert stored.replace(tzinfo=None) - offset == cancelled[number[doc["codigo_solicitacao"]]]


def test_defects_have_realistic_shares(
    queue: list[dict[str, Any]], booked: list[dict[str, Any]]
) -> None:
    assert {"1", "0", "1.0", "0.0", 0, 1} <= {doc["st_falta_registrada"] for doc in booked}
    assert 0.05 < share([isinstance(d["codigo_classificacao_risco"], int) for d in queue]) < 0.15
    assert 0.01 < share([d["status_solicitacao"].endswith(" ") for d in queue]) < 0.04
    assert 0.01 < share([len(d["codigo_unidade_solicitante"]) < 7 for d in queue]) < 0.06
    assert 0.03 < share([d["codigo_cid_solicitado"].islower() for d in queue]) < 0.15
    assert {"", "---", None} <= {d["nome_unidade_desejada"] for d in queue}
    assert 0.95 < share([len(d["cns_usuario"] or "") == 15 for d in queue]) < 1
    assert all(d["codigo_central_reguladora"] for d in queue)
    risks = {str(d["codigo_classificacao_risco"]) for d in queue}
    assert risks <= {"1", "2", "3", "4", "", "---", "None"}


def test_an_earlier_day_shows_nothing_later(city: City) -> None:
    day = UNTIL - timedelta(days=40)
    closing = datetime.combine(day + timedelta(days=1), datetime.min.time())
    entered, approved = in_the_queue(city, closing), newest_bookings(city, closing)
    with (
        serving(city, as_of=day) as server,
        httpx.Client(base_url=server.url, auth=(server.user, server.password)) as api,
    ):
        clock = api.get("/").headers["Date"]
        documents = [hit["_source"] for hit in read_all(api, QUEUE)]
        assert count(api, BOOKED, {"match_all": {}}) == len(approved)
        late = {"range": {"data_confirmacao": {"gte": f"{closing:%Y-%m-%dT%H:%M:%S}"}}}
        assert count(api, BOOKED, late) == 0
    assert clock == f"{closing:%a, %d %b %Y} 03:05:00 GMT"
    assert len(documents) == len(entered)
    last = f"{closing:%Y-%m-%d}"
    assert all(doc["data_atualizacao"] < last for doc in documents)
    notes = [note for doc in documents for note in doc.get("laudo") or []]
    assert all(note["data_observacao"] < last for note in notes)


def test_the_same_city_gives_the_same_bytes(city: City, api: httpx.Client) -> None:
    body = {"size": 50, "sort": BY_CHANGE}
    with serving(city) as twin:
        auth = (twin.user, twin.password)
        other = httpx.post(f"{twin.url}{QUEUE}/_search", json=body, auth=auth).json()
    assert other["hits"] == search(api, QUEUE, **body)["hits"]


def test_nothing_outlives_the_block(city: City) -> None:
    with serving(city) as gone:
        process = gone.process
        assert process is not None
        store = Path(str(process.args[3]))  # type: ignore[index]
        assert store.exists()
    assert process.returncode == 0
    assert not store.parent.exists()
    with pytest.raises(httpx.ConnectError):
        httpx.get(gone.url)


# CadSUS


def query(root: str, number: str) -> str:
    return (
        '<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Body>'
        '<PRPA_IN201305UV02 xmlns="urn:hl7-org:v3"><id root="1" extension="message-1"/>'
        "<sender><device><name>TESTE</name></device></sender><controlActProcess>"
        '<queryByParameter><queryId root="1.2" extension="7"/><parameterList><livingSubjectId>'
        f'<value root="{root}" extension="{number}"/></livingSubjectId></parameterList>'
        "</queryByParameter></controlActProcess></PRPA_IN201305UV02></soap:Body></soap:Envelope>"
    )


def ask(server: Server, body: str, token: str | None = None) -> httpx.Response:
    settings = server.environment()
    if token is None:
        token = httpx.get(settings["CADSUS_TOKEN_URL"]).json()["access_token"]
    return httpx.post(
        settings["CADSUS_URL"], content=body, headers={"Authorization": f"jwt {token}"}
    )


def found(answer: httpx.Response, path: str) -> list[str]:
    steps = path.replace("*:", "hl7:")
    tree = etree.fromstring(answer.content)
    items: Any = tree.xpath(steps, namespaces={"hl7": "urn:hl7-org:v3"})
    return [str(item) for item in items]


def test_a_person_is_found_by_any_card_and_by_cpf(server: Server, city: City) -> None:
    owners = city.cards["person_idx"].to_pylist()
    owner = next(p for p in owners if owners.count(p) > 1 and city.persons["cpf"][p].is_valid)
    person = city.persons.slice(owner, 1).to_pylist()[0]
    cards = city.cards.filter(pc.equal(city.cards["person_idx"], owner)).to_pylist()
    asked = [(CNS_ROOT, card["cns"]) for card in cards] + [(CPF_ROOT, person["cpf"])]
    for root, number in asked:
        answer = ask(server, query(root, number))
        assert found(answer, "//*:queryResponseCode/@code") == ["OK"]
        assert found(answer, f"//*:id[@root='{CPF_ROOT}' and @extension]/@extension") == [
            person["cpf"]
        ]
        shown = found(answer, f"//*:asOtherIDs/*:id[@root='{CNS_ROOT}']/@extension")
        assert sorted(shown) == sorted(card["cns"] for card in cards)
        assert found(answer, "//*:name[@use='L']/*:given/text()")[0] == person["name"]
        assert found(answer, "//*:birthTime/@value")[0][:8] == f"{person['birth_date']:%Y%m%d}"
        assert found(answer, "//*:targetMessage/*:id/@extension") == ["message-1"]


def test_a_cpf_in_two_master_records_gives_two_candidates(server: Server, city: City) -> None:
    known = [cpf for cpf in city.persons["cpf"].to_pylist() if cpf]
    shared = next(cpf for cpf in known if int(cpf[:9]) % SHARED_CPF == 0)
    answer = ask(server, query(CPF_ROOT, shared))
    assert found(answer, "//*:resultTotalQuantity/@value") == ["2"]
    masters = found(answer, "//*:id[@assigningAuthorityName='RES-BRASIL']/@extension")
    assert len(set(masters)) == 2


def test_the_dead_and_the_moved_are_known(server: Server, city: City) -> None:
    persons = city.persons.to_pylist()
    main = {card["person_idx"]: card["cns"] for card in city.cards.to_pylist() if card["is_main"]}
    for known, form in (("day", "%Y%m%d"), ("month", "%Y%m"), ("nothing", None)):
        dead = next(
            i
            for i, p in enumerate(persons)
            if p["death_date"] and p["death_date"] <= UNTIL and p["death_known"] == known
        )
        answer = ask(server, query(CNS_ROOT, main[dead]))
        assert found(answer, "//*:deceasedInd/@value") == ["true"]
        told = [persons[dead]["death_date"].strftime(form)] if form else []
        assert found(answer, "//*:deceasedTime/@value") == told
    moved = next(i for i, p in enumerate(persons) if p["moved_at"] and p["moved_at"] <= UNTIL)
    answer = ask(server, query(CNS_ROOT, main[moved]))
    assert found(answer, "//*:addr[@use='H']/*:city/text()") == [persons[moved]["new_city_ibge6"]]


def test_nobody_is_found_for_an_unknown_number(server: Server) -> None:
    answer = ask(server, query(CNS_ROOT, "700009999999999"))
    assert answer.status_code == 200
    assert found(answer, "//*:queryResponseCode/@code") == ["NF"]
    assert not found(answer, "//*:subject")


def test_a_token_is_needed(server: Server, city: City) -> None:
    body = query(CNS_ROOT, city.cards["cns"][0].as_py())
    for token in ("made.up.token", "nonsense"):
        assert ask(server, body, token).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        "no XML at all",
        '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>',
        "<a/>",
        query("2.16.840.1.113883.13.240", "123"),
        query(CNS_ROOT, "12A"),
    ],
)
def test_a_malformed_query_is_a_fault(server: Server, body: str) -> None:
    answer = ask(server, body)
    assert answer.status_code == 500
    assert b"soap:Fault" in answer.content
    assert b"queryAck" not in answer.content


# Files


@pytest.fixture(scope="module")
def written(city: City, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("files")
    files.write(city, folder, UNTIL - timedelta(days=31))
    paths = files.write(city, folder)
    # Nothing of the first call is left; the marker says that the files are simulated.
    assert sorted([*paths, folder / synthetic.MARKER]) == sorted(folder.iterdir())
    return {path.name: path for path in paths}


def read(path: Path, encoding: str = "utf-8") -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as lines:
        return list(csv.DictReader(lines, delimiter=";", strict=True))


def test_schedules_come_in_34_columns(city: City, written: dict[str, Path]) -> None:
    path = written["SISREG_ESCALAS_AMB_530010_20260701_0005.csv"]
    assert not path.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = read(path)
    assert len(rows) == len(city.schedules)
    assert list(rows[0])[:2] == ["COD. ESCALA AMBULATORIAL", "COD. CENTRAL EXEC."]
    assert {len(row) for row in rows} == {34}
    assert {len(row["HORA ULTIMA ALTERACAO"]) for row in rows} == {5, 8}
    assert {"---", ""} <= {row["COD. PROCEDIMENTO UNIFICADO"] for row in rows}
    assert any(len(row["COD CNES EXEC."]) < 7 for row in rows)
    assert any("\n" in row["NOME OPERADOR CRIADOR"] for row in rows)
    codes = [row["COD. ESCALA AMBULATORIAL"] for row in rows]
    assert [code.lstrip("0") for code in codes] == city.schedules["codigo"].to_pylist()
    assert any(code.startswith("0") for code in codes)


def test_operator_tables_hold_the_citys_rows(city: City, written: dict[str, Path]) -> None:
    tables = {
        "afastamento_profissional": city.leaves_professional,
        "afastamento_unidade": city.leaves_unit,
        "ppi": city.ppi,
        "teto": city.ceilings,
        "cota": city.quotas,
        "carga_horaria": city.contracts,
    }
    assert {name: len(read(written[f"{name}.csv"])) for name in tables} == {
        name: len(table) for name, table in tables.items()
    }


def test_the_holiday_table_leaves_out_what_the_law_already_says(
    city: City, written: dict[str, Path]
) -> None:
    listed = [row for row in city.holidays.to_pylist() if row["listed"]]
    rows = read(written["feriado.csv"])
    assert len(rows) == len(listed) < len(city.holidays)
    assert {"nacional", "nenhuma"} <= {row["abrangencia"] for row in rows}
    left_out = {row["name"] for row in city.holidays.to_pylist() if not row["listed"]}
    assert {"PAIXÃO DE CRISTO", "NATAL"} <= left_out


def test_bookings_come_as_csv_and_as_txt(written: dict[str, Path]) -> None:
    (table,) = [
        path
        for name, path in written.items()
        if name.startswith("SISREG_AGENDAMENTO_") and name.endswith("_202606.csv")
    ]
    (text,) = [path for name, path in written.items() if name.endswith("_202606.txt")]
    rows = read(table)
    assert {len(row) for row in rows} == {38}
    assert {row["data_agendamento"][3:] for row in rows} == {"06.2026"}
    with text.open(encoding="utf-8", newline="") as lines:
        head, empty, *body = list(csv.reader(lines, delimiter=";", strict=True))
    assert empty == []
    assert head[0] == text.name.split("_")[2] != table.name.split("_")[2]
    assert head[2:] == ["01/06/2026", "30/06/2026", str(len(body))]
    assert {len(row) for row in body} == {38}
    for path in (table, text):
        content = path.read_bytes()
        assert content.count(b"\n") == content.count(b"\r\n")


def test_establishments_are_latin_1_and_mostly_the_citys(
    city: City, written: dict[str, Path]
) -> None:
    path = written["tbEstabelecimento202606.csv"]
    with pytest.raises(UnicodeDecodeError):
        path.read_text(encoding="utf-8")
    rows = read(path, "iso-8859-1")
    active = [
        row for row in rows if not row["CO_MOTIVO_DESAB"] and row["CO_MUNICIPIO_GESTOR"] == "530010"
    ]
    assert [row["CO_CNES"].zfill(7) for row in active] == city.units["cnes"].to_pylist()
    assert len(rows) > 2 * len(active)
    assert {"NU_CPF", "CO_CPFDIRETORCLN", "CO_USUARIO"} <= rows[0].keys()
    assert any(row["NU_LATITUDE"] == "-15.78" for row in rows)


# The command


def test_a_busy_port_is_said_before_the_city_is_built(tmp_path: Path) -> None:
    with listen(0) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(cli, ["simulate", "--dir", str(tmp_path), "--port", str(port)])
    assert result.exit_code == PortError.exit_code
    assert f"Port {port}" in result.output
    assert not list(tmp_path.iterdir())


def test_files_only_writes_files_and_truth(tmp_path: Path) -> None:
    command = ["simulate", "--dir", str(tmp_path), "--files-only", "--people", "1000"]
    result = CliRunner().invoke(cli, [*command, "--days", "60"])
    assert result.exit_code == 0, result.output
    names = [path.name for path in (tmp_path / "files").glob("[!.]*")]
    assert len(names) == 19
    assert sum(name.startswith("proadi_") for name in names) == 8
    assert json.loads((tmp_path / "truth.json").read_bytes())["data_referencia"] == "2026-06-30"


def test_a_day_outside_the_life_of_the_city_is_a_usage_error(tmp_path: Path) -> None:
    command = ["simulate", "--dir", str(tmp_path), "--days", "60", "--as-of", "2026-01-01"]
    assert CliRunner().invoke(cli, command).exit_code == 2
