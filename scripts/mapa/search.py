"""Whether numbers of persons stand in a file, plain or packed: CPF and CNS, dotted or not.

What is looked for is known by a keyed mark of eight bytes, so that no list of numbers exists.
"""

from __future__ import annotations

import gzip
import hmac
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from mapa import landing
from mapa.sealing import PIECE

WHOLE = r"\s*([0-9]{11}|[0-9]{15}|[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}|[0-9]{3}( [0-9]{4}){3})\s*"
"""A cell that is such a number and nothing else, for DuckDB."""
NUMBER = re.compile(
    rb"(?<![0-9])(?:[0-9]{15}|[0-9]{11}|[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}"
    rb"|[0-9]{3}(?: [0-9]{4}){3})(?![0-9])"
)
LONGEST = 19
MARK = 8
GZIP, ZIP, ZSTD = b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd"
DAMAGE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)
Marker = Callable[[bytes], bytes]


def marker(key: bytes) -> Marker:
    """Return what marks a number: digits in, eight bytes out."""
    return lambda digits: hmac.digest(key, b"marca:" + digits, "sha256")[:MARK]


def read_marks(path: Path) -> set[bytes]:
    """Return marks that were written one after the other."""
    body = path.read_bytes()
    return {body[at : at + MARK] for at in range(0, len(body), MARK)}


def found(path: Path, marks: set[bytes], mark: Marker) -> set[bytes]:
    """Return which of the marked numbers are in a file, unsealed and unpacked where it is."""
    seen = set[bytes]()
    # As it lies on the disk, and as it is read.
    with path.open("rb") as plain:
        seen |= _marks_in(plain, mark) & marks
    with landing.opened(path) as content:
        for part in _unpacked(content):
            seen |= _marks_in(part, mark) & marks
    return seen


def _marks_in(file: IO[bytes], mark: Marker) -> set[bytes]:
    numbers, rest = set[bytes](), b""
    while chunk := file.read(PIECE):
        window = rest + chunk
        numbers.update(NUMBER.findall(window))
        rest = window[-LONGEST - 1 :]
    return {mark(re.sub(rb"[^0-9]", b"", number)) for number in numbers}


def _unpacked(content: io.BufferedReader) -> Iterator[IO[bytes]]:
    """Yield the content of what is packed; a damaged one as far as it goes is none."""
    head = content.peek(len(ZIP))
    try:
        if head.startswith(GZIP):
            with gzip.open(content, "rb") as file:
                yield cast(IO[bytes], file)
        elif head.startswith(ZSTD):
            yield pa.CompressedInputStream(pa.PythonFile(content, "r"), "zstd")
        elif head.startswith(ZIP):
            with zipfile.ZipFile(io.BytesIO(content.read())) as archive:
                for name in archive.namelist():
                    with archive.open(name) as member:
                        yield member
        else:
            yield content
    except DAMAGE:
        return
