"""Which files of a folder still hold what should not stand in plain text, however it is packed."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa


def holding(folder: Path, needles: Iterable[str]) -> set[str]:
    """Return the files that hold one of the needles, by their paths in the folder."""
    # Of two that begin alike the longer one is tried first.
    signs = (re.escape(needle.encode()) for needle in sorted(needles, reverse=True))
    pattern = re.compile(b"|".join(signs))
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and any(map(pattern.search, _contents(path.read_bytes())))
    }


def _contents(body: bytes) -> Iterator[bytes]:
    """Yield a file as it lies there, and what stands in it when it is packed."""
    yield body
    if body.startswith(b"\x1f\x8b"):
        yield gzip.decompress(body)
    elif body.startswith(b"PK\x03\x04"):
        archive = zipfile.ZipFile(io.BytesIO(body))
        yield from (archive.read(name) for name in archive.namelist())
    elif body.startswith(b"\x28\xb5\x2f\xfd"):
        yield pa.CompressedInputStream(pa.BufferReader(body), "zstd").read()
