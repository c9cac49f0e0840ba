"""The one place that talks HTTP: verified TLS, bounded answers, patient and polite retries.

An `Answer` keeps the body as it came over the wire (compressed or not), because landing stores
what is compressed as it is. Messages name the host and never the credentials, the query or anything
that was answered.
"""

from __future__ import annotations

import ssl
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import stamina

from mapa import clocks, synthetic
from mapa.errors import ConfigError, FormatError, SourceError
from mapa.packing import DamagedError, unpack
from mapa.settings import Settings, refuse_wide_mode

MAX_BODY = 256 * 2**20
"""Largest body that is read, in bytes as received."""
RETRIED = frozenset({429, 500, 502, 503, 504})
MAX_RETRY_AFTER = 120.0


@dataclass(frozen=True)
class Patience:
    """How often and how long a request is tried; waits are in seconds and grow twofold.

    Attributes:
        timeout: longest silence of a source; a whole answer may take twice as long.
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

    def context(self) -> ssl.SSLContext:
        """Return a verifying TLS context that presents the client certificate, if any.

        Raises:
            ConfigError: the certificate, its key or the authority cannot be used, or others may
                read the key.

        """
        context = httpx.create_ssl_context()
        if self.key and self.key.is_file():
            refuse_wide_mode(self.key, "a private key")
        if self.authority:
            try:
                context.load_verify_locations(self.authority)
            except (OSError, ssl.SSLError):
                raise ConfigError(
                    "The file named by MAPA_CA_FILE cannot be read.\n"
                    "Expected are the certificates of one or more authorities as PEM."
                ) from None
        if self.certificate:
            try:
                context.load_cert_chain(self.certificate, self.key)
            except (OSError, ssl.SSLError):
                raise ConfigError(
                    f"The client certificate cannot be read.\nCheck {self.settings}: the "
                    "certificate and its key as unencrypted PEM files."
                ) from None
        return context


@dataclass(frozen=True)
class Answer:
    """Status, headers and the body exactly as received."""

    status: int
    headers: httpx.Headers
    body: bytes = field(repr=False)

    @property
    def is_gzip(self) -> bool:
        """Whether the body is a gzip stream."""
        return self.headers.get("content-encoding", "").lower() in ("gzip", "x-gzip")

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
            ConfigError: the URL is unfit or carries a credential.

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
        self._client = httpx.Client(
            auth=httpx.BasicAuth(access.user, access.password) if access.user else None,
            verify=access.context(),
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
            SourceError: no answer came, or one larger than `MAX_BODY`.
            ConfigError: the source's clock and ours are too far apart.

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
                    return answer
        except _RetryError as last:
            return last.answer
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
        end = time.monotonic() + 2 * self.patience.timeout
        with self._client.stream(method, self.url + path, **request) as response:
            self.synthetic = self.synthetic or synthetic.HEADER in response.headers
            body = bytearray()
            for chunk in response.iter_raw():
                body += chunk
                if time.monotonic() > end:
                    raise httpx.ReadTimeout("the answer trickles")
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
        slow = isinstance(error, httpx.TimeoutException)
        how = "did not answer in time" if slow else "cannot be reached or broke off the connection"
        return SourceError(
            f"{self.host} {how} ({self.patience.attempts} attempts).\n"
            "Check the address in the settings, the network, and that the source is up."
        )


def _worth_another(error: Exception) -> bool | float:
    if isinstance(error, _RetryError):
        wait = error.answer.retry_after
        return True if wait is None else min(wait, MAX_RETRY_AFTER)
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
