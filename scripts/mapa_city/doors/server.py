"""Serves a city over HTTP on the loopback interface, from a process of its own.

`serving` writes the document store, starts `python -m mapa_city.doors.server` on it and gives its
address; the loader and the server so have a core each. The child inherits the listening socket, so
a client may call at once and a port is taken before the city is built. It ends when its standard
input closes: no signal is needed, and no server outlives the program that started it.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date
from email.utils import format_datetime
from pathlib import Path

import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mapa import synthetic
from mapa.errors import MapaError, PortError
from mapa_city.city import City
from mapa_city.doors import documents, pdq, search_api
from mapa_city.doors.faults import Faults, NoSort, Plan, Weather
from mapa_city.doors.search_engine import Engine

HOST = "127.0.0.1"
USER = "simulador"
PASSWORD = "cidade-sintetica"  # noqa: S105 - opens nothing but a synthetic city
SUFFIX = "df-brasilia"
READY = "ready"
STOP_SECONDS = 10


@dataclass(frozen=True)
class Server:
    """A running server: where it is and what opens its doors.

    Attributes:
        url: base address, without a slash at the end.
        user: of the search API.
        password: of the search API.
        process: the process that serves.
        centrals: regulating centrals that have the documents, when it is not the default one.

    """

    url: str
    user: str = USER
    password: str = field(default=PASSWORD, repr=False)
    process: subprocess.Popen[str] | None = field(default=None, repr=False, compare=False)
    centrals: tuple[str, ...] = ()

    def environment(self) -> dict[str, str]:
        """Return the environment variables that point the loaders at this server."""
        centrals = {"SISREG_CENTRAL": ",".join(self.centrals)} if self.centrals else {}
        return centrals | {
            "SISREG_URL": self.url,
            "SISREG_SUFFIX": SUFFIX,
            "SISREG_USER": self.user,
            "SISREG_PASSWORD": self.password,
            "CADSUS_URL": self.url + pdq.QUERY_PATH,
            "CADSUS_TOKEN_URL": self.url + pdq.TOKEN_PATH,
            "CADSUS_RATE": "0",
        }

    def settings(self) -> dict[str, str | float | SecretStr]:
        """Return the same as fields of `Settings`, for `model_copy(update=...)`."""
        fields: dict[str, str | float | SecretStr] = {
            name.lower(): value for name, value in self.environment().items()
        }
        return fields | {"sisreg_password": SecretStr(self.password), "cadsus_rate": 0.0}

    def follow(self, faults: Plan) -> None:
        """Let other things go wrong from now on; the server must have begun with a plan.

        Raises:
            MapaError: the server has ended.

        """
        if not self.process or not self.process.stdin or not self.process.stdout:
            raise MapaError("This server is not ours to change.")
        self.process.stdin.write(json.dumps(asdict(faults)) + "\n")
        self.process.stdin.flush()
        if self.process.stdout.readline().strip() != READY:
            raise MapaError("The simulator's server has ended.")

    def wait(self) -> int:
        """Wait until the server ends and return its exit code."""
        return self.process.wait() if self.process else 0


class Simulated:
    """Says of every answer that it is simulated; its `Date` is the city's, if one is given."""

    def __init__(self, app: ASGIApp, date: str | None = None) -> None:
        """Keep the application and the header's value."""
        self.app = app
        self.date = date

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and set the headers of the answer."""

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[synthetic.HEADER] = "1"
                if self.date:
                    headers["Date"] = self.date
            await send(message)

        await self.app(scope, receive, marked)


def application(store: Path, weather: Weather) -> Starlette:
    """Return the application over a document store.

    What should happen to answers on their way out is a middleware in this list.
    """
    engine, registry = Engine(store), pdq.Registry(store)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        engine.close()
        registry.close()

    today = format_datetime(registry.now.astimezone(UTC), usegmt=True)
    guard = Middleware(search_api.BasicAuth, user=USER, password=PASSWORD)
    return Starlette(
        routes=[
            *pdq.routes(registry),
            Mount(
                "/", routes=search_api.SearchApi(engine, SUFFIX, USER).routes(), middleware=[guard]
            ),
        ],
        middleware=[
            Middleware(Simulated, date=today),
            Middleware(Faults, weather=weather),
            Middleware(NoSort, weather=weather),
            # The lowest level: pages are large and this machine pays for both ends.
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=1),
        ],
        lifespan=lifespan,
    )


def listen(port: int) -> socket.socket:
    """Take a port of the loopback interface; 0 means any free one.

    Raises:
        PortError: another program has it.

    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
    except OSError as error:
        sock.close()
        raise PortError(
            f"Port {port} of {HOST} cannot be used ({error.strerror}).\n"
            f"Stop the program that has it, or choose another one: mapa simulate --port {port + 1}"
        ) from None
    sock.listen(128)
    return sock


