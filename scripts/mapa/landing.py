"""Landing: every byte received, kept as evidence before it is read.

`landing/<source>/<load id>/` holds the files of one load and, at the end, `carga.json`, which names
them with size and SHA-256. A file appears under its name only when it is whole and on disk.

A page of records of which each was identical to what was known brings nothing that a replay needs
but their number. Night after night most pages are such, so they are taken out after a while: their
line in `carga.json` stays, and `retiradas.ndjson` says when they were taken out.

With a key (`Settings.warehouse_key`) every file is sealed (`sealing`) under the name that it would
have had; sizes and checksums are those of what was received. `read` and `pieces` give that back.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from mapa import sealing
from mapa.errors import ConfigError, DiskError
from mapa.settings import Settings

PREPARED, SEALED = "carga.preparada.json", "carga.json"
TRACE, UNCHANGED = "retiradas.ndjson", "iguais"
JOURNAL = "destruicao.json"
"""What a destruction has still to do."""
PART = ".part"
"""End of the name of what is not whole yet."""
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def read(path: Path) -> bytes:
    """Return what was received as a file.

    Raises:
        ConfigError: it is encrypted, and the key is not set or another one.
        FormatError: it is not what was written.

    """
    return b"".join(pieces(path))


def pieces(path: Path) -> Iterator[bytes]:
    """Yield what was received as a file piece by piece; raises what `read` does."""
    key = Settings.load().warehouse_key() if sealing.is_sealed(path) else None
    return sealing.pieces(path, key)


def opened(path: Path) -> io.BufferedReader:
    """Open what was received as a file, to be read from its beginning; raises what `read` does."""
    key = Settings.load().warehouse_key() if sealing.is_sealed(path) else None
    return io.BufferedReader(sealing.Reader(path, key), sealing.PIECE)


@contextmanager
def plain(path: Path) -> Iterator[Path]:
    """Give a path at which DuckDB reads what was received: a sealed file is unsealed in memory.

    Raises:
        ConfigError, FormatError: as `read`; or this system has no files in memory.

    """
    if not sealing.is_sealed(path):
        yield path
        return
    with sealing.in_memory() as (file, name):
        for piece in pieces(path):
            file.write(piece)
        yield name


def reseal(path: Path, old: sealing.Key | None, new: sealing.Key | None) -> None:
    """Write a file anew under another key, or under none, in one step; its time stays.

    Raises:
        ConfigError, FormatError: as `read`.
        DiskError: there is no room or no permission.

    """
    times = path.stat()
    content = sealing.pieces(path, old)
    with disk(path.parent):
        part = _write(path, sealing.sealed(new, content) if new else content)
        os.utime(part, ns=(times.st_atime_ns, times.st_mtime_ns))
        part.replace(path)
        sync(path.parent)


def refuse_unfinished(house: Path) -> None:
    """Refuse to load, build or publish while a destruction is under way.

    Raises:
        ConfigError: one was interrupted.

    """
    if (house / JOURNAL).exists():
        raise ConfigError(
            "A destruction was interrupted, so that part of what should be gone is still there.\n"
            "Finish it with\n  mapa destroy --yes"
        )


def write_whole(path: Path, content: bytes) -> None:
    """Write a file of ours, not encrypted, in one step."""
    _write(path, [content]).replace(path)
    sync(path.parent)


def _write(path: Path, chunks: Iterable[bytes]) -> Path:
    """Write a file under another name beside it, force it to disk and return that name."""
    part = path.with_name(f"{path.name}{PART}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(part, flags, 0o600), "wb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return part


def sync(path: Path) -> None:
    """Have the disk hold a file, or the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@dataclass(frozen=True)
class Landed:
    """One file on disk: `name` is relative to the landing folder."""

    path: Path
    name: str
    size: int
    sha256: str


