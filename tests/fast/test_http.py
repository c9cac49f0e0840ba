"""The one place that talks HTTP: whom it trusts, what it sends where, how long and how much."""

from __future__ import annotations

import gzip
import socket
import ssl
import subprocess
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
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

from mapa import http, wire
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


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "it does not exist"), ("", "it is empty"), ("no certificate", "it is not PEM"),
        ("folder", "it is a folder"), ("DER", "DER"), ("half", ""),
    ],
)  # fmt: skip
def test_an_unreadable_authority_is_named(
    authority: trustme.CA, tmp_path: Path, content: str | None, why: str
) -> None:
    path = tmp_path / "autoridade.pem"
    whole = authority.cert_pem.bytes()
    if content == "folder":
        path.mkdir()
    elif content == "DER":
        path.write_bytes(ssl.PEM_cert_to_DER_cert(whole.decode()))
    elif content is not None:
        path.write_bytes(whole[: len(whole) // 2] if content == "half" else content.encode())
    with pytest.raises(ConfigError, match=f"MAPA_CA_FILE cannot be read(.|\n)*{why}"):
        Door("https://sisreg.example.org", Access("X", authority=path))


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_authorities_of_the_environment_that_are_not_there_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, str(tmp_path / "ausente"))
    with pytest.raises(ConfigError, match=name):
        Door("https://sisreg.example.org", Access("X"))
    (tmp_path / "lixo.pem").write_text("no certificate")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "lixo.pem"))
    with pytest.raises(ConfigError, match="SSL_CERT_FILE"):
        Door("https://sisreg.example.org", Access("X"))


def _encrypted(key: bytes) -> bytes:
    done = subprocess.run(
        ["openssl", "pkey", "-aes128", "-passout", "pass:segredo"],
        input=key, capture_output=True, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("no key", "no key is named"), ("no certificate", "no client certificate"),
        ("encrypted", "its key is encrypted"), ("another's key", "each the other's"),
        ("absent", "the key: it does not exist"), ("folder", "the key: it is a folder"),
        ("empty", "the key: it is empty"), ("DER", "the certificate: it is in the form DER"),
    ],
)  # fmt: skip
def test_an_unfit_client_certificate_says_why_and_asks_nobody(
    authority: trustme.CA, tmp_path: Path, kind: str, why: str
) -> None:
    ours, other = authority.issue_cert("a.example.org"), authority.issue_cert("b.example.org")
    certificate, key = tmp_path / "cliente.pem", tmp_path / "cliente.key"
    pem = ours.cert_chain_pems[0].bytes()
    certificate.write_bytes(ssl.PEM_cert_to_DER_cert(pem.decode()) if kind == "DER" else pem)
    if kind == "folder":
        key.mkdir()
    elif kind != "absent":
        content = (other if kind == "another's key" else ours).private_key_pem.bytes()
        content = _encrypted(content) if kind == "encrypted" else content
        key.write_bytes(b"" if kind == "empty" else content)
        key.chmod(0o600)
    access = Access(
        "CADSUS_CERT and CADSUS_KEY",
        certificate=None if kind == "no certificate" else certificate,
        key=None if kind == "no key" else key,
    )
    with pytest.raises(ConfigError, match=f"{why}(.|\n)*CADSUS_CERT|CADSUS_CERT(.|\n)*{why}"):
        Door("https://cadsus.example.org", access)


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
        assert time.monotonic() - begun < 8