@contextmanager
def serving(  # noqa: PLR0913 - each one is a choice of its own
    city: City,
    as_of: date | None = None,
    port: int = 0,
    *,
    listener: socket.socket | None = None,
    faults: Plan | None = None,
    habits: documents.Habits = documents.USUAL,
) -> Iterator[Server]:
    """Serve the city from another process until the block ends.

    Args:
        city: the finished city.
        as_of: last day whose events are shown; default: the city's last day.
        port: port to take; 0 means any free one.
        listener: a socket already taken by `listen`, instead of a port; it is closed here.
        faults: what goes wrong with the answers of the search API; default: nothing.
        habits: what its mirror does otherwise than others.

    Raises:
        PortError: the port is taken.
        MapaError: the server does not start.

    """
    with (
        listener or listen(port) as sock,
        tempfile.TemporaryDirectory(prefix="mapa-simulate-") as folder,
    ):
        store = Path(folder) / "city.duckdb"
        documents.build(city, store, as_of, habits=habits)
        url = f"http://{HOST}:{sock.getsockname()[1]}"
        with _child(store, sock, faults) as process:
            yield Server(url, process=process, centrals=habits.centrals)


@contextmanager
def opening(store: Path, faults: Plan | None = None) -> Iterator[Server]:
    """Serve a document store that was built before, on any free port, until the block ends.

    Raises:
        MapaError: the server does not start.

    """
    with listen(0) as sock, _child(store, sock, faults) as process:
        yield Server(f"http://{HOST}:{sock.getsockname()[1]}", process=process)


@contextmanager
def _child(
    store: Path, sock: socket.socket, faults: Plan | None
) -> Iterator[subprocess.Popen[str]]:
    process = _start(store, sock, faults)
    try:
        if (process.stdout.readline() if process.stdout else "").strip() != READY:
            raise MapaError("The simulator's server did not start; its reason stands above.")
        yield process
    finally:
        _stop(process)


def _start(store: Path, sock: socket.socket, faults: Plan | None) -> subprocess.Popen[str]:
    """Start the child; a session of its own keeps the terminal's Ctrl-C away from it."""
    command = [sys.executable, "-m", "mapa_city.doors.server", str(store), str(sock.fileno())]
    command += ["--faults", json.dumps(asdict(faults))] if faults else []
    return subprocess.Popen(  # noqa: S603 - our own module, no shell
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[sock.fileno()],
        start_new_session=True,
        text=True,
    )


def _stop(process: subprocess.Popen[str]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream:
            stream.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class _ReadyServer(uvicorn.Server):
    """Says on standard output that it accepts connections, and ends when standard input does.

    Until then each line of standard input is a plan of faults to follow from now on.
    """

    def __init__(self, config: uvicorn.Config, weather: Weather) -> None:
        super().__init__(config)
        self._weather = weather

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(READY, flush=True)  # noqa: T201 - the parent reads it
        threading.Thread(target=self._end_with_input, daemon=True).start()

    def _end_with_input(self) -> None:
        for line in sys.stdin:
            self._weather.follow(Plan(**json.loads(line)))
            print(READY, flush=True)  # noqa: T201 - the parent reads it
        self.should_exit = True


def main(arguments: list[str] | None = None) -> None:
    """Serve a store on an inherited socket; `serving` starts this in a process of its own."""
    parser = argparse.ArgumentParser(description="Serve a document store on an open socket.")
    parser.add_argument("store", type=Path, help="document store to serve")
    parser.add_argument("socket", type=int, help="number of the inherited listening socket")
    parser.add_argument("--faults", type=json.loads, help="plan of faults as JSON")
    options = parser.parse_args(arguments)
    weather = Weather(Plan(**options.faults or {}))
    config = uvicorn.Config(
        application(options.store, weather),
        # A connection that is dropped on purpose is no news.
        log_level="critical" if options.faults else "warning",
        access_log=False,
        date_header=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    sock = socket.socket(fileno=options.socket)
    _ReadyServer(config, weather).run(sockets=[sock])


if __name__ == "__main__":
    main()
