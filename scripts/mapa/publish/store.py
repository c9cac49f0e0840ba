"""Versions on disk: a folder each, and one symbolic link that says which one is current.

    published/versions/<version>/…      complete and verified, never changed afterwards
    published/current                   link to one of them, replaced in a single step
    published/mapa_publico.duckdb …     links through `current`, so that paths never change

A version is prepared under a name that starts with a dot and gets its own name only when it is
complete, so a reader sees the old version or the new one and a crash leaves the old one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mapa.errors import LockedError, PublishError
from mapa.waiting import Wait

DATABASE = "mapa_publico.duckdb"
PARQUET, CSV, XLSX = "parquet", "csv", "xlsx"
MANIFEST, DATAPACKAGE, DCAT = "manifest.json", "datapackage.json", "dcat.jsonld"
DISCLOSURE = "divulgacao.json"
CONTRACT = "contrato.odcs.yaml"
CHANGES, LOG = "mudancas.csv", "mudancas.json"
TRANSPARENCY = "transparencia"
SITE = "site"
DICTIONARY = ("dicionario.xlsx", "dicionario.csv")
MIRROR = ("espelho_variaveis.xlsx", "espelho_variaveis.csv")
FILE, FOLDER, PASSABLE = 0o644, 0o755, 0o011
"""Modes of what is published, whatever the umask of the one who publishes."""
DESCRIBING = (MANIFEST, DATAPACKAGE, DCAT, DISCLOSURE, CONTRACT, CHANGES, LOG)
STABLE = (DATABASE, PARQUET, CSV, XLSX, TRANSPARENCY, SITE, *DESCRIBING, *DICTIONARY, *MIRROR)


@contextmanager
def locked(published: Path) -> Iterator[None]:
    """Let one publication run at a time; the lock ends with the process, however it ends.

    Raises:
        LockedError: another one is running, and still is after the wait.
    """
    published.mkdir(parents=True, exist_ok=True)
    # Readers pass through the folder of everything without listing it; the umask has no say.
    published.parent.chmod(stat.S_IMODE(published.parent.stat().st_mode) | PASSABLE)
    published.chmod(FOLDER)
    with (published / ".lock").open("w") as lock:
        # Whoever may open it may hold it.
        os.fchmod(lock.fileno(), stat.S_IRUSR | stat.S_IWUSR)
        Wait().until(lambda: _lock(lock))
        yield


def _lock(lock: IO[str]) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LockedError(
            "Another `mapa publish` is running. Wait until it has ended, then try again."
        ) from None


@contextmanager
def preparing(published: Path) -> Iterator[Path]:
    """Give a fresh folder for a version; it is removed unless `install` has renamed it.

    What a killed publication left behind is removed first: the lock says that nobody uses it.
    """
    versions = published / "versions"
    versions.mkdir(exist_ok=True)
    versions.chmod(FOLDER)
    for leftover in versions.glob(".*"):
        shutil.rmtree(leftover)
    folder = versions / ".preparing"
    # Nobody else reads what is not whole and not checked.
    folder.mkdir()
    folder.chmod(stat.S_IRWXU)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def current(published: Path) -> Path | None:
    """Return the folder of the current version, by its real path, or None."""
    link = published / "current"
    return link.resolve() if link.exists() else None


def install(published: Path, prepared: Path, version: str) -> Path:
    """Make a prepared folder the current version."""
    for path in [*sorted(prepared.rglob("*")), prepared]:
        path.chmod(FOLDER if path.is_dir() else FILE)
        _sync(path)
    folder = published / "versions" / version
    prepared.rename(folder)
    _sync(folder.parent)
    _link(published / "current", Path("versions") / version)
    link_stable_names(published)
    _sync(published)
    return folder


def link_stable_names(published: Path) -> None:
    """Make the names that readers use, all through `current`; none of what a version lacks."""
    for link in published.iterdir():
        if link.is_symlink() and link.readlink().parts[0] == "current" and not link.exists():
            link.unlink()
    for name in STABLE:
        target = Path("current") / name
        link = published / name
        if (published / target).exists() and not (link.is_symlink() and link.readlink() == target):
            _link(link, target)


def versions(published: Path) -> list[Path]:
    """Return the folders of the versions, newest first."""
    folder = published / "versions"
    if not folder.exists():
        return []
    found = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return sorted(found, key=lambda path: path.name, reverse=True)


def before_current(published: Path) -> tuple[Path, Path]:
    """Return the folders of the version before the current one, and of the current one.

    Raises:
        PublishError: nothing is published, or no older version was kept.
    """
    now = current(published)
    older = [path.resolve() for path in versions(published) if now and path.name < now.name]
    if not now or not older:
        raise PublishError(
            f"There is no version before {now.name if now else 'the first one'}.\n"
            "`mapa publish --keep` says how many are kept."
        )
    return older[0], now


def roll_back(published: Path) -> tuple[str, str]:
    """Make the version before the current one current again; return the names of both.

    Raises:
        PublishError: there is none.
    """
    older, now = before_current(published)
    _link(published / "current", Path("versions") / older.name)
    link_stable_names(published)
    _sync(published)
    return older.name, now.name


def prune(published: Path, keep: int, needed: Iterable[Path] = ()) -> list[str]:
    """Remove all but the newest versions; return the names removed.

    Neither the current one goes nor those that are needed: by them published months stand.
    """
    kept = {path.resolve() for path in needed} | {current(published)}
    old = [path for path in versions(published)[keep:] if path.resolve() not in kept]
    for path in old:
        shutil.rmtree(path)
    return [path.name for path in old]


def remove(published: Path, names: Collection[str]) -> None:
    """Remove versions whatever they are; the newest that stays, if any does, becomes current."""
    kept = [path for path in versions(published) if path.name not in names]
    now = published / "current"
    if now.is_symlink() and now.readlink().name in names:
        if kept:
            _link(now, Path("versions") / kept[0].name)
        else:
            now.unlink()
    link_stable_names(published)
    for path in versions(published):
        if path.name in names:
            shutil.rmtree(path)
    _sync(published)


def _link(link: Path, target: Path) -> None:
    """Point a link at its target in one step."""
    temporary = link.with_name(f".{link.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)


def _sync(path: Path) -> None:
    """Have the disk hold a file or folder before anything points at it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
