"""CadSUS: what an answer says, who is asked, and what a fault leaves behind."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pytest
import stamina

from conftest import PROJECT
from mapa import landing, warehouse
from mapa.errors import ConfigError, LayoutError, SourceError
from mapa.load import cadsus, pdq, sisreg
from mapa.settings import Settings
from mapa_city import city as simulated
from mapa_city.doors.server import serving

FIXTURES = PROJECT / "tests" / "fixtures" / "load"
KNOWN, PROVISIONAL, UNKNOWN, AMBIGUOUS, BROKEN = (
    "700000000000102", "898000000000118", "900000000000105", "100000000010002", "200000000050000",
)  # fmt: skip
ANSWERS = {
    KNOWN: (200, "pdq_ok.xml"),
    PROVISIONAL: (200, "pdq_ok.xml"),
    UNKNOWN: (200, "pdq_nao_encontrado.xml"),
    AMBIGUOUS: (200, "pdq_varios.xml"),
    BROKEN: (500, "pdq_falha.xml"),
}


def answer(name: str) -> bytes:
    """Return a stored answer."""
    return (FIXTURES / name).read_bytes()


def test_a_person_is_read_with_all_cards() -> None:
    reply = pdq.read(answer("pdq_ok.xml"))
    assert (reply.outcome, reply.candidates) == (pdq.OK, 1)
    assert {name: value for name, value in reply.person.items() if value} == {
        "id_pessoa": "1000001",
        "nome": "PACIENTE FICTICIA UM",
        "nome_social": "FICTICIA UM",
        "nome_mae": "MAE FICTICIA UM",
        "data_nascimento": "19800517",
        "sexo": "F",
        "raca_cor": "03",
        "cpf": "00000000191",
        "falecido": "false",
        "res_ibge": "530010",
        "res_bairro": "CEILANDIA NORTE",
        "res_cep": "70000000",
        "nasc_ibge": "530010",
        "qualidade": "100",
        "protegido": "false",
        "origem": "pdq",
        "situacao_cadastro": "active",
    }
    assert [(card["cns"], card["tipo"]) for card in reply.cards] == [
        (KNOWN, "D"), (PROVISIONAL, "P"),
    ]  # fmt: skip


def test_older_namespace_order_and_rare_elements() -> None:
    reply = pdq.read(answer("pdq_antigo_protegido_falecido.xml"))
    person = reply.person
    assert (person["protegido"], person["falecido"]) == ("true", "true")
    assert person["data_obito"] == "20260310"
    assert (person["raca_cor"], person["etnia"]) == ("05", "X401")
    assert [card["tipo"] for card in reply.cards] == ["D", None]


@pytest.mark.parametrize(
    ("body", "outcome", "candidates"),
    [
        (answer("pdq_nao_encontrado.xml"), pdq.NOT_FOUND, 0),
        (answer("pdq_varios.xml"), pdq.SEVERAL, 2),
        (answer("pdq_falha.xml"), pdq.FAULT, None),
        (answer("pdq_entidades.xml"), pdq.FAULT, None),
        (answer("pdq_ok.xml")[:-200], pdq.FAULT, None),
        (b"<html>try later</html>", pdq.FAULT, None),
        (b"", pdq.FAULT, None),
    ],
)
def test_outcomes_are_told_apart(body: bytes, outcome: str, candidates: int | None) -> None:
    reply = pdq.read(body)
    assert (reply.outcome, reply.candidates, reply.person) == (outcome, candidates, {})


def test_the_request_carries_identifier_and_system() -> None:
    text = pdq.request("cns", KNOWN, "SISTEMA <&>").decode()
    assert f'root="2.16.840.1.113883.13.236" extension="{KNOWN}"' in text
    assert "<name>SISTEMA &lt;&amp;&gt;</name>" in text


class Service:
    """Token endpoint and person query with the stored answers."""

    def __init__(self) -> None:
        """Begin with nothing asked."""
        self.url = ""
        self.asked: list[str] = []
        self.tokens = 0
        self.lifetime = 3600.0
        self.refused: set[str] = set()
        self.slow: set[str] = set()
        self.reached = threading.Event()
        self.answers = dict(ANSWERS)


@contextmanager
def serving_answers() -> Iterator[Service]:
    """Serve until the block ends."""
    service = Service()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with lock:
                service.tokens += 1
                token = f"ficha-secreta-{service.tokens}"
            content = {"access_token": token, "expires_in": service.lifetime}
            self._send(200, json.dumps(content).encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            scheme, _, token = self.headers["authorization"].partition(" ")
            if scheme != "jwt" or token in service.refused:
                return self._send(401, b"")
            (number,) = re.findall(r'13\.23[67]" extension="(\d+)"', body)
            with lock:
                service.asked.append(number)
            if number in service.slow:
                service.reached.set()
                time.sleep(1)
            status, name = service.answers[number]
            return self._send(status, answer(name))

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def _hurry() -> Iterator[None]:
    """Retry without waiting, twice at most."""
    with stamina.set_testing(True, attempts=2):
        yield


@pytest.fixture
def service() -> Iterator[Service]:
    """Serve the stored answers."""
    with serving_answers() as served:
        yield served


@pytest.fixture
def settings(service: Service, tmp_path: Path) -> Settings:
    """Return settings whose warehouse has met some cards in SISREG."""
    pointed = Settings(
        mapa_dir=tmp_path / "data",
        cadsus_url=f"{service.url}/pdq",
        cadsus_token_url=f"{service.url}/token",
        cadsus_rate=0,
    )
    met = [KNOWN, f" {KNOWN} ", UNKNOWN, AMBIGUOUS, BROKEN, "700000000000103", "191", "", None]
    with warehouse.connect(pointed.warehouse) as con:
        con.executemany(
            "insert into bruto_sisreg.marcacao_ambulatorial (cns_usuario) values (?)",
            [[cns] for cns in met],
        )
    return pointed


def query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    """Ask the warehouse."""
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_valid_cards_are_asked_once_and_every_outcome_is_stored(
    service: Service, settings: Settings
) -> None:
    summary = cadsus.load(settings)
    assert sorted(service.asked) == sorted([KNOWN, UNKNOWN, AMBIGUOUS, BROKEN])
    assert summary.tally.loaded == 4 + 1 + 2
    assert query(
        settings,
        "select identificador, resultado, qtd_candidatos from bruto_cadsus.consulta order by 1",
    ) == [
        (AMBIGUOUS, "varios", "2"),
        (BROKEN, "falha", None),
        (KNOWN, "ok", "1"),
        (UNKNOWN, "nao_encontrado", "0"),
    ]
    assert query(settings, "select cns, tipo from bruto_cadsus.cns order by cns") == [
        (KNOWN, "D"), (PROVISIONAL, "P"),
    ]  # fmt: skip
    assert query(settings, "select id_pessoa, origem from bruto_cadsus.pessoa") == [
        ("1000001", "pdq")
    ]


def test_only_faults_and_old_answers_are_asked_again(service: Service, settings: Settings) -> None:
    cadsus.load(settings)
    service.asked.clear()
    service.answers[BROKEN] = (200, "pdq_nao_encontrado.xml")
    cadsus.load(settings)
    assert service.asked == [BROKEN]
    service.asked.clear()
    before = query(settings, "select * from bruto_cadsus.pessoa")
    aged = settings.model_copy(update={"cadsus_max_age_days": 0})
    cadsus.load(aged)
    assert len(service.asked) == 4
    assert query(settings, "select * from bruto_cadsus.pessoa") == before
    assert query(
        settings, "select count(*), count(distinct identificador) from bruto_cadsus.consulta"
    ) == [(9, 4)]


def test_another_card_of_a_known_person_is_not_asked(service: Service, settings: Settings) -> None:
    cadsus.load(settings)
    service.asked.clear()
    with warehouse.connect(settings.warehouse) as con:
        con.execute(
            "insert into bruto_sisreg.marcacao_ambulatorial (cns_usuario) values (?)",
            [PROVISIONAL],
        )
        later = cadsus.cards_to_ask(con, max_age_days=180, limit=None)
    assert later == [BROKEN]


def test_a_limit_is_kept(service: Service, settings: Settings) -> None:
    cadsus.load(settings, limit=2)
    assert len(service.asked) == 2


def test_a_token_is_renewed_before_its_end_and_when_refused(
    service: Service, settings: Settings
) -> None:
    service.lifetime = 1.0
    cadsus.load(settings.model_copy(update={"cadsus_concurrency": 1}))
    assert service.tokens == 4
    service.lifetime, service.refused = 3600.0, {"ficha-secreta-5"}
    cadsus.load(settings)
    assert service.tokens == 6


def test_a_refused_account_leaves_nothing(service: Service, settings: Settings) -> None:
    service.refused = {f"ficha-secreta-{n}" for n in range(20)}
    with pytest.raises(SourceError, match="refuses the credentials: check CADSUS_CERT"):
        cadsus.load(settings)
    assert query(settings, "select count(*) from bruto_cadsus.consulta") == [(0,)]
    assert query(settings, "select distinct resultado from controle.cargas") == [("falhou",)]


def test_faults_only_are_a_refusal(service: Service, settings: Settings) -> None:
    more = [f"7{n:014d}" for n in range(400)]
    more = [cns for cns in more if sum(int(d) * (15 - i) for i, d in enumerate(cns)) % 11 == 0]
    service.answers = dict.fromkeys([*ANSWERS, *more], (500, "pdq_falha.xml"))
    with warehouse.connect(settings.warehouse) as con:
        con.executemany(
            "insert into bruto_sisreg.marcacao_ambulatorial (cns_usuario) values (?)",
            [[cns] for cns in more],
        )
    with pytest.raises(SourceError, match="person queries with a fault"):
        cadsus.load(settings)
    assert query(settings, "select count(*) from bruto_cadsus.consulta") == [(0,)]


def test_landing_has_every_answer_as_received_and_no_token(settings: Settings) -> None:
    cadsus.load(settings)
    (landed,) = settings.landing.rglob(cadsus.NDJSON)
    lines = [json.loads(line) for line in gzip.decompress(landing.read(landed)).splitlines()]
    bodies = {line["identificador"]: base64.b64decode(line["corpo"]) for line in lines}
    assert bodies[KNOWN] == answer("pdq_ok.xml")
    assert {line["status"] for line in lines} == {200, 500}
    everything = b"".join(p.read_bytes() for p in settings.mapa_dir.rglob("*") if p.is_file())
    assert b"ficha-secreta" not in everything + gzip.decompress(landing.read(landed))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cadsus_cert": Path("x.pem")}, "CADSUS_KEY is not"),
        ({"cadsus_cert": Path("x.pem"), "cadsus_key": Path("y.pem")}, "cannot be read"),
    ],
)
def test_certificates_are_checked_first(
    settings: Settings, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        cadsus.load(settings.model_copy(update=change))


def test_flat_extracts_are_loaded(service: Service, settings: Settings) -> None:
    for name in ("cadsus_pessoa.csv", "cadsus_cns.csv"):
        cadsus.load_file(settings, FIXTURES / name)
    assert query(settings, "select cns, principal from bruto_cadsus.cns order by cns") == [
        (KNOWN, "S"), (PROVISIONAL, "N"),
    ]  # fmt: skip
    cadsus.load(settings)
    assert KNOWN not in service.asked
    with pytest.raises(LayoutError, match="expected `cadsus_pessoa` or `cadsus_cns`"):
        cadsus.load_file(settings, FIXTURES / "ppi.csv")


def test_the_age_of_an_answer_counts_from_its_instant() -> None:
    now = datetime.now(UTC)
    assert cadsus.instant(now - timedelta(days=1)) < cadsus.instant(now)


def test_the_persons_of_a_simulated_city(tmp_path: Path) -> None:
    city = simulated.build(people=500, days=60, seed=3, until=date(2026, 6, 30))
    with serving(city) as server:
        settings = Settings(mapa_dir=tmp_path / "data").model_copy(update=server.settings())
        sisreg.load(settings)
        cadsus.load(settings)
    cards = dict(zip(*(city.cards[c].to_pylist() for c in ("cns", "kind")), strict=True))
    found = query(settings, "select distinct cns, tipo from bruto_cadsus.cns")
    assert found and all(cards[cns] == kind for cns, kind in found)
    assert query(
        settings, "select count(*) from bruto_cadsus.consulta where resultado = 'falha'"
    ) == [(0,)]


PERSONS = {
    "1000001": {
        "nome": "PACIENTE FICTICIA UM",
        "nome_social": "FICTICIA UM",
        "nome_mae": "MAE FICTICIA UM",
        "data_nascimento": "1980-05-17",
        "sexo": "F",
        "raca_cor": "03",
        "cpf": "00000000191",
        "falecido": "false",
        "res_ibge": "530010",
        "res_bairro": "CEILANDIA NORTE",
        "res_cep": "70000000",
        "nasc_ibge": "530010",
        "qualidade": "80",
        "protegido": "false",
        "origem": "fhir",
        "situacao_cadastro": "active",
        "data_consulta": "2026-04-01T12:00:00Z",
    },
    "1000002": {
        "nome": "PACIENTE FICTICIO DOIS",
        "nome_mae": "MAE FICTICIA DOIS",
        "data_nascimento": "1950-01-02",
        "sexo": "M",
        "raca_cor": "05",
        "etnia": "X401",
        "falecido": "true",
        "data_obito": "2026-03-10",
        "res_ibge": "530010",
        "res_bairro": "TAGUATINGA",
        "res_cep": "70000001",
        "nacionalidade": "1",
        "protegido": "true",
        "origem": "fhir",
        "situacao_cadastro": "active",
    },
}


def _as_lines(bundle: bytes) -> bytes:
    resources = [entry["resource"] for entry in json.loads(bundle)["entry"]]
    return b"".join(json.dumps(resource).encode() + b"\n" for resource in resources)


@pytest.mark.parametrize(
    ("form", "name"),
    [
        (lambda bundle: bundle, "individuos.json"),
        (_as_lines, "individuos.ndjson"),
        (lambda bundle: gzip.compress(_as_lines(bundle)), "individuos.ndjson.gz"),
    ],
)
def test_patients_of_the_rnds_are_persons_with_all_cards(
    tmp_path: Path, form: Any, name: str
) -> None:
    settings = Settings(mapa_dir=tmp_path / "data")
    path = tmp_path / name
    path.write_bytes(form(answer("fhir_individuos.json")))
    (summary,) = cadsus.load_file(settings, path)
    assert (summary.tally.received, summary.tally.loaded) == (6, 6)
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        rows = con.execute(
            "select * exclude (_carga_id, _carga_ordem, _arquivo, _linha, _carregado_em, _hash) "
            "from bruto_cadsus.pessoa"
        ).to_arrow_table()
    found = {row.pop("id_pessoa"): {k: v for k, v in row.items() if v} for row in rows.to_pylist()}
    assert found == PERSONS
    assert query(settings, "select cns, tipo, id_pessoa from bruto_cadsus.cns order by _linha") == [
        (KNOWN, "D", "1000001"),
        (PROVISIONAL, "P", "1000001"),
        (UNKNOWN, "D", "1000002"),
        (AMBIGUOUS, None, "1000002"),
    ]
    (again,) = cadsus.load_file(settings, path)
    assert again.skipped


def test_a_person_from_two_extracts_is_stored_once(tmp_path: Path) -> None:
    settings = Settings(mapa_dir=tmp_path / "data")
    for name, form in (("a.json", lambda bundle: bundle), ("b.ndjson", _as_lines)):
        path = tmp_path / name
        path.write_bytes(form(answer("fhir_individuos.json")))
        (summary,) = cadsus.load_file(settings, path)
    assert (summary.tally.loaded, summary.tally.identical) == (0, 6)


CPF = "00000000272"


def meet(settings: Settings, *people: tuple[str | None, str | None]) -> None:
    """Let SISREG have met people: card and CPF as it writes them."""
    with warehouse.connect(settings.warehouse) as con:
        con.execute("delete from bruto_sisreg.marcacao_ambulatorial")
        con.executemany(
            "insert into bruto_sisreg.solicitacao_ambulatorial (cns_usuario, cpf_usuario) "
            "values (?, ?)",
            [[*person] for person in people],
        )


def test_a_cpf_is_asked_for_when_no_card_leads_to_the_person(
    service: Service, settings: Settings
) -> None:
    service.answers |= {CPF: (200, "pdq_ok.xml"), "00000003530": (200, "pdq_varios.xml")}
    meet(
        settings,
        (KNOWN, "00000010154"),
        (UNKNOWN, CPF),
        (BROKEN, "00000000191"),
        ("700000000000103", " 0000003530"),
        (None, "00000000192"),
        (None, "3530"),
        (None, "11111111111"),
        (None, None),
    )
    summary = cadsus.load(settings)
    assert sorted(service.asked) == sorted([KNOWN, UNKNOWN, BROKEN, CPF, "00000003530"])
    assert summary.notes == ("3 cards asked", "2 CPF asked")
    assert query(
        settings,
        "select identificador, resultado from bruto_cadsus.consulta "
        "where identificador_tipo = 'cpf' order by 1",
    ) == [(CPF, "ok"), ("00000003530", "varios")]
    # The fault may have been about the card: it is asked again, its CPF is not asked yet.
    service.asked.clear()
    cadsus.load(settings)
    assert service.asked == [BROKEN]


def test_a_cpf_of_a_person_who_is_known_is_not_asked_for(
    service: Service, settings: Settings
) -> None:
    meet(settings, (KNOWN, None), (None, "00000000191"))
    cadsus.load(settings)
    assert service.asked == [KNOWN]
    service.asked.clear()
    service.answers["00000000191"] = (200, "pdq_ok.xml")
    cadsus.load(settings.model_copy(update={"cadsus_max_age_days": 0}))
    assert service.asked == [KNOWN, "00000000191"]


def test_a_limit_counts_cards_and_cpf_together(service: Service, settings: Settings) -> None:
    service.answers[CPF] = (200, "pdq_ok.xml")
    meet(settings, (KNOWN, None), (UNKNOWN, CPF))
    cadsus.load(settings, limit=2)
    assert sorted(service.asked) == [KNOWN, UNKNOWN]
    cadsus.load(settings, limit=2)
    assert service.asked[2:] == [CPF]


def test_all_threads_together_keep_the_rate(service: Service, settings: Settings) -> None:
    begin = time.monotonic()
    cadsus.load(settings.model_copy(update={"cadsus_rate": 10.0, "cadsus_concurrency": 4}))
    assert len(service.asked) == 4
    assert time.monotonic() - begin >= 3 / 10


def test_the_doors_are_as_patient_as_the_settings_say(service: Service, settings: Settings) -> None:
    service.answers = dict.fromkeys(ANSWERS, (503, "pdq_falha.xml"))
    meet(settings, (KNOWN, None))
    hasty = settings.model_copy(update={"mapa_attempts": 3, "mapa_wait_seconds": 0.001})
    with stamina.set_testing(False):
        cadsus.load(hasty)
    assert service.asked == [KNOWN] * 3
    assert query(settings, "select qtd_novas_tentativas from controle.cargas") == [(2,)]


def test_a_killed_run_is_continued_by_the_next(service: Service, settings: Settings) -> None:
    code = "from mapa.load import cadsus; from mapa.cli import main; cadsus.BATCH = 1; main()"
    environment = os.environ | {
        "MAPA_DIR": str(settings.mapa_dir),
        "CADSUS_URL": settings.cadsus_url,
        "CADSUS_TOKEN_URL": settings.cadsus_token_url,
    }
    service.slow = {UNKNOWN}
    process = subprocess.Popen(
        [sys.executable, "-c", code, "load", "cadsus"], env=environment, cwd=settings.mapa_dir
    )
    assert service.reached.wait(30)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    before = query(settings, "select identificador from bruto_cadsus.consulta order by 1")
    assert [cns for (cns,) in before] == service.asked[:-1] == [AMBIGUOUS, BROKEN, KNOWN]
    service.slow.clear()
    service.asked.clear()
    cadsus.load(settings)
    assert sorted(service.asked) == sorted([UNKNOWN, BROKEN])
    assert query(
        settings,
        "select count(*) filter (where resultado = 'completa'), count(*) from controle.cargas",
    ) == [(4, 4)]


def test_an_element_that_nobody_described_is_reported_once_and_kept_in_landing(
    service: Service, settings: Settings, tmp_path: Path
) -> None:
    text = answer("pdq_ok.xml").decode()
    new = text.replace("<raceCode", "<segredoNovo><valor>VALOR</valor></segredoNovo><raceCode")
    (tmp_path / "novo.xml").write_text(new)
    service.answers[KNOWN] = (200, str(tmp_path / "novo.xml"))
    meet(settings, (KNOWN, None))
    cadsus.load(settings)
    cadsus.load(settings.model_copy(update={"cadsus_max_age_days": 0}))
    assert query(settings, "select tabela, campo from controle.campos_desconhecidos") == [
        ("bruto_cadsus.pessoa", "patientPerson/segredoNovo")
    ]


@pytest.mark.parametrize("name", ["pdq_ok.xml", "pdq_antigo_protegido_falecido.xml"])
def test_every_element_of_the_known_answers_is_described(name: str) -> None:
    assert pdq.read(answer(name)).unknown == frozenset()


@pytest.mark.parametrize(
    "form",
    ['<deceasedTime value="20260310"/>', "<deceasedTime>20260310120000</deceasedTime>",
     '<deceasedTime><low value="20260310"/></deceasedTime>'],
)  # fmt: skip
def test_the_day_of_death_in_all_its_forms(form: str) -> None:
    text = answer("pdq_ok.xml").decode().replace("<raceCode", f"{form}<raceCode", 1)
    assert pdq.read(text.encode()).person["data_obito"] == "20260310"


@pytest.mark.parametrize(
    ("form", "died"),
    [('<deceasedTime value="202602"/>', "202602"), ("<deceasedTime>2026</deceasedTime>", "2026"),
     ('<deceasedTime nullFlavor="UNK"/>', None), ("", None)],
)  # fmt: skip
def test_a_death_known_to_the_month_or_not_at_all_stays_a_death(
    form: str, died: str | None
) -> None:
    text = answer("pdq_ok.xml").decode()
    assert text.count('<deceasedInd value="false"/>') == 1
    dead = text.replace('<deceasedInd value="false"/>', f'<deceasedInd value="true"/>{form}')
    person = pdq.read(dead.encode()).person
    assert (person["falecido"], person["data_obito"]) == ("true", died)


def test_what_the_fhir_profile_does_not_describe_is_reported_once(tmp_path: Path) -> None:
    settings = Settings(mapa_dir=tmp_path / "data")
    path = FIXTURES.parent / "malformados" / "fhir" / "extensao_nova.json"
    (summary,) = cadsus.load_file(settings, path)
    names = ["extension/BRTipoSanguineo", "photo"]
    assert summary.notes == (f"new fields kept in landing: {', '.join(names)}",)
    assert [n for (n,) in query(settings, "select campo from controle.campos_desconhecidos")] == (
        names
    )
    (known,) = cadsus.load_file(settings, FIXTURES / "fhir_individuos.json")
    assert known.notes == ()


def test_the_simulated_service_answers_by_cpf_too(tmp_path: Path) -> None:
    city = simulated.build(people=500, days=60, seed=3, until=date(2026, 6, 30))
    with serving(city) as server:
        settings = Settings(mapa_dir=tmp_path / "data").model_copy(update=server.settings())
        sisreg.load(settings, "marcacao-ambulatorial")
        with warehouse.connect(settings.warehouse) as con:
            con.execute("update bruto_sisreg.marcacao_ambulatorial set cns_usuario = null")
        cadsus.load(settings)
    assert query(settings, "select distinct identificador_tipo from bruto_cadsus.consulta") == [
        ("cpf",)
    ]
    outcomes = query(
        settings, "select resultado, count(*) from bruto_cadsus.consulta group by 1 order by 2 desc"
    )
    assert outcomes[0][0] == "ok"
    assert {outcome for outcome, _ in outcomes} <= {"ok", "varios"}
    assert query(
        settings,
        "select count(*) from bruto_cadsus.pessoa as p where p.cpf not in "
        "(select identificador from bruto_cadsus.consulta)",
    ) == [(0,)]
