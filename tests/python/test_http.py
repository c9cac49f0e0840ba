"""The one place that talks HTTP: whom it trusts, what it sends where, how long and how much."""

from __future__ import annotations

import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
import trustme
from pydantic import SecretStr

from mapa import http
from mapa.errors import ConfigError, FormatError, SourceError
from mapa.http import Access, Answer, Door, Patience
from mapa.load import sisreg
from mapa.settings import Settings
from mirror import INDICES, PASSWORD, USER, Mirror, document, mirroring

ACCOUNT = Access("X_USER and X_PASSWORD", USER, PASSWORD)
HURRY = Patience(attempts=3, first_wait=0.001, longest_wait=0.001, timeout=10)
INDEX = INDICES[0]
Respond = Callable[[BaseHTTPRequestHandler], None]


class Listener(ThreadingHTTPServer):
    """A server of a test's own, which notes who came with which credential."""

    url: str
    came: list[str | None]

    def handle_error(self, *_: object) -> None:
        """Stay silent when a client leaves before its answer."""


@contextmanager
def listening(respond: Respond, tls: ssl.SSLContext | None = None) -> Iterator[Listener]:
    """Answer each GET as `respond` does, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.came.append(self.headers.get("authorization"))
            respond(self)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = Listener(("127.0.0.1", 0), Handler)
    server.came = []
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.url = server.url.replace("http", "https")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(status: int, body: bytes = b"{}", **headers: str) -> Respond:
    """Return a response that is always the same."""

    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return respond


def in_turn(*responses: Respond) -> Respond:
    """Return a response that is each of these once."""
    left = list(responses)

    def respond(handler: BaseHTTPRequestHandler) -> None:
        left.pop(0)(handler)

    return respond


# --- whom it trusts --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return an authority that nobody knows."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    """Return its certificate as a file."""
    path = tmp_path / "autoridade.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def server_side(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    """Return the context of a server with a certificate for a name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_a_load_over_tls_needs_an_authority_that_is_trusted(
    authority: trustme.CA, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = Mirror({INDEX: [document(n) for n in range(5)]})
    with mirroring(mirror, server_side(authority)):
        for name, value in (
            ("MAPA_DIR", str(tmp_path / "data")),
            ("SISREG_URL", mirror.url),
            ("SISREG_USER", USER),
            ("SISREG_PASSWORD", PASSWORD),
        ):
            monkeypatch.setenv(name, value)
        with pytest.raises(SourceError, match=r"cannot be verified(.|\n)*MAPA_CA_FILE"):
            sisreg.load(Settings.load(), INDEX)
        monkeypatch.setenv("MAPA_CA_FILE", str(ca_file))
        (summary,) = sisreg.load(Settings.load(), INDEX)
    assert summary.tally.loaded == 5


def test_a_certificate_of_another_host_is_refused_at_once(
    authority: trustme.CA, ca_file: Path
) -> None:
    access = Access("X", USER, PASSWORD, authority=ca_file)
    with listening(answer(200), server_side(authority, "sisreg.example.org")) as server:
        with Door(server.url, access, HURRY) as door, pytest.raises(SourceError, match="verified"):
            door.ask("GET", "/")
        # Nothing heals a certificate, and no credential is shown to a stranger.
        assert (door.retries, server.came) == (0, [])


def test_a_client_certificate_is_presented(
    authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    context = server_side(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    ours = authority.issue_cert("cliente.example.org")
    certificate, key = tmp_path / "cliente.pem", tmp_path / "cliente.key"
    ours.cert_chain_pems[0].write_to_path(str(certificate))
    ours.private_key_pem.write_to_path(str(key))
    key.chmod(0o600)
    known = Access("X", certificate=certificate, key=key, authority=ca_file)
    unknown = Access("X", authority=ca_file)
    with listening(answer(200), context) as server:
        with Door(server.url, known, HURRY) as door:
            assert door.ask("GET", "/").status == 200
        with Door(server.url, unknown, HURRY) as door, pytest.raises(SourceError):
            door.ask("GET", "/")


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_an_unreadable_authority_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "autoridade.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match="MAPA_CA_FILE cannot be read"):
        Door("https://sisreg.example.org", Access("X", authority=path))


# --- what it sends where ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://sisreg.example.org",
        "http://192.168.0.10:9200",
        "http://127.0.0.1.example.org",
        "http://localhost.example.org",
        "HTTP://SISREG.EXAMPLE.ORG",
    ],
)
def test_an_address_that_others_can_listen_to_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="https://"):
        Door(url, ACCOUNT)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9200",
        "http://localhost",
        "http://[::1]:9200",
        "https://sisreg.example.org",
    ],
)
def test_this_machine_and_tls_are_accepted(url: str) -> None:
    Door(url, ACCOUNT).close()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with listening(answer(200)) as elsewhere:
        with (
            listening(answer(status, location=f"{elsewhere.url}/x")) as server,
            Door(server.url, ACCOUNT, HURRY) as door,
        ):
            found = door.ask("GET", "/")
            with pytest.raises(SourceError, match="points to another address") as caught:
                door.expect_ok(found, "a search")
        assert elsewhere.came == []
    assert elsewhere.url not in caught.value.message


