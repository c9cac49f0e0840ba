"""A real PostgreSQL for tests: Debian's package, in a folder of its own, as a user of no rights."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

ADMIN, PASSWORD = "dona", "s3nha-da-dona"


@dataclass
class Server:
    """A server that listens on this machine only and asks everybody for a password."""

    port: int
    log: Path

    def url(self, user: str = ADMIN, database: str = "postgres") -> str:
        """Return an address without password."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def connect(
        self, user: str = ADMIN, password: str = PASSWORD, database: str = "postgres"
    ) -> psycopg.Connection[tuple[Any, ...]]:
        """Connect; every statement is its own transaction."""
        url = self.url(user, database)
        return psycopg.connect(url, password=password, autocommit=True)

    def run(self, *statements: str, database: str = "postgres") -> None:
        """Let the administrator do something."""
        with self.connect(database=database) as con:
            for statement in statements:
                con.execute(statement)


def programs() -> Path | None:
    """Return the folder of the newest `initdb`, which Debian keeps off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[4]))
    beside = shutil.which("initdb")
    return found[-1].parent if found else Path(beside).resolve().parent if beside else None


@contextmanager
def running(binaries: Path) -> Iterator[Server]:
    """Run a server for a while; root, whom PostgreSQL refuses, becomes `nobody`."""
    # Not pytest's folder: only its owner may pass, and `nobody` is another.
    with tempfile.TemporaryDirectory(prefix="mapa-pg-") as name:
        folder = Path(name)
        user = "nobody" if os.geteuid() == 0 else None
        folder.chmod(0o755)
        data, log, secret = folder / "data", folder / "log", folder / "password"
        secret.write_text(PASSWORD)
        data.mkdir(mode=0o700)
        if user:
            nobody = pwd.getpwnam(user)
            for path in (folder, data, secret):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        subprocess.run(
            [binaries / "initdb", "--pgdata", data, "--username", ADMIN, "--pwfile", secret,
             "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"],
            user=user, cwd=folder, capture_output=True, check=True,
        )  # fmt: skip
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with log.open("w") as out:
            process = subprocess.Popen(
                [binaries / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1",
                 "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"],
                user=user, cwd=folder, stdout=out, stderr=out,
            )  # fmt: skip
        server = Server(port, log)
        try:
            _wait(server, process)
            yield server
        finally:
            process.send_signal(2)  # a fast shutdown
            process.wait()


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with suppress(psycopg.OperationalError):
            server.connect().close()
            return
        time.sleep(0.1)
    raise RuntimeError(f"PostgreSQL did not start:\n{server.log.read_text()}")


def server_or_reason() -> Iterator[Server]:
    """Give a server; without its programs the tests are skipped, and under CI they fail."""
    binaries = programs()
    if binaries is None:
        reason = "PostgreSQL is not installed (apt-get install postgresql)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with running(binaries) as server:
        yield server
