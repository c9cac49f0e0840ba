"""Asks the server of `parsed_dbt.py` for a dbt, and behaves as that dbt does.

Its arguments are the server's socket, the project that the server has read, and dbt's own. Of
another project, and when the server does not answer, it becomes the dbt that production runs.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

KILLED = 143


def main() -> None:
    """Hand over everything that is ours, and end as the one who did the work."""
    where, project, *arguments = sys.argv[1:]
    given = os.environ
    ours = given.get("DBT_PROJECT_DIR", project) == project and Path.cwd().samefile(project)
    if not ours or "DBT_TARGET" in given:
        _alone(arguments)
    mask = os.umask(0)
    os.umask(mask)
    asked = {
        "arguments": arguments,
        "environment": dict(given),
        "folder": str(Path.cwd()),
        "umask": mask,
    }
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(where)
            socket.send_fds(connection, [b"."], [0, 1, 2])
            connection.sendall(json.dumps(asked).encode() + b"\n")
            said = connection.makefile()
            child = int(said.readline())
        except (OSError, ValueError):
            _alone(arguments)
        signal.signal(signal.SIGTERM, lambda *_: _end(child))
        code = int(said.readline() or KILLED)
    while _alive(child):  # what it held is free only then
        time.sleep(0.002)
    sys.exit(code)


def _alone(arguments: list[str]) -> None:
    os.execv(sys.executable, [sys.executable, "-m", "mapa.dbt_child", *arguments])


def _end(child: int) -> None:
    if _alive(child):
        os.kill(child, signal.SIGTERM)


def _alive(child: int) -> bool:
    try:
        os.kill(child, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
