"""The one place that runs dbt: a subprocess, so that its lock on the warehouse ends with it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from mapa.errors import BuildError, ConfigError, LockedError, MapaError
from mapa.settings import Settings
from mapa.ui import progress

STEP = re.compile(r"(\d+) of (\d+) (?!START)")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
BAD = {"error", "fail", "runtime error"}


def run_dbt(settings: Settings, *arguments: str, title: str) -> None:
    """Run one dbt command with the project's settings and show its progress.

    dbt's own lines go to its log in the restricted side only: an error of the database may quote
    a value.

    Raises:
        ConfigError: there is no dbt project here.
        LockedError: another process has the warehouse open.
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
    began = time.time()
    process = subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
        [sys.executable, "-m", "dbt.cli.main", "--no-use-colors", *arguments],
        cwd=project,
        umask=0o077,
        env=environment,
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
    finally:
        if process.poll() is None:
            process.terminate()
        code = process.wait()
    if code:
        raise _failure(settings, tail, arguments[0], began)


def _failure(settings: Settings, tail: list[str], command: str, began: float) -> MapaError:
    """Say which nodes failed, or quote the project's own guard, and where the rest stands."""
    where = f"The details are in {settings.dbt_log_path / 'dbt.log'}."
    failed = _failed_nodes(settings.dbt_target_path / "run_results.json", began)
    for index, line in enumerate(tail):
        if "Compilation Error in operation" in line and index + 1 < len(tail):
            return BuildError(tail[index + 1].strip())
        if "Could not set lock" in line:
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
    """Build and test everything.

    Raises:
        ConfigError: the pseudonym key is missing or too short.
    """
    settings.pseudonym_key()
    run_dbt(settings, "build", title="dbt build")
