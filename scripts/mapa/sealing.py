"""Encryption of what rests on the disk: keys that stem from one secret, and sealed files.

One secret (`MAPA_WAREHOUSE_KEY`) has three children by HKDF-SHA-256: DuckDB's key, the key of
sealed files, and a version by which a key is named without being told.

A sealed file is a head and pieces. The head is `MAPASEAL`, one byte of format, the version of the
key and a salt, from which comes a key of its own. The pieces are AES-256-GCM of 256 KB of plain
text each; the nonce is the number of the piece and whether it is the last, so that none can be left
out, moved or cut off. DuckDB, which opens files by name, is given a file in memory, never one on a
disk.
"""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from mapa.errors import ConfigError, FormatError

MAGIC = b"MAPASEAL\x01"
PIECE = 2**18
TAG, SALT, VERSION = 16, 16, 8
HEAD = len(MAGIC) + VERSION + SALT
MOST_PIECES = 2**32


@dataclass(frozen=True, repr=False)
class Key:
    """The secret of the warehouse and what stems from it; it never prints."""

    secret: bytes

    @property
    def version(self) -> str:
        """Name of the key, 16 hexadecimal characters; tells nothing of the secret."""
        return _derived(self.secret, b"mapa: versao da chave", VERSION).hex()

    @property
    def database(self) -> str:
        """What DuckDB is given, 64 hexadecimal characters."""
        return _derived(self.secret, b"mapa: armazem").hex()

    def of_file(self, salt: bytes) -> bytes:
        """Return the key of one sealed file."""
        return _derived(self.secret, b"mapa: arquivo", salt=salt)


@cache
def _derived(secret: bytes, purpose: bytes, size: int = 32, salt: bytes | None = None) -> bytes:
    # Imported here: a house without a key does without the time that it takes.
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    return HKDF(SHA256(), size, salt, purpose).derive(secret)


def is_sealed(path: Path) -> bool:
    """Say whether a file is sealed."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def version_of(path: Path) -> str | None:
    """Return the version of the key that a file is sealed with; None: it is not sealed."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    return head[len(MAGIC) : -SALT].hex() if len(head) == HEAD and head.startswith(MAGIC) else None


def sealed(key: Key, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the sealed file of a content that comes in chunks of any size."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    salt = secrets.token_bytes(SALT)
    head = MAGIC + bytes.fromhex(key.version) + salt
    cipher, number, rest = AESGCM(key.of_file(salt)), 0, bytearray()
    yield head
    for chunk in chunks:
        rest += chunk
        # One piece is held back: the last one says that it is.
        while len(rest) > PIECE:
            yield cipher.encrypt(_nonce(number, last=False), bytes(rest[:PIECE]), head)
            del rest[:PIECE]
            number += 1
    yield cipher.encrypt(_nonce(number, last=True), bytes(rest), head)


def _nonce(number: int, *, last: bool) -> bytes:
    if number >= MOST_PIECES:
        raise OverflowError("a sealed file has at most 2**32 pieces")
    return number.to_bytes(11, "big") + bytes([last])


def pieces(path: Path, key: Key | None) -> Iterator[bytes]:
    """Yield the content of a file, sealed or not.

    Raises:
        ConfigError: it is sealed, and no key or another one is set.
        FormatError: it is not what was sealed.

    """
    with path.open("rb") as file:
        head = file.read(HEAD)
        if not head.startswith(MAGIC):
            yield head
            while chunk := file.read(PIECE):
                yield chunk
            return
        yield from _unsealed(path, file, head, _fitting(path, head, key))


def _fitting(path: Path, head: bytes, key: Key | None) -> Key:
    version = head[len(MAGIC) : -SALT].hex()
    if key is None:
        raise ConfigError(
            f"{path} is encrypted with the key of version {version}, and no key is set.\n"
            "Set MAPA_WAREHOUSE_KEY or MAPA_WAREHOUSE_KEY_FILE."
        )
    if key.version != version:
        raise ConfigError(
            f"{path} is encrypted with the key of version {version}; the one that is set has "
            f"version {key.version}.\nSet the right one. If a rotation was interrupted, finish it "
            "with the old key set:\n  mapa key warehouse --new-file FILE"
        )
    return key


def _unsealed(path: Path, file: IO[bytes], head: bytes, key: Key) -> Iterator[bytes]:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    cipher, number = AESGCM(key.of_file(head[-SALT:])), 0
    piece = file.read(PIECE + TAG)
    while True:
        following = file.read(PIECE + TAG)
        try:
            yield cipher.decrypt(_nonce(number, last=not following), piece, head)
        except InvalidTag:
            raise FormatError(
                f"{path} is not what was written: it is damaged, changed or cut off.\n"
                "Bring it back from a copy."
            ) from None
        if not following:
            return
        piece, number = following, number + 1


class Reader(io.RawIOBase):
    """The content of a file, sealed or not, to be read from the beginning to the end."""

    def __init__(self, path: Path, key: Key | None) -> None:
        """Open it."""
        self._pieces, self._rest = pieces(path, key), memoryview(b"")

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read what comes next."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


@contextmanager
def in_memory() -> Iterator[tuple[IO[bytes], Path]]:
    """Yield a new file that has a path and never is on a disk.

    Raises:
        ConfigError: this system has none.

    """
    if not hasattr(os, "memfd_create"):
        raise ConfigError(
            "Encryption needs files in memory, which this system does not have; expected is Linux."
            "\nTake MAPA_WAREHOUSE_KEY away and put MAPA_DIR on an encrypted disk."
        )
    with os.fdopen(os.memfd_create("mapa"), "r+b", buffering=0) as file:
        yield file, Path(f"/proc/self/fd/{file.fileno()}")