@dataclass
class Folder:
    """The landing folder of one load, created when first written to."""

    root: Path
    source: str
    load_id: str
    files: list[Landed] = field(default_factory=list)
    synthetic: bool = False
    """Whether a file of it says that it is simulated."""
    unchanged: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Files that brought nothing new, and what is kept of them."""

    @property
    def path(self) -> Path:
        """Where the files of this load are."""
        return self.root / self.source / self.load_id

    @cached_property
    def _key(self) -> sealing.Key | None:
        return Settings.load().warehouse_key()

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return sum(file.size for file in self.files)

    @property
    def sha256(self) -> str:
        """Checksum of the file if there is one, else of the checksums in order."""
        if len(self.files) == 1:
            return self.files[0].sha256
        return hashlib.sha256("".join(file.sha256 for file in self.files).encode()).hexdigest()

    def write(self, name: str, body: bytes | Iterable[bytes]) -> Landed:
        """Write one file, force it to disk and return its checksum.

        Raises:
            DiskError: there is no room or no permission.

        """
        digest, size = hashlib.sha256(), 0
        key = self._key

        def watched() -> Iterator[bytes]:
            nonlocal size
            for chunk in [body] if isinstance(body, bytes) else body:
                digest.update(chunk)
                size += len(chunk)
                yield chunk

        with disk(self.root):
            self._make()
            final = self.path / name
            part = _write(final, sealing.sealed(key, watched()) if key else watched())
            part.replace(final)
            sync(self.path)
        landed = Landed(final, f"{self.source}/{self.load_id}/{name}", size, digest.hexdigest())
        self.files.append(landed)
        return landed

    def prepare(self, note: dict[str, Any]) -> None:
        """Write what `seal` makes the `carga.json` once the load is committed."""
        files = [
            {"nome": file.path.name, "bytes": file.size, "sha256": file.sha256}
            | ({UNCHANGED: kept} if (kept := self.unchanged.get(file.path.name)) else {})
            for file in self.files
        ]
        self.note(PREPARED, note | {"arquivos": files})

    def seal(self) -> None:
        """Make the prepared note the `carga.json`: from now on this folder is a complete load."""
        with disk(self.root):
            (self.path / PREPARED).replace(self.path / SEALED)
            sync(self.path)

    def note(self, name: str, content: dict[str, Any]) -> None:
        """Write a note of ours as JSON; it is no file that was received."""
        self.write(name, orjson.dumps(content, option=orjson.OPT_INDENT_2))
        self.files.pop()

    def recall(self, file: dict[str, Any]) -> Landed:
        """Count a file that was taken out, by its line in `carga.json`."""
        name = f"{self.source}/{self.load_id}/{file['nome']}"
        landed = Landed(self.path / file["nome"], name, file["bytes"], file["sha256"])
        self.files.append(landed)
        return landed

    def take_over(self, old: Path) -> None:
        """Become the folder of an interrupted load; its files count once they are adopted."""
        with disk(self.root):
            old.replace(self.path)
            sync(self.path)

    def adopt(self, path: Path) -> Landed:
        """Count a file of this folder that an interrupted load had received."""
        digest, size = hashlib.sha256(), 0
        for piece in pieces(path):
            digest.update(piece)
            size += len(piece)
        name = f"{self.source}/{self.load_id}/{path.name}"
        landed = Landed(path, name, size, digest.hexdigest())
        self.files.append(landed)
        return landed

    def _make(self) -> None:
        for path in (self.root, self.root / self.source, self.path):
            path.mkdir(mode=0o700, exist_ok=True)


def take_out_unchanged(root: Path, source: str, before: datetime) -> int:
    """Take the unchanged files out of complete loads that began before an instant (naive UTC).

    The trace is on disk before anything is gone; interrupted, the next call goes on.

    Returns:
        How many bytes that were.

    """
    total = 0
    for note in sorted((root / source).glob(f"*/{SEALED}")):
        try:
            content = orjson.loads(read(note))
            if datetime.fromisoformat(content["iniciada_em"]) > before:
                continue
        except (OSError, KeyError, TypeError, ValueError):
            # A damaged note, or one of an older version, is for the replay to tell of.
            continue
        found = [
            note.parent / file["nome"]
            for file in content["arquivos"]
            if UNCHANGED in file and (note.parent / file["nome"]).exists()
        ]
        if not found:
            continue
        size = sum(path.stat().st_size for path in found)
        trace = {
            "retiradas_em": datetime.now(UTC).replace(tzinfo=None),
            "fonte": source,
            "carga_id": note.parent.name,
            "paginas": len(found),
            "bytes": size,
        }
        with disk(root):
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            with os.fdopen(os.open(root / TRACE, flags, 0o600), "ab") as file:
                file.write(orjson.dumps(trace, option=orjson.OPT_APPEND_NEWLINE))
                file.flush()
                os.fsync(file.fileno())
            for path in found:
                path.unlink()
        total += size
    return total


@contextmanager
def disk(path: Path) -> Iterator[None]:
    """Turn a failing disk into one clear error.

    Raises:
        DiskError: no room, or no permission to write.

    """
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise DiskError(
                f"{path}: no room left on the disk. Free some space, then try again."
            ) from None
        raise DiskError(
            f"{path}: cannot be written ({error.strerror}). Check the folder and its permissions."
        ) from None