# --- how long --------------------------------------------------------------------------------


def _date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("asked", "least"), [(lambda: "1", 1.0), (lambda: _date(3), 1.0), (lambda: "soon", 0.0)]
)
def test_retry_after_is_waited_for(asked: Callable[[], str], least: float) -> None:
    busy = answer(429, retry_after=asked())
    begun = time.monotonic()
    with (
        listening(in_turn(busy, answer(200))) as server,
        Door(server.url, ACCOUNT, HURRY) as door,
    ):
        assert door.ask("GET", "/").status == 200
    waited = time.monotonic() - begun
    assert least <= waited < 5
    assert door.retries == 1
    assert least > 0 or waited < 1


def test_no_source_can_make_us_wait_for_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_RETRY_AFTER", 0.2)
    begun = time.monotonic()
    with (
        listening(answer(429, retry_after="86400")) as server,
        Door(server.url, ACCOUNT, HURRY) as door,
    ):
        found = door.ask("GET", "/")
        with pytest.raises(SourceError, match="fewer requests"):
            door.expect_ok(found, "a search")
    assert 0.4 <= time.monotonic() - begun < 5
    assert len(server.came) == HURRY.attempts


def test_an_answer_that_trickles_has_an_end() -> None:
    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(200):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.05)

    # Each byte comes well within the longest silence; the answer as a whole never does.
    patience = Patience(attempts=1, first_wait=0, longest_wait=0, timeout=0.2)
    with listening(trickle) as server, Door(server.url, ACCOUNT, patience) as door:
        begun = time.monotonic()
        with pytest.raises(SourceError, match="did not answer in time"):
            door.ask("GET", "/")
        assert time.monotonic() - begun < 3


# --- how much --------------------------------------------------------------------------------


def test_an_endless_answer_is_cut_off() -> None:
    sent = 0

    def endless(handler: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        handler.send_response(200)
        handler.end_headers()
        chunk = bytes(2**20)
        for _ in range(2**12):
            handler.wfile.write(chunk)
            sent += 1

    with listening(endless) as server, Door(server.url, ACCOUNT, HURRY) as door:
        with pytest.raises(SourceError, match=r"more than 256 MB(.|\n)*SISREG_PAGE"):
            door.ask("GET", "/")
        # It is not asked for again, and the connection is closed.
        assert len(server.came) == 1
    assert 256 <= sent < 512


def packed(size: int, claimed: int | None = None) -> bytes:
    """Return a page with a huge text as a small gzip stream, which may lie about its size."""
    packer = zlib.compressobj(9, wbits=31)
    chunk, stream = b"0" * 2**20, packer.compress(b'{"hits":{"hits":[],"x":"')
    for _ in range(size // len(chunk)):
        stream += packer.compress(chunk)
    stream += packer.compress(b'"}}') + packer.flush()
    return stream if claimed is None else stream[:-4] + claimed.to_bytes(4, "little")


def test_an_answer_that_unpacks_to_too_much_is_refused() -> None:
    bomb = Answer(200, httpx.Headers({"content-encoding": "gzip"}), packed(2**27))
    assert len(bomb.body) < 2**18
    with pytest.raises(FormatError, match="far too large"):
        bomb.plain()


@pytest.mark.parametrize("claimed", [None, 1000])
def test_a_page_that_unpacks_to_too_much_leaves_nothing(
    tmp_path: Path, claimed: int | None
) -> None:
    bomb = packed(2**28, claimed)
    spoil: list[Any] = [lambda _: bomb] * 10
    with mirroring(Mirror({INDEX: [document(1)]}, spoil=spoil)) as mirror:
        settings = Settings(
            mapa_dir=tmp_path / "data",
            sisreg_url=mirror.url,
            sisreg_user=USER,
            sisreg_password=SecretStr(PASSWORD),
            mapa_attempts=2,
            mapa_wait_seconds=0.001,
        )
        with pytest.raises(SourceError, match="cut off or is not JSON"):
            sisreg.load(settings, INDEX)
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        assert con.execute("select resultado from controle.cargas").fetchall() == [("falhou",)]
