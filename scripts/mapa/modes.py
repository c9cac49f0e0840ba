"""Who on this machine may read what: the folder of everything, and what earlier versions left open.

New files need nothing of this, because the package begins with umask 077.
"""

from __future__ import annotations

import stat
from contextlib import suppress
from pathlib import Path

PASSAGE = 0o711
"""Others may pass through to what is published, and list nothing."""
INSIDE = {
    "mapa.duckdb": 0o600,
    "mapa.duckdb.wal": 0o600,
    "mapa.duckdb.tmp": 0o700,
    "tmp": 0o700,
    "landing": 0o700,
    "city": 0o700,
    "dicionario": 0o700,
    "certificados": 0o700,
    "spark": 0o700,
    # Whoever drops exports there may do so by way of a group.
    "inbox": 0o770,
}
"""The widest mode of each restricted thing in the folder of everything; in a closed folder nothing
is open."""


def make_house(folder: Path) -> None:
    """Make the folder of everything, or close what stands open in it."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        path.chmod(PASSAGE)
    narrow(folder, PASSAGE)
    for name, widest in INSIDE.items():
        narrow(folder / name, widest)


def close_dbt(project: Path, target: Path, logs: Path) -> None:
    """Make the folders that dbt writes to, or close them; both may be relative to the project.

    dbt opens its log before anything of ours runs in it, so they must be closed before it starts.
    """
    if not (project / "dbt_project.yml").exists():
        return
    for folder in (project / target, project / logs):
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "dbt_project.yml").exists():
            narrow(folder, 0o700)
        narrow(folder / "dbt.log", 0o600)


def narrow(path: Path, widest: int) -> None:
    """Take from the mode of a path what exceeds the widest, if it is there and ours to change."""
    with suppress(FileNotFoundError, PermissionError):
        mode = stat.S_IMODE(path.stat().st_mode)
        # A folder with the sticky bit, like /tmp, belongs to everybody.
        if mode & 0o777 & ~widest and not mode & stat.S_ISVTX:
            path.chmod(mode & widest)


def narrow_all(folder: Path) -> None:
    """Close a folder with all that is in it, whatever wrote it: nobody else reads or lists it."""
    for path in (folder, *folder.rglob("*")):
        narrow(path, 0o700 if path.is_dir() else 0o600)
