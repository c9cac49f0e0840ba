"""Documents and files that nobody can be sure of: set apart with their reason, the rest loads."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pytest
import stamina
from click.testing import CliRunner
from pydantic import SecretStr

from conftest import PROJECT
from mapa.cli import cli
from mapa.errors import FormatError, MapaError, SourceError, visible
from mapa.load import exports, offer_api, report, sisreg, strict
from mapa.load.archives import Export
from mapa.load.exports import Completeness
from mapa.load.offer_api import FieldMap
from mapa.load.recognise import examine
from mapa.load.replay import replay
from mapa.settings import Settings
from mirror import INDICES, PASSWORD, USER, Mirror, document, mirroring
from test_load_exports import HEADER, with_id
from test_load_offer_api import EXAMPLE, map_for, records_of
from test_load_report import HEADER as REPORT_HEADER
from test_load_report import MAP as REPORT_MAP
from test_load_report import ROW as REPORT_ROW

INDEX, REQUESTS = INDICES[0], "bruto_sisreg.solicitacao_ambulatorial"
MAPA = (sys.executable, "-c", "from mapa.cli import main; main()")
DOCUMENT = b'"_source": {'
Edit = Callable[[bytes], bytes]


@pytest.fixture(autouse=True)
def _hurry() -> Iterator[None]:
    """Retry without waiting, twice at most."""
    with stamina.set_testing(True, attempts=2):
        yield


def with_field(text: bytes) -> Edit:
    """Return what writes one more field into a document."""
    return lambda hit: hit.replace(DOCUMENT, DOCUMENT + text + b", ")


MANY = json.dumps({f"campo_{n}": 1 for n in range(10_000)}).encode()[1:-1]
UNSURE: dict[int, tuple[Edit, str]] = {
    1: (with_field(b'"x": "\\ud800"'), "metade de um caractere"),
    2: (with_field(b'"x": "S\xe3o"'), "codificação inválida"),
    3: (with_field(b'"status_solicitacao": "z"'), "campo repetido"),
    4: (with_field(b'"": "z"'), "campo sem nome"),
    5: (with_field(MANY), "campos demais"),
    6: (with_field(b'"novo": ' + b"[" * 5000 + b"]" * 5000), "aninhamento profundo demais"),
    8: (with_field(b'"x": "\x1b"'), "caractere de controle"),
    9: (with_field(b'"x": "\xed\xb2\x80"'), "codificação inválida"),
    10: (with_field(b'"laudo": []'), "campo repetido"),
    11: (with_field(b'"x": NaN'), "JSON ilegível"),
    12: (with_field(b'"x": "' + b"z" * 2**24 + b'"'), "documento grande demais"),
}
SURE: dict[int, Edit] = {
    20: with_field(b'"a.b": "1", "laudo.c": 2, "laudo.observacao": "fica fora"'),
    21: with_field(b'"novo": ' + b"9" * 400),
    22: with_field(b'"novo": "\\\\ud800 \\\\u0000 \\"\\": {[", "x": ""'),
}


def edited(edits: dict[int, Edit]) -> Callable[[dict[str, Any]], bytes]:
    """Return what rewrites some documents of an answer on its way out."""

    def spoil(content: dict[str, Any]) -> bytes:
        hits = []
        for hit in content["hits"]["hits"]:
            text = json.dumps(hit, ensure_ascii=False).encode()
            number = int(hit["_source"]["codigo_solicitacao"]) - 900_000_000
            hits.append(edits.get(number, bytes)(text))
        content["hits"]["hits"] = "HERE"
        return json.dumps(content).encode().replace(b'"HERE"', b"[" + b",".join(hits) + b"]")

    return spoil


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    """Serve 25 requests, of which eleven are none that one can be sure of."""
    documents = [document(n) for n in range(25)]
    documents[24] |= {"novo": "1", "x": "1"}
    edits = {n: edit for n, (edit, _) in UNSURE.items()} | SURE
    served = Mirror({INDEX: documents}, spoil=[edited(edits)] * 100)
    # An index shows what has a dot in its name as an object with a part.
    nested = served.mapping(INDEX)[f"{INDEX}-v3"]["mappings"]["properties"]["laudo"]
    nested["properties"]["c"] = {"type": "long"}
    served.kinds = {"a": {"properties": {"b": {"type": "keyword"}}}, "laudo": nested}
    with mirroring(served):
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


def test_each_document_is_rejected_by_number_and_the_rest_loads(
    mirror: Mirror, settings: Settings
) -> None:
    (summary,) = sisreg.load(settings, INDEX)
    tally = summary.tally
    assert (tally.received, tally.loaded, tally.rejected) == (25, 25 - len(UNSURE), len(UNSURE))
    assert f"{len(UNSURE)} documents cannot be read" in str(summary)
    # The n-th document of the mirror is line n + 1.
    rejects = query(settings, "select linha, motivo, coluna from controle.rejeitos order by linha")
    assert rejects == [(n + 1, reason, None) for n, (_, reason) in UNSURE.items()]
    extras = query(
        settings,
        f"select codigo_solicitacao, _campos_extras from {REQUESTS} "
        "where _campos_extras is not null order by 1",
    )
    assert [(int(number) - 900_000_000, json.loads(text)) for number, text in extras] == [
        (20, {"a.b": "1", "laudo.c": 2}),
        (21, {"novo": int("9" * 400)}),
        (22, {"novo": '\\ud800 \\u0000 "": {[', "x": ""}),
        (24, {"novo": "1", "x": "1"}),
    ]
    everything = f"select * from {REQUESTS} order by _linha", "select * from controle.rejeitos"
    before = [query(settings, sql) for sql in everything]
    replay(settings, INDEX)
    assert [query(settings, sql) for sql in everything] == before
    # The next night changes nothing, and what cannot be read has not vanished.
    mirror.now = datetime(2026, 7, 2, 3, 5, tzinfo=UTC)
    (again,) = sisreg.load(settings, INDEX)
    assert (again.tally.loaded, again.tally.received) == (0, again.tally.identical)
    assert query(settings, "select count(*) from controle.ausencias") == [(0,)]


def test_a_document_that_was_known_and_cannot_be_read_any_more_has_not_vanished(
    mirror: Mirror, settings: Settings
) -> None:
    mirror.spoil.clear()
    sisreg.load(settings, INDEX)
    mirror.now = datetime(2026, 7, 2, 3, 5, tzinfo=UTC)
    edits = {n: edit for n, (edit, _) in UNSURE.items() if n < 3}
    mirror.spoil = [edited(edits)] * 10
    (summary,) = sisreg.load(settings, INDEX)
    assert (summary.tally.received, summary.tally.rejected) == (25, 2)
    assert query(settings, "select count(*) from controle.ausencias") == [(0,)]
    # One whose number cannot be read either might be any.
    mirror.documents[INDEX].pop()
    mirror.spoil = [edited({5: lambda hit: hit.replace(b'"900000005"', b'"9000\\ud800"')})] * 10
    (summary,) = sisreg.load(settings, INDEX)
    assert summary.tally.rejected == 1
    assert "absences not recorded" in str(summary)
    assert query(settings, "select count(*) from controle.ausencias") == [(0,)]


def test_damage_on_the_way_is_asked_for_again_before_anything_is_rejected(
    mirror: Mirror, settings: Settings
) -> None:
    mirror.spoil = [edited({1: UNSURE[1][0]})]
    (summary,) = sisreg.load(settings, INDEX)
    assert (summary.tally.loaded, summary.tally.rejected) == (25, 0)
    assert query(settings, "select qtd_novas_tentativas from controle.cargas") == [(1,)]


def test_a_source_that_cannot_be_read_at_large_is_refused_with_the_numbers(
    mirror: Mirror, settings: Settings
) -> None:
    mirror.spoil = [edited(dict.fromkeys(range(22), UNSURE[1][0]))] * 10
    with pytest.raises(SourceError, match="22 of 25 documents cannot be read, at most 5 % may be"):
        sisreg.load(settings, INDEX)
    accepting = settings.model_copy(update={"mapa_max_rejected_share": 1.0})
    assert sisreg.load(accepting, INDEX)[0].tally.rejected == 22


def test_records_of_the_offer_api_are_rejected_by_number(tmp_path: Path) -> None:
    settings = Settings(mapa_dir=tmp_path / "data", mapa_max_rejected_share=0.5)
    record = records_of(PROJECT / "tests" / "fixtures" / "load" / "escala.csv")[0]
    key = FieldMap.read(EXAMPLE).fields["cod_escala_ambulatorial"]
    assert key in record
    texts = [json.dumps({**record, key: str(5_000_000 + n)}).encode() for n in range(12)]
    wrong = (
        (b'"x": "\\ud800"', "metade de um caractere"), (b'"x": "\xe3"', "codificação inválida"),
        (b'"x": 1, "x": 2', "campo repetido"), (b'"": 1', "campo sem nome"),
        (b'"x": ' + b"9" * 30, "número grande demais"), (b'"x": 1e999', "número grande demais"),
    )  # fmt: skip
    for n, (more, _) in enumerate(wrong):
        texts[2 * n] = b"{" + more + b", " + texts[2 * n][1:]
    with serving_bytes(texts) as url:
        summary = offer_api.load(settings, map_for(url, tmp_path), Completeness())
    tally = summary.tally
    assert (tally.received, tally.loaded, tally.rejected) == (12, 6, 6)
    rejects = query(settings, "select linha, motivo from controle.rejeitos order by linha")
    assert rejects == [(2 * n + 1, reason) for n, (_, reason) in enumerate(wrong)]
    raw = "select * from bruto_sisreg.escala_ambulatorial order by _linha"
    before = query(settings, raw)
    replay(settings, "export")
    assert query(settings, raw) == before


@contextmanager
def serving_bytes(texts: list[bytes]) -> Iterator[str]:
    """Serve one page of an offer API, whose records are these bytes."""
    page = b'{"dados": {"total": %d, "itens": [%s]}}' % (len(texts), b", ".join(texts))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("kind", ["pipe", "device", "socket", "link to a pipe", "endless device"])
def test_what_is_no_file_is_refused_at_once(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "escala.csv"
    listening = socket.socket(socket.AF_UNIX)
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "link to a pipe":
            os.mkfifo(tmp_path / "pipe")
            path.symlink_to(tmp_path / "pipe")
        case "socket":
            monkeypatch.chdir(tmp_path)
            listening.bind("escala.csv")
        case _:
            path = Path("/dev/zero" if kind == "endless device" else "/dev/null")
    commands: tuple[list[object], ...] = (
        ["export", path], ["cnes", path], ["cadsus", "--file", path], ["offer-api", "--map", path],
        ["export", "--map", path, PROJECT / "README.md"],
    )  # fmt: skip
    if kind != "pipe":
        commands = commands[:1]
    for command in commands:
        done = subprocess.run(
            [*MAPA, "load", *map(str, command)],
            env=os.environ | {"MAPA_DIR": str(tmp_path / "data")},
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, "is a pipe, a socket or a device" in done.stderr) == (4, True)
    listening.close()


@pytest.mark.parametrize("where", ["alone", "in the middle", "at the end"])
def test_a_line_as_long_as_the_file_takes_no_memory_and_linear_time(
    where: str, tmp_path: Path
) -> None:
    path, long = tmp_path / "escala.csv", "x;" * 2**24
    begin = "" if where == "alone" else f"{HEADER}\n{with_id(1)}\n"
    path.write_text(begin + long + (f"\n{with_id(2)}\n" if where == "in the middle" else ""))
    tracemalloc.start()
    facts = examine(Export(path))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert facts.lines == {"alone": 1, "in the middle": 4, "at the end": 3}[where]
    assert most < 2**23


def test_names_of_files_fields_and_centrals_reach_no_terminal_raw(
    mirror: Mirror, settings: Settings, tmp_path: Path
) -> None:
    names = ["a\x1b[31mb.csv", "a\nb.csv", "a\u202eb.csv", "a\x9bb.csv", "a\u2028b.csv"]
    for name in names:
        (tmp_path / name).write_text("nada;disso\n1;2\n")
    env = {"MAPA_DIR": str(settings.mapa_dir), "SISREG_URL": mirror.url, "SISREG_USER": USER,
           "SISREG_PASSWORD": PASSWORD}  # fmt: skip
    invoked = [["load", "export", *(str(tmp_path / name) for name in names)]]
    mirror.spoil.clear()
    field = "campo\x1b]0;x\x07\n[red]\u202e"
    mirror.documents[INDEX][0][field] = "1"
    invoked += [["load", "sisreg", "--index", INDEX], ["status", "--wide"]]
    invoked += [["load", "export", str(tmp_path / "no\x1b[2Jne")]]
    for command in invoked:
        done = subprocess.run(
            [*MAPA, *command],
            env=os.environ | env, cwd=PROJECT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert said.strip()
        assert [c for c in said if not c.isprintable() and c != "\n"] == []
    wrong = CliRunner().invoke(
        cli, ["load", "sisreg", "--index", INDEX], env=env | {"SISREG_CENTRAL": "53\x1b[2J0010"}
    )
    assert isinstance(wrong.exception, MapaError | SystemExit)
    kept = query(settings, "select campo from controle.campos_desconhecidos where campo like 'ca%'")
    assert (field,) in kept


def test_what_is_shown_is_one_line_where_one_line_is_meant() -> None:
    assert visible("Ação – 1 µg") == "Ação – 1 µg"
    assert visible("a\nb\x1b\u2066\ud800") == r"a\nb\x1b\u2066\ud800"
    assert visible("a\nb\r", lines=True) == "a\nb\\r"
    assert FormatError("x\x1b: y\nz").message == "x\\x1b: y\nz"


def test_a_text_is_taken_apart_in_linear_time() -> None:
    for text in (b'["' + b'\\"' * 10**6, b"[" * 10**6, b'"a' * 10**6, b'[{"a":' * 10**5):
        with pytest.raises(strict.BadError):
            strict.take_apart(text, ())
    apart = strict.take_apart(b' {"x": "hits: [", "h": {"h": [ {"]": 1}, [2], 3 ]}}', ("h", "h"))
    assert [json.loads(part) for part in apart.elements()] == [{"]": 1}, [2], 3]
    assert json.loads(apart.shell) == {"x": "hits: [", "h": {"h": []}}


def test_two_encodings_in_a_file_are_never_read_as_one(tmp_path: Path) -> None:
    settings = Settings(mapa_dir=tmp_path / "data")
    rows = [with_id(n) for n in range(40)]
    for encoding, other in (("utf-8", "cp1252"), ("cp1252", "utf-8")):
        lines = [f"{row};ÇÃO – É\n" for row in rows]
        path = tmp_path / f"{encoding}.csv"
        path.write_bytes(
            f"{HEADER};NOVA\n".encode()
            + b"".join(line.encode(other if n == 7 else encoding) for n, line in enumerate(lines))
        )
        exports.load(settings, [path], Completeness(confirmed=True))
        found = query(
            settings,
            "select distinct json_extract_string(_campos_extras, '$.nova') "
            "from bruto_sisreg.escala_ambulatorial",
        )
        assert found == [("ÇÃO – É",)]
    rejects = query(settings, "select linha, motivo from controle.rejeitos")
    assert rejects == [(9, "codificação inválida")] * 2


def test_a_line_of_a_report_in_another_encoding_is_rejected(tmp_path: Path) -> None:
    settings = Settings(mapa_dir=tmp_path / "data", mapa_max_rejected_share=0.9)
    by_map, path = tmp_path / "mapa.toml", tmp_path / "oferta.csv"
    by_map.write_text(REPORT_MAP)
    rows = [
        REPORT_ROW.replace("0010456", f"001045{n}").rstrip() + ";Fisioterapia é\n" for n in "456"
    ]
    text = [f"{REPORT_HEADER.rstrip()};NOME\n".encode(), *(row.encode() for row in rows)]
    text[2] = rows[1].encode("cp1252")
    path.write_bytes(b"".join(text))
    (summary,) = report.load(settings, [path], by_map, {"qtd_teto": "9"}, date(2026, 5, 2))
    assert (summary.tally.loaded, summary.tally.rejected) == (2, 1)
    rejects = "select linha, motivo from controle.rejeitos"
    assert query(settings, rejects) == [(3, "codificação inválida")]
    replay(settings, "export")
    assert query(settings, rejects) == [(3, "codificação inválida")]
