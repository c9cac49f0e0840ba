"""Large bodies in bounded memory: gzip streams unpacked, and what they leave behind given back."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator

from isal import igzip, igzip_lib, isal_zlib

MAGIC = b"\x1f\x8b"
PIECE = 2**18
MAX_PLAIN = 128 * 2**20
"""No answer unpacks to more: a page of 10,000 documents needs less than half of it."""


class DamagedError(Exception):
    """Bytes that are not what they claim to be, or would unpack to too much."""


def is_gzip(data: bytes) -> bool:
    """Say whether these bytes claim to be a gzip stream."""
    return data.startswith(MAGIC)


def pack(data: bytes) -> bytes:
    """Return a gzip stream of these bytes; the same bytes give the same stream."""
    stream: bytes = igzip.compress(data, mtime=0)
    return stream


def packed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a gzip stream of what comes piece by piece."""
    packer = isal_zlib.compressobj(wbits=31)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def pieces(data: bytes) -> Iterator[bytes]:
    """Yield the content of one gzip stream piece by piece, so that it is never whole in memory.

    Raises:
        DamagedError: it is damaged, cut off, or larger than `MAX_PLAIN`.

    """
    unpacker = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    size = 0
    while not unpacker.eof:
        try:
            piece: bytes = unpacker.decompress(b"" if size else data, PIECE)
        except igzip_lib.IsalError:  # type: ignore[misc]
            raise DamagedError from None
        size += len(piece)
        if size > MAX_PLAIN or (not piece and not unpacker.eof):
            raise DamagedError
        yield piece
    if unpacker.unused_data:
        raise DamagedError


def unpack(data: bytes) -> bytes:
    """Return the content of one gzip stream.

    Raises:
        DamagedError: as of `pieces`.

    """
    return b"".join(pieces(data))


def release_memory() -> None:
    """Give freed memory back to the system.

    glibc keeps what pages of megabytes leave behind, so that a long load would seem to grow. Where
    there is no such function there is no such habit.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
