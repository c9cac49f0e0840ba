"""The one place that talks HTTP: verified TLS, bounded answers, patient and polite retries.

An `Answer` keeps the body as it came over the wire (compressed or not), because landing stores
what is compressed as it is. Messages name the host and never the credentials, the query or anything
that was answered.
"""

from __future__ import annotations

import os
import re
import ssl
import threading
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import stamina

from mapa import clocks, synthetic
from mapa.errors import ConfigError, FormatError, SourceError
from mapa.packing import DamagedError, is_gzip, unpack
from mapa.settings import Settings, refuse_wide_mode
from mapa.wire import ENDLESS, Clock, Transport, proxy_for

MAX_BODY = 256 * 2**20
"""Largest body that is read, in bytes as received."""
RETRIED = frozenset({429, 500, 502, 503, 504})
READ = frozenset({200, 500})
"""Statuses with a body that is read; CadSUS sends its faults with 500."""
MAX_RETRY_AFTER = 120.0
ANOTHER_CHARSET = re.compile('charset(?!="?utf-?8)', re.IGNORECASE)
"""Finds any that may not be UTF-8; the rest is not worth a look at each of many answers."""
NAME = re.compile(r"[a-z0-9_., -]{1,40}")
"""What a server may call an encoding, so that we repeat it."""


@dataclass(frozen=True)
class Patience:
    """How often and how long a request is tried; waits are in seconds and grow twofold.

    Attributes:
        timeout: longest silence of a source; a whole exchange may take twice as long.
        apart: how far the source's clock may be from ours.

    """

    attempts: int = 6
    first_wait: float = 0.5
    longest_wait: float = 30.0
    timeout: float = 300.0
    apart: timedelta = timedelta(hours=6)

    @classmethod
    def of(cls, settings: Settings) -> Patience:
        """Return what the settings say."""
        wait = settings.mapa_wait_seconds
        apart = timedelta(hours=settings.mapa_max_clock_hours)
        return cls(settings.mapa_attempts, wait, 60 * wait, settings.mapa_timeout_seconds, apart)

    def rounds(self, on: Any) -> Any:
        """Return stamina's iterator over attempts; `on` says which errors are worth another."""
        return stamina.retry_context(
            on=on,
            attempts=self.attempts,
            timeout=None,
            wait_initial=self.first_wait,
            wait_max=self.longest_wait,
            wait_jitter=self.first_wait,
        )


class Pace:
    """Spreads requests of all threads evenly, so that a source gets no more of them per second."""

    def __init__(self, per_second: float) -> None:
        """Begin at once; 0 per second is no limit."""
        self._gap = 1 / per_second if per_second else 0.0
        self._next = 0.0
        self._turn = threading.Lock()

    def wait(self) -> None:
        """Wait for the next turn."""
        with self._turn:
            turn = max(time.monotonic(), self._next)
            self._next = turn + self._gap
        time.sleep(max(0.0, turn - time.monotonic()))