@contextmanager
def raw(speak: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve bytes of a test's own choosing to each connection; give host and port."""

    def serve() -> None:
        while True:
            try:
                peer, _ = door.accept()
            except OSError:
                return
            with peer, suppress(OSError):
                peer.recv(65536)
                speak(peer)

    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{door.getsockname()[1]}"
        finally:
            door.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def over_and_over(*parts: bytes, pause: float = 0.05) -> Callable[[socket.socket], None]:
    """Return what sends the first part, then the others again and again for ten seconds."""

    def speak(peer: socket.socket) -> None:
        peer.sendall(parts[0])
        end = time.monotonic() + 10
        while time.monotonic() < end:
            for part in parts[1:]:
                peer.sendall(part)
                time.sleep(pause)

    return speak


OK = b"HTTP/1.1 200 OK\r\n"
SLOW = {
    "a status line byte by byte": over_and_over(b"HTTP/1.1 200 ", b"O"),
    "a header byte by byte": over_and_over(OK + b"X-Y: ", b"z"),
    "headers one after the other": over_and_over(OK, b"X-Y: z\r\n"),
    "endless continues": over_and_over(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "endless early hints": over_and_over(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
    "endless processing": over_and_over(b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "a body byte by byte": over_and_over(OK + b"Content-Length: 9999\r\n\r\n", b" "),
    "chunks of a byte": over_and_over(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "endless trailers": over_and_over(
        OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Y: z\r\n"
    ),
}
BRIEF = Patience(attempts=1, first_wait=0, longest_wait=0, timeout=0.3)


@pytest.mark.parametrize("kind", SLOW)
def test_the_whole_exchange_has_an_end_however_the_source_stretches_it(kind: str) -> None:
    # Each byte comes well within the longest silence; the answer as a whole never does.
    with raw(SLOW[kind]) as at, Door(f"http://{at}", ACCOUNT, BRIEF) as door:
        begun = time.monotonic()
        with pytest.raises(SourceError, match="did not answer in time"):
            door.ask("GET", "/")
        assert 0.5 < time.monotonic() - begun < 8


def test_a_handshake_has_an_end_too() -> None:
    speak = over_and_over(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", b"\x03")
    with raw(speak) as at, Door(f"https://{at}", ACCOUNT, BRIEF) as door:
        begun = time.monotonic()
        with pytest.raises(SourceError, match="did not answer in time"):
            door.ask("GET", "/")
        assert time.monotonic() - begun < 8


@pytest.mark.parametrize(
    "flood",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 1000,
    ],
)
def test_what_comes_before_an_answer_is_bounded_in_bytes(flood: bytes) -> None:
    with (
        raw(over_and_over(b"", flood, pause=0)) as at,
        Door(f"http://{at}", ACCOUNT, Patience(1, 0, 0, 300)) as door,
        pytest.raises(SourceError, match="sends headers without end"),
    ):
        door.ask("GET", "/")


def test_one_deadline_of_a_thread_is_not_that_of_another() -> None:
    with (
        listening(answer(200)) as server,
        Door(server.url, ACCOUNT, HURRY) as door,
        ThreadPoolExecutor(8) as pool,
    ):
        statuses = [a.status for a in pool.map(lambda _: door.ask("GET", "/"), range(50))]
    assert statuses == [200] * 50


# --- which way -------------------------------------------------------------------------------


class Proxying(BaseHTTPRequestHandler):
    """A proxy that notes all that is asked of it and tunnels every host to one server."""

    server: Recorder

    def do_CONNECT(self) -> None:
        """Open a tunnel, or refuse."""
        self._note()
        if self.server.refusal:
            self.send_response(self.server.refusal, "segredo-do-proxy")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        with socket.create_connection(self.server.behind) as inner:
            there = threading.Thread(target=self._pump, args=(inner, self.connection), daemon=True)
            there.start()
            self._pump(self.connection, inner)
            there.join(5)
        self.close_connection = True

    def do_GET(self) -> None:
        """Answer in the place of the source, as a proxy does that reads along."""
        self._note()
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def _note(self) -> None:
        self.server.asked.append(f"{self.requestline}\n{self.headers}")

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class Recorder(ThreadingHTTPServer):
    """The server of such a proxy."""

    asked: list[str]
    behind: tuple[str, int] = ("127.0.0.1", 9)
    refusal: int = 0
    daemon_threads = True

    @property
    def name(self) -> str:
        """Return its host and port."""
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        """Return its address with a credential in it."""
        return f"http://gente:segredo-do-proxy@{self.name}"

    def handle_error(self, *_: object) -> None:
        """Stay silent when a client leaves."""


PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """Serve a proxy that no variable names yet."""
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    server = Recorder(("127.0.0.1", 0), Proxying)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("without", ["", "example.org", "localhost"])
def test_this_machine_is_never_reached_through_a_proxy(  # noqa: PLR0917
    proxy: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    without: str,
    authority: trustme.CA,
    ca_file: Path,
) -> None:
    for name in (variable, "http_proxy"):
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.setenv("NO_PROXY", without)
    access = Access("X", USER, PASSWORD, authority=ca_file)
    with listening(answer(200)) as plain, listening(answer(200), server_side(authority)) as tls:
        port = plain.server_address[1]
        for url in (plain.url, f"http://localhost:{port}", tls.url):
            with Door(url, access, HURRY) as door:
                assert door.ask("GET", "/").status == 200
        assert len(plain.came) == 2 and all((*plain.came, *tls.came))
    assert proxy.asked == []


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.9.9.9", "127.1", "[::1]",
             "[::ffff:127.0.0.1]", "0.0.0.0"],
)  # fmt: skip
def test_every_way_to_write_this_machine_is_near(
    proxy: Recorder, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    assert wire.proxy_for(httpx.URL(f"https://{host}/x")) is None
    assert wire.proxy_for(httpx.URL("https://localhost.example.org")) is not None
    assert wire.proxy_for(httpx.URL("http://sisreg.example.org")) is None


def test_a_proxy_sees_where_we_go_and_no_credential(
    proxy: Recorder, monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, ca_file: Path
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    access = Access("X", USER, PASSWORD, authority=ca_file)
    with listening(answer(200), server_side(authority, "sisreg.example.org")) as server:
        proxy.behind = ("127.0.0.1", server.server_address[1])
        with Door("https://sisreg.example.org", access, HURRY) as door:
            assert door.ask("GET", "/_search").status == 200
        assert server.came[0]
        (asked,) = proxy.asked
        assert asked.startswith("CONNECT sisreg.example.org:443 ")
        assert "proxy-authorization: basic" in asked.lower()
        assert "\nauthorization" not in asked.lower() and "_search" not in asked
        monkeypatch.setenv("NO_PROXY", "example.net, .example.org")
        assert wire.proxy_for(httpx.URL("https://sisreg.example.org")) is None


@pytest.mark.parametrize(
    "value",
    [
        "foo", "http://", "http://foo:bar", "http://foo:99999", "http://foo:0", "ftp://foo:21",
        "socks4://foo:1080", "://foo", "http://a b:3128", "http://foo:3128/wpad.dat", "foo:bar:baz",
        "http://gente:segredo-do-proxy@:3128", "http://gente:segredo-do-proxy@foo:bar",
        "socks5://gente:segredo-do-proxy@foo:1080",
    ],
)  # fmt: skip
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "all_proxy"])
def test_a_proxy_setting_that_cannot_be_used_is_named_and_not_shown(
    proxy: Recorder, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=variable) as caught:
        Door("https://sisreg.example.org", ACCOUNT)
    assert "segredo" not in caught.value.message
    # What needs no proxy does not mind.
    Door("http://127.0.0.1:9", ACCOUNT).close()


@pytest.mark.parametrize(
    ("refusal", "tries", "words"),
    [(407, 1, "the proxy answered 407"), (403, 1, "answered 403"), (502, 3, "answered 502")],
)
def test_a_proxy_that_refuses_is_named_and_its_credential_is_not_shown(
    proxy: Recorder, monkeypatch: pytest.MonkeyPatch, refusal: int, tries: int, words: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy.url)
    proxy.refusal = refusal
    with (
        Door("https://sisreg.example.org", ACCOUNT, HURRY) as door,
        pytest.raises(SourceError, match=words) as caught,
    ):
        door.ask("GET", "/")
    assert proxy.name in caught.value.message and "ALL_PROXY" in caught.value.message
    assert "segredo" not in caught.value.message
    assert len(proxy.asked) == tries


def test_a_proxy_that_is_not_there_or_never_answers_is_named(
    proxy: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://gente:segredo-do-proxy@127.0.0.1:9")
    with (
        Door("https://sisreg.example.org", ACCOUNT, BRIEF) as door,
        pytest.raises(
            SourceError, match=r"proxy 127.0.0.1:9 it cannot(.|\n)*HTTPS_PROXY"
        ) as caught,
    ):
        door.ask("GET", "/")
    assert "segredo" not in caught.value.message
    with raw(over_and_over(OK, b"X-Y: z\r\n")) as at:
        monkeypatch.setenv("HTTPS_PROXY", at)
        begun = time.monotonic()
        with (
            Door("https://sisreg.example.org", ACCOUNT, BRIEF) as door,
            pytest.raises(SourceError, match=f"{at} it did not answer in time"),
        ):
            door.ask("GET", "/")
        assert time.monotonic() - begun < 8


# --- what it can read ------------------------------------------------------------------------

PAGE = '{"hits": "ação"}'.encode()
UNREADABLE = [
    ({"content_encoding": "br"}, b"\x0b\x02\x80{}\x03", r"not asked for \(br\)"),
    ({"content_encoding": "deflate"}, zlib.compress(PAGE), r"not asked for \(deflate\)"),
    ({"content_encoding": "zstd"}, b"(\xb5/\xfd", r"not asked for \(zstd\)"),
    ({"content_encoding": "gzip, gzip"}, gzip.compress(gzip.compress(PAGE)), "gzip, gzip"),
    ({"content_encoding": "\x1b[2J"}, PAGE, "one without a name"),
    ({"content_encoding": "gzip"}, gzip.compress(gzip.compress(PAGE)), "packed twice"),
    ({}, gzip.compress(gzip.compress(PAGE)), "packed twice"),
    ({"content_type": "application/json; charset=iso-8859-1"}, PAGE.decode().encode("latin-1"),
     r"another character set \(iso-8859-1\)"),
    ({"content_type": "application/json;charset=utf-16"}, PAGE.decode().encode("utf-16"),
     r"another character set \(utf-16\)"),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "body", "words"), UNREADABLE, ids=[c[2] for c in UNREADABLE])
def test_an_answer_that_nobody_can_read_says_why(
    headers: dict[str, str], body: bytes, words: str
) -> None:
    with listening(answer(200, body, **headers)) as server:
        with (
            Door(server.url, ACCOUNT, HURRY) as door,
            pytest.raises(SourceError, match=words) as caught,
        ):
            door.ask("GET", "/")
        assert len(server.came) == 1
    assert "\x1b" not in caught.value.message


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, PAGE),
        ({"content_encoding": "identity"}, PAGE),
        ({"content_encoding": "GZIP"}, gzip.compress(PAGE)),
        # Some gateways pack and do not say so; what claims another set and is UTF-8 is UTF-8.
        ({}, gzip.compress(PAGE)),
        ({"content_type": "application/json; charset=iso-8859-1"}, PAGE),
        ({"content_type": 'application/json; charset="UTF-8"'}, PAGE),
    ],
)
def test_an_answer_that_can_be_read_is_read(headers: dict[str, str], body: bytes) -> None:
    with (
        listening(answer(200, body, **headers)) as server,
        Door(server.url, ACCOUNT, HURRY) as door,
    ):
        assert door.ask("GET", "/").plain() == PAGE


@pytest.mark.parametrize("token", ["segredo\nX: y", "segredo-ção", "segredo\0"])
def test_a_credential_that_no_header_takes_is_a_setting_to_correct(token: str) -> None:
    with listening(answer(200)) as server, Door(server.url, Access("X_TOKEN"), HURRY) as door:
        with pytest.raises(ConfigError, match="X_TOKEN") as caught:
            door.ask("GET", "/", headers={"authorization": f"Bearer {token}"})
        assert (door.retries, server.came) == (0, [])
    assert "segredo" not in caught.value.message


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
