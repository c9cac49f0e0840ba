"""Landing: every byte received, kept as evidence before it is read.

`landing/<source>/<load id>/` holds the files of one load and, at the end, `carga.json`, which names
them with size and SHA-256. A file appears under its name only when it is whole and on disk.

A page of records of which each was identical to what was known brings nothing that a replay needs
but their number. Night after night most pages are such, so they are taken out after a while: their
line in `carga.json` stays, and `retiradas.ndjson` says when they were taken out.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from mapa.errors import DiskError

PREPARED, SEALED = "carga.preparada.json", "carga.json"
TRACE, UNCHANGED = "retiradas.ndjson", "iguais"
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


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
        chunks = [body] if isinstance(body, bytes) else body
        digest, size = hashlib.sha256(), 0
        with disk(self.root):
            self._make()
            final, part = self.path / name, self.path / f"{name}.part"
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            with os.fdopen(os.open(part, flags, 0o600), "wb") as file:
                for chunk in chunks:
                    file.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
                file.flush()
                os.fsync(file.fileno())
            part.replace(final)
            self._sync_folder()
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
            self._sync_folder()

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
            self._sync_folder()

    def adopt(self, path: Path) -> Landed:
        """Count a file of this folder that an interrupted load had received."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        name = f"{self.source}/{self.load_id}/{path.name}"
        landed = Landed(path, name, path.stat().st_size, digest)
        self.files.append(landed)
        return landed

    def _sync_folder(self) -> None:
        handle = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

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
            content = orjson.loads(note.read_bytes())
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