@dataclass(frozen=True)
class Access:
    """How to be let in, and the names of the settings to look at when refused.

    Attributes:
        authority: file of certificates to trust besides the public ones.

    """

    settings: str
    user: str = ""
    password: str = field(default="", repr=False)
    certificate: Path | None = None
    key: Path | None = None
    authority: Path | None = None

    def trust(self) -> ssl.SSLContext:
        """Return a verifying TLS context.

        Raises:
            ConfigError: a file of authorities cannot be used.

        """
        named = {"SSL_CERT_FILE": Path.is_file, "SSL_CERT_DIR": Path.is_dir}
        for name, fits in named.items():
            if (value := os.environ.get(name)) and not fits(Path(value)):
                kind = "folder" if name == "SSL_CERT_DIR" else "file"
                raise ConfigError(
                    f"The {kind} named by {name} does not exist.\nCorrect it, or unset it: then "
                    "the public authorities are trusted, and those of MAPA_CA_FILE."
                )
        try:
            context = httpx.create_ssl_context()
        except (OSError, ssl.SSLError):
            raise ConfigError(
                "The certificates named by SSL_CERT_FILE cannot be read.\nExpected is a PEM file "
                "of authorities that this user may read; or unset it."
            ) from None
        if self.authority:
            try:
                context.load_verify_locations(self.authority)
            except (OSError, ssl.SSLError):
                raise ConfigError(
                    "The file named by MAPA_CA_FILE cannot be read"
                    f"{_why_no_pem(self.authority)}.\n"
                    "Expected are the certificates of one or more authorities as PEM."
                ) from None
        return context

    def context(self) -> ssl.SSLContext:
        """Return a verifying TLS context that presents the client certificate, if any.

        Raises:
            ConfigError: the certificate, its key or the authority cannot be used, or others may
                read the key.

        """
        context = self.trust()
        if self.key and not self.certificate:
            raise ConfigError(
                f"There is a private key and no client certificate.\nCheck {self.settings}."
            )
        if self.key and self.key.is_file():
            refuse_wide_mode(self.key, "a private key")
        if self.certificate:
            asked = list[bool]()

            def password() -> bytes:
                # Without an answer of ours OpenSSL asks on the terminal, where nobody sits.
                asked.append(True)
                return b""

            try:
                context.load_cert_chain(self.certificate, self.key, password)
            except (OSError, ssl.SSLError, ValueError):
                named = (("certificate", self.certificate), ("key", self.key))
                why = (
                    "; its key is encrypted"
                    if asked
                    else "".join(
                        f"; the {what}{_why_no_pem(path)}"
                        for what, path in named
                        if path and _why_no_pem(path)
                    )
                )
                why = why or ("" if self.key else "; no key is named, and it holds none")
                raise ConfigError(
                    f"The client certificate cannot be read{why}.\nCheck {self.settings}: the "
                    "certificate and its key as unencrypted PEM files, each the other's. An "
                    "encrypted key is opened with\n  openssl pkey -in KEY -out NEW_KEY"
                ) from None
        return context


def _why_no_pem(path: Path) -> str:
    """Say what a file is instead of PEM; nothing when that is not known."""
    try:
        if path.is_dir():
            return ": it is a folder"
        begins = path.read_bytes()[:4096]
    except FileNotFoundError:
        return ": it does not exist"
    except OSError as error:
        return f": {error.strerror}"
    if not begins.strip():
        return ": it is empty"
    if begins.startswith(b"\x30\x82"):
        return ": it is in the form DER; openssl x509 -inform der -in FILE -out FILE.pem"
    return "" if b"-----BEGIN" in begins else ": it is not PEM"


@dataclass(frozen=True)
class Answer:
    """Status, headers and the body exactly as received."""

    status: int
    headers: httpx.Headers
    body: bytes = field(repr=False)

    @property
    def encoding(self) -> str:
        """What the server says that the body is packed with; empty when it says nothing."""
        said = self.headers.get("content-encoding", "").strip().lower()
        return "" if said == "identity" else said

    @property
    def is_gzip(self) -> bool:
        """Whether the body is a gzip stream; some servers do not say so."""
        return self.encoding in ("gzip", "x-gzip") or is_gzip(self.body)

    @property
    def problem(self) -> str:
        """Why nobody can read the body although it is whole; empty when nothing is known."""
        if self.encoding not in ("", "gzip", "x-gzip"):
            named = self.encoding if NAME.fullmatch(self.encoding) else "one without a name"
            return f"packed in a way that was not asked for ({named}); expected is gzip or none"
        if self.is_gzip:
            with suppress(zlib.error):
                if is_gzip(zlib.decompressobj(31).decompress(self.body[:4096], 2)):
                    return "packed twice; expected is gzip once, or none"
        said = self.headers.get("content-type", "")
        if not ANOTHER_CHARSET.search(said):
            return ""
        kind = Message()
        kind["content-type"] = said
        charset = str(kind.get_content_charset("utf-8"))
        if charset in ("utf-8", "utf8", "us-ascii") or not kind.get_content_type().endswith("json"):
            return ""
        try:
            self.plain().decode()
        except UnicodeDecodeError:
            named = charset if NAME.fullmatch(charset) else "one without a name"
            return f"written in another character set ({named}); expected is UTF-8"
        except FormatError:
            pass
        return ""

    @property
    def instant(self) -> datetime | None:
        """The server's clock (with zone), from the header `Date`; None when it says none.

        `-0000` is UTC of a clock that does not know its zone.
        """
        try:
            said = parsedate_to_datetime(self.headers["date"])
            return (said if said.tzinfo else said.replace(tzinfo=UTC)).astimezone(UTC)
        except (KeyError, ValueError, OverflowError):
            return None

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server asks to wait, given as a number or as a date; None: nothing."""
        text = self.headers.get("retry-after", "")
        if text.isdigit():
            return float(text)
        try:
            until: datetime = parsedate_to_datetime(text)
            wait = until - (self.instant or datetime.now(UTC))
        except (ValueError, TypeError):
            return None
        return max(0.0, float(wait.total_seconds()))

    def plain(self) -> bytes:
        """Return the unpacked body.

        Raises:
            FormatError: it is not what its header says, or would unpack to too much.

        """
        if not self.is_gzip:
            return self.body
        try:
            return unpack(self.body)
        except DamagedError:
            raise FormatError("A compressed answer is damaged, cut off or far too large.") from None


class _RetryError(Exception):
    """An answer that asks to be tried again."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


