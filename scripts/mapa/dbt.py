"""The one place that runs dbt: a subprocess, so that its lock on the warehouse ends with it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from mapa import landing, modes, pseudonyms, warehouse
from mapa.errors import BuildError, ConfigError, LockedError, MapaError
from mapa.settings import Settings
from mapa.ui import progress
from mapa.waiting import Wait

STEP = re.compile(r"(\d+) of (\d+) (?!START)")
CHILD: tuple[str, ...] = (sys.executable, "-m", "mapa.dbt_child")
"""What begins a dbt; its own arguments follow."""
OPENS_NOTHING = {"parse"}
"""Commands that need no warehouse."""
GRACE = 10.0
"""Seconds that dbt has to end when it is told to."""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
BAD = {"error", "fail", "runtime error"}


def run_dbt(settings: Settings, *arguments: str, title: str) -> None:
    """Run one dbt command with the project's settings and show its progress.

    dbt's own lines go to its log in the restricted side only. The folders of dbt are closed first,
    because dbt opens its log before anything of ours runs in it.

    Raises:
        ConfigError: there is no dbt project here.
        LockedError: another process has the warehouse open, and still has after the wait.
        BuildError: dbt failed; the message names what failed.
    """
    project = settings.dbt_project_dir
    if not (project / "dbt_project.yml").exists():
        raise ConfigError(
            f"There is no dbt project in {project.resolve().name}/.\n"
            "Run mapa in the project's folder, or set DBT_PROJECT_DIR."
        )
    environment = os.environ | {
        "MAPA_DIR": str(settings.mapa_dir.resolve()),
        "DBT_TARGET_PATH": str(settings.dbt_target_path.resolve()),
        "DBT_LOG_PATH": str(settings.dbt_log_path.resolve()),
        "MAPA_MAX_CLOCK_HOURS": str(settings.mapa_max_clock_hours),
    }
    if settings.mapa_warehouse_key_file:
        environment["MAPA_WAREHOUSE_KEY_FILE"] = str(settings.mapa_warehouse_key_file.resolve())
    modes.close_dbt(project, settings.dbt_target_path.resolve(), settings.dbt_log_path.resolve())
    if arguments[0] not in OPENS_NOTHING:
        # dbt waits too, for one that was quicker, but what it says meanwhile stands in its log.
        warehouse.wait_until_free(settings.warehouse, Wait())
    began = time.time()
    code, tail = _run(project, environment, arguments, title)
    if code:
        raise _failure(settings, tail, arguments[0], began)


def _run(
    project: Path, environment: dict[str, str], arguments: tuple[str, ...], title: str
) -> tuple[int, list[str]]:
    """Run dbt to its end, or to ours; return its exit code and its last lines."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
        [*CHILD, "--no-use-colors", *arguments],
        cwd=project,
        env=environment,
        # Nothing is ever written to it: its end tells dbt that we are gone.
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    tail: list[str] = []
    try:
        with progress() as display:
            task = display.add_task(title, total=None)
            for line in process.stdout or ():
                tail = [*tail[-30:], COLOUR.sub("", line).rstrip()]
                if step := STEP.search(line):
                    display.update(task, completed=int(step[1]), total=int(step[2]))
        code = process.wait()
    except BaseException:
        _stop(process)
        raise
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
    return code, tail


def _stop(process: subprocess.Popen[str]) -> None:
    """End a dbt that still runs, so that its lock on the warehouse is free when this returns."""
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _failure(settings: Settings, tail: list[str], command: str, began: float) -> MapaError:
    """Say which nodes failed, or quote the project's own guard, and where the rest stands."""
    where = f"The details are in {settings.dbt_log_path / 'dbt.log'}."
    failed = _failed_nodes(settings.dbt_target_path / "run_results.json", began)
    for index, line in enumerate(tail):
        if "Compilation Error in operation" in line and index + 1 < len(tail):
            return BuildError(tail[index + 1].strip())
        if "Could not set lock" in line or "is in use by another process" in line:
            return LockedError(
                "dbt could not open the warehouse: another process has it open.\n"
                "Wait until the other run has ended, then try again."
            )
    names = "\n".join(f"  {status}: {name}" for name, status in failed[:10])
    text = f"dbt {command} failed{':' if names else '.'}\n{names}\n{where}"
    return BuildError(text.replace("\n\n", "\n"))


def _failed_nodes(results: Path, began: float) -> list[tuple[str, str]]:
    """Return name and status of what did not pass; nothing if dbt stopped before it ran a node.

    dbt leaves the results of an earlier run where they are when it cannot start.
    """
    if not results.exists() or results.stat().st_mtime < began:
        return []
    rows = json.loads(results.read_text())["results"]
    return [(r["unique_id"], r["status"]) for r in rows if r["status"] in BAD]


def build(settings: Settings) -> None:
    """Build everything and test the data; unit tests depend on none and are a developer's.

    Raises:
        ConfigError: the pseudonym key is missing, too short, or not that of the warehouse.
    """
    landing.refuse_unfinished(settings.mapa_dir)
    key = settings.pseudonym_key()
    if settings.warehouse.exists():
        with warehouse.connect(settings.warehouse) as con:
            pseudonyms.require(con, key)
    run_dbt(settings, "build", "--exclude-resource-type", "unit_test", title="dbt build")
