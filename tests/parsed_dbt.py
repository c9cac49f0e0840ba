"""A dbt that has read the project already: each command of the tests is a fork of it.

dbt reads the whole project before it does anything, for some 24 seconds of a processor, and the
tests build dozens of houses of one project. This process reads it when first asked; from then on
each command is a child of its own, as in production: with its own environment, folder, standard
files, profile, lock and exit code, and dead when the one who asked is. Only the reading of the
project's files is left out; what dbt writes and does afterwards is dbt's own.

`parsed_dbt_client.py` stands where `mapa.dbt` begins a dbt. Neither file's name begins with `dbt_`:
dbt takes every such module that it can import for a plugin of its own.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from mapa.dbt_child import ORPHANED

ASKED = "MAPA_TEST_DBT"
"""Variable that tells the processes of the tests where the server listens."""
HERE = Path(__file__).parent
Process = subprocess.Popen[bytes]


def start(project: Path) -> Process:
    """Start a server for a project; it ends with the end of its standard input."""
    folder = Path(tempfile.mkdtemp(prefix="mapa-dbt-"))
    os.environ[ASKED] = str(folder / "socket")
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore:resource_tracker", __file__, str(folder), str(project)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()  # it listens
    return process


def command(project: Path) -> tuple[str, ...] | None:
    """Return what begins a dbt on the server, before dbt's own arguments; None without one."""
    if ASKED not in os.environ:
        return None
    client = (sys.executable, "-I", "-S", str(HERE / "parsed_dbt_client.py"))
    return (*client, os.environ[ASKED], str(project))


def main() -> None:
    """Listen until the standard input ends."""
    folder, project = map(Path, sys.argv[1:])
    threading.Thread(target=_until_left, args=[folder], daemon=True).start()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a child ended but its client
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "socket"))
        listening.listen()
        print("listening", flush=True)  # noqa: T201 - to the one who started this
        manifest = None
        while True:
            connection, _ = listening.accept()
            with connection:
                manifest = manifest or _read(project, folder)
                # Without a manifest the client is left alone, and runs a dbt that says why.
                if manifest and not os.fork():
                    os._exit(_serve(connection, manifest))


def _until_left(folder: Path) -> None:
    while os.read(0, 1):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _read(project: Path, folder: Path) -> Any:
    """Return the manifest of the project, as `dbt parse` makes it; None if it cannot."""
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - seconds, for tests that run no dbt

    os.chdir(project)
    os.environ |= {"DBT_TARGET_PATH": str(folder / "t"), "DBT_LOG_PATH": str(folder / "l")}
    profile = folder / "profiles"
    profile.mkdir(exist_ok=True)
    shutil.copyfile(project / "profiles.yml.example", profile / "profiles.yml")
    chosen = ["--project-dir", str(project), "--profiles-dir", str(profile)]
    manifest = dbtRunner().invoke(["--quiet", "parse", "--no-partial-parse", *chosen]).result
    gc.collect()
    gc.freeze()  # the children share what they do not touch
    return manifest


def _serve(connection: socket.socket, manifest: Any) -> int:
    """Become the dbt that a client asks for; return its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, files, _, _ = socket.recv_fds(connection, 1, 3)
    asked = json.loads(connection.makefile().readline())
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(asked["folder"])
    os.umask(asked["umask"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    connection.sendall(f"{os.getpid()}\n".encode())
    threading.Thread(target=_end_with_client, args=[connection], daemon=True).start()
    code = _run(asked["arguments"], manifest)
    # dbt closes the warehouse here, and only then is everything in its file. A whole end of the
    # interpreter is not for a fork: libraries would wait for threads that stayed behind.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(f"{code}\n".encode())
    return code


def _end_with_client(connection: socket.socket) -> None:
    """End at once when the client does, or when the one who started the client does."""

    def watch(file: int) -> None:
        while os.read(file, 1):
            pass
        os._exit(ORPHANED)

    threading.Thread(target=watch, args=[0], daemon=True).start()
    watch(connection.fileno())


def _run(arguments: list[str], manifest: Any) -> int:
    """Run dbt's own command line, which finds that the project has been read."""
    from dbt.adapters.factory import get_adapter  # noqa: PLC0415
    from dbt.cli.main import cli  # noqa: PLC0415
    from dbt.context.query_header import generate_query_header_context  # noqa: PLC0415
    from dbt.parser.manifest import ManifestLoader  # noqa: PLC0415

    def known(config: Any, **_: object) -> Any:
        adapter: Any = get_adapter(config)
        config.load_dependencies()
        manifest.metadata = config.get_metadata()
        adapter.set_macro_resolver(manifest)
        adapter.connections.set_query_header(generate_query_header_context(config, manifest))
        return manifest

    ManifestLoader.get_full_manifest = known  # type: ignore[method-assign]
    sys.argv = ["dbt", *arguments]
    try:
        cli()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


if __name__ == "__main__":
    main()