class Door:
    """One source behind one base URL; may be used by several threads.

    Attributes:
        host: for messages.
        retries: attempts beyond the first, summed over all requests.
        synthetic: whether any answer said that it is simulated.

    """

    def __init__(
        self,
        url: str,
        access: Access,
        patience: Patience | None = None,
        pace: Pace | None = None,
    ) -> None:
        """Check the address and prepare the client; nothing is sent yet.

        Args:
            url: base of all requests.
            access: how to be let in.
            patience: how often and how long to try.
            pace: how many requests per second at most; repeated ones count, too.

        Raises:
            ConfigError: the URL is unfit or carries a credential, or a certificate or the proxy
                that the environment names cannot be used.

        """
        self.host = _host(url)
        self.url = url.rstrip("/")
        self.access = access
        self.patience = patience or Patience()
        self.pace = pace or Pace(0)
        self.retries = 0
        self.synthetic = False
        # Retries are counted and reported; stamina's own log line tells a person nothing.
        stamina.instrumentation.set_on_retry_hooks(())
        self._counting = threading.Lock()
        self._clock = Clock()
        self._proxy = proxy_for(httpx.URL(url))
        self._client = httpx.Client(
            auth=httpx.BasicAuth(access.user, access.password) if access.user else None,
            transport=Transport(access.context(), self._clock, self._proxy, access.trust),
            trust_env=False,
            timeout=httpx.Timeout(self.patience.timeout, connect=min(10.0, self.patience.timeout)),
            headers={"accept-encoding": "gzip", "user-agent": "mapa"},
        )

    def __enter__(self) -> Door:
        """Return itself; leaving closes the connections."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(
        self, method: str, path: str, retried: frozenset[int] = RETRIED, **request: Any
    ) -> Answer:
        """Send one request, again if need be, and return the last answer whatever its status.

        Args:
            method: GET, POST or DELETE.
            path: path below the base URL; empty for the base URL itself.
            retried: statuses worth another attempt.
            **request: `json`, `content` or `headers`, as httpx takes them.

        Raises:
            SourceError: no answer came, one larger than `MAX_BODY`, or one that nobody can read.
            ConfigError: a credential or the address cannot be sent, or the source's clock and ours
                are too far apart.

        """
        try:
            for attempt in self.patience.rounds(_worth_another):
                with attempt:
                    if attempt.num > 1:
                        self.count_retry()
                    answer = self._once(method, path, request)
                    if answer.status in retried:
                        raise _RetryError(answer)
                    if answer.instant and synthetic.HEADER not in answer.headers:
                        clocks.refuse_source(self.host, answer.instant, self.patience.apart)
                    if answer.status in READ and answer.problem:
                        raise SourceError(
                            f"{self.host} sent an answer that is {answer.problem}.\nAsk the owner "
                            "of the source, or of the proxy or gateway before it."
                        )
                    return answer
        except _RetryError as last:
            return last.answer
        except (httpx.LocalProtocolError, UnicodeError):
            raise ConfigError(
                f"What is sent to {self.host} holds a character that cannot be sent.\nCheck the "
                f"address and {self.access.settings}: expected is plain text, without line breaks."
            ) from None
        except httpx.TransportError as error:
            raise self._unreachable(error) from None
        raise AssertionError("stamina neither returned nor raised")

    def count_retry(self) -> None:
        """Count one more attempt."""
        with self._counting:
            self.retries += 1

    def expect_ok(self, answer: Answer, what: str) -> Answer:
        """Return the answer if its status is 200.

        Raises:
            SourceError: it is not; the message says what to check.

        """
        if answer.status == 200:
            return answer
        advice = {
            400: "It does not take the request: smaller pages (SISREG_PAGE) may help.",
            401: f"It refuses the credentials: check {self.access.settings}.",
            403: f"The account may not read this: check {self.access.settings} and its rights.",
            404: "It does not exist there: check the address and the names in the settings.",
            429: "It asks for fewer requests: try again later.",
        }.get(answer.status, "Try again later; if it goes on, ask the owner of the source.")
        if 300 <= answer.status < 400:
            advice = "It points to another address, and credentials go to no other: check yours."
        raise SourceError(f"{self.host} answered {answer.status} to {what}.\n{advice}")

    def _once(self, method: str, path: str, request: dict[str, Any]) -> Answer:
        self.pace.wait()
        self._clock.begin(2 * self.patience.timeout)
        with self._client.stream(method, self.url + path, **request) as response:
            self._clock.answered()
            self.synthetic = self.synthetic or synthetic.HEADER in response.headers
            body = bytearray()
            for chunk in response.iter_raw():
                body += chunk
                if len(body) > MAX_BODY:
                    raise SourceError(
                        f"{self.host} answered with more than {MAX_BODY >> 20} MB at once.\n"
                        "Ask for smaller pages (SISREG_PAGE)."
                    )
            return Answer(response.status_code, response.headers, bytes(body))

    def _unreachable(self, error: httpx.TransportError) -> SourceError:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return SourceError(
                f"The certificate of {self.host} cannot be verified.\n"
                "If the network has its own authority, name its file in MAPA_CA_FILE."
            )
        if isinstance(error, httpx.TimeoutException):
            how = "did not answer in time"
        elif ENDLESS in str(error):
            how = f"sends {ENDLESS}"
        else:
            how = "cannot be reached or broke off the connection"
        attempts = f"({self.patience.attempts} attempts)"
        if self._proxy:
            refused = _refused_by_proxy(error)
            how = f"the proxy answered {refused}" if refused else f"it {how}"
            return SourceError(
                f"On the way to {self.host} through the proxy {self._proxy.name} {how} "
                f"{attempts if _worth_another(error) else '(1 attempt)'}.\nCheck "
                f"{self._proxy.variable}, its user and password among it, and that the proxy is "
                "up; a source that needs no proxy is named in NO_PROXY."
            )
        return SourceError(
            f"{self.host} {how} {attempts}.\n"
            "Check the address in the settings, the network, and that the source is up."
        )


def _refused_by_proxy(error: Exception) -> str:
    """Return the status that a proxy gave instead of a connection, empty when it gave none."""
    status = str(error)[:3]
    return status if isinstance(error, httpx.ProxyError) and status.isdigit() else ""


def _worth_another(error: Exception) -> bool | float:
    if isinstance(error, _RetryError):
        wait = error.answer.retry_after
        return True if wait is None else min(wait, MAX_RETRY_AFTER)
    if isinstance(error, httpx.LocalProtocolError) or _refused_by_proxy(error).startswith("4"):
        return False
    return isinstance(error, httpx.TransportError) and "CERTIFICATE" not in str(error)


def _host(url: str) -> str:
    """Return host and port of a base URL.

    Raises:
        ConfigError: it is not an http(s) URL, carries a credential, or would send one readable.

    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ConfigError("The address of a source is not a URL such as https://host.example")
    if parsed.userinfo:
        raise ConfigError(
            f"The address of {parsed.host} carries a credential.\n"
            "Give it without one; the credential has settings of its own."
        )
    if parsed.scheme == "http" and not _is_this_machine(parsed.host):
        raise ConfigError(
            f"The address of {parsed.host} begins with http://, so that credentials and people's "
            "data could be read on the way.\nWrite https://; only this machine is reached without."
        )
    return f"{parsed.host}:{parsed.port}" if parsed.port else parsed.host


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
