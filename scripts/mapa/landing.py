"""Landing: every byte received, kept as evidence before it is read.

`landing/<source>/<load id>/` holds the files of one load and, at the end, `carga.json`, which names
them with size and SHA-256. A file appears under its name only when it is whole and on disk.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from mapa.errors import DiskError

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

    def finish(self, note: dict[str, Any]) -> None:
        """Write `carga.json`: what was asked and which files answered, enough to replay."""
        files = [
            {"nome": file.path.name, "bytes": file.size, "sha256": file.sha256}
            for file in self.files
        ]
        text = orjson.dumps(note | {"arquivos": files}, option=orjson.OPT_INDENT_2)
        self.write("carga.json", text)
        self.files.pop()

    def _sync_folder(self) -> None:
        handle = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _make(self) -> None:
        for path in (self.root, self.root / self.source, self.path):
            path.mkdir(mode=0o700, exist_ok=True)


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
