"""What lies under `http`: the way to a source, and deadlines that no peer can stretch.

httpx bounds single reads only: headers that come byte by byte, or interim answers without end, keep
a request alive for ever. And it takes any proxy that the environment names, for this machine too.
"""

from __future__ import annotations

import importlib.util
import os
import re
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import httpcore
import httpx

from mapa.errors import ConfigError

MAX_HEAD = 2**20
"""Bytes that may come before an answer begins: headers of proxies, interim answers, its own."""
ENDLESS = "headers without end"
VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
HOST = re.compile(r"[\w.:-]+", re.ASCII)
SCHEMES = ("http", "https", "socks5", "socks5h")


class Clock(threading.local):
    """When the exchange of this thread must be over, and how much may still come before it."""

    end = float("inf")
    head: int | None = None

    def begin(self, seconds: float) -> None:
        """Begin an exchange that may take so many seconds."""
        self.end, self.head = time.monotonic() + seconds, MAX_HEAD

    def answered(self) -> None:
        """Take note that the headers are complete; whoever reads the body bounds it."""
        self.head = None

    def left(self, timeout: float | None) -> float:
        """Return how long the next step may take.

        Raises:
            httpcore.ReadTimeout: the time is over.

        """
        left = self.end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the exchange takes too long")
        return left if timeout is None else min(timeout, left)

    def count(self, received: int) -> None:
        """Count what came.

        Raises:
            httpcore.RemoteProtocolError: it is too much for headers.

        """
        if self.head is not None:
            self.head -= received
            if self.head < 0:
                raise httpcore.RemoteProtocolError(ENDLESS)


class _Stream(httpcore.NetworkStream):
    """A stream on which the clock is looked at before each step."""

    def __init__(self, stream: httpcore.NetworkStream, clock: Clock) -> None:
        self._stream, self._clock = stream, clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._stream.read(max_bytes, self._clock.left(timeout))
        self._clock.count(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._clock.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._clock.left(timeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    """Opens streams on which the clock is looked at."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = self._clock.left(timeout)
        stream = super().connect_tcp(host, port, left, local_address, socket_options)
        return _Stream(stream, self._clock)


@dataclass(frozen=True)
class Proxy:
    """A proxy, without its credential, and the variable that names it."""

    name: str
    variable: str
    at: httpx.Proxy


class Transport(httpx.HTTPTransport):
    """httpx's transport over connections that keep to a clock; it reads no variable itself."""

    def __init__(
        self,
        context: ssl.SSLContext,
        clock: Clock,
        proxy: Proxy | None,
        trust: Callable[[], ssl.SSLContext],
    ) -> None:
        """Prepare the connections; nothing is sent yet.

        Args:
            context: for the source.
            clock: to keep to.
            proxy: on the way, if any.
            trust: gives the context for a proxy that is itself reached over TLS.

        """
        # Not httpx's own __init__, which takes no network backend.
        same: dict[str, Any] = {
            "ssl_context": context,
            "max_connections": 100,
            "max_keepalive_connections": 20,
            "keepalive_expiry": 5.0,
            "network_backend": _Backend(clock),
        }
        if proxy is None:
            self._pool = httpcore.ConnectionPool(**same)
            return
        url, auth = proxy.at.url, proxy.at.raw_auth
        at = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/")
        if url.scheme.startswith("socks5"):
            self._pool = httpcore.SOCKSProxy(at, proxy_auth=auth, **same)
        else:
            over_tls = trust() if url.scheme == "https" else None
            self._pool = httpcore.HTTPProxy(at, proxy_auth=auth, proxy_ssl_context=over_tls, **same)


def proxy_for(url: httpx.URL) -> Proxy | None:
    """Return the proxy that the environment names for an address; None for a direct way.

    This machine is reached directly whatever the environment says, and nothing that is readable on
    the way is given to a proxy.

    Raises:
        ConfigError: the address of the proxy cannot be used; it is not shown, as it may hold a
            password.

    """
    if url.scheme != "https" or is_near(url.host):
        return None
    found = urllib.request.getproxies()
    text = (found.get("https") or found.get("all") or "").strip()
    without = {host.strip() for host in (found.get("no") or "").split(",")}
    if not text or "*" in without or urllib.request.proxy_bypass(f"{url.host}:{url.port or 443}"):
        return None
    variable = next((name for name in VARIABLES if os.environ.get(name)), "the system's proxy")
    return _parsed(text, variable)


def is_near(host: str) -> bool:
    """Say whether a host is this machine, in any of the ways to write it."""
    name = host.lower().rstrip(".").strip("[]").partition("%")[0]
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        # 127.1 and the like are addresses for the system.
        return name.startswith("127.") and name.replace(".", "").isdigit()
    inner = getattr(address, "ipv4_mapped", None) or address
    return inner.is_loopback or inner.is_unspecified


def _parsed(text: str, variable: str) -> Proxy:
    has_scheme = "://" in text
    try:
        at = httpx.Proxy(text if has_scheme else f"http://{text}")
        url = at.url
        port = url.port
    except (httpx.InvalidURL, ValueError, UnicodeError):
        raise _unfit(variable) from None
    fits = url.scheme in SCHEMES and HOST.fullmatch(url.host) and url.raw_path in (b"", b"/")
    if not fits or not (has_scheme or port) or not (port is None or 0 < port < 2**16):
        raise _unfit(variable)
    if url.scheme.startswith("socks5") and not importlib.util.find_spec("socksio"):
        raise ConfigError(
            f"{variable} names a SOCKS proxy, for which a package is missing.\n"
            "Install it with\n  pip install socksio\nor name an http:// proxy."
        )
    return Proxy(f"{url.host}:{port}" if port else url.host, variable, at)


def _unfit(variable: str) -> ConfigError:
    return ConfigError(
        f"{variable} does not name a proxy that can be used.\nExpected is an address such as "
        "http://proxy.example:3128; if none is needed, unset it, or add the source's host to "
        "NO_PROXY."
    )
