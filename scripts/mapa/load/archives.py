"""Bytes of an export wherever they are: in a file, in a gzip file, or in a member of a zip.

An archive comes from outside and is not trusted: a member whose path leads out of its folder, a
link, an encrypted member or an archive inside an archive refuses the whole archive, and nothing is
unpacked beyond a limit, whatever the archive declares about itself.
"""

from __future__ import annotations

import gzip
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from mapa import landing, sealing
from mapa.errors import FormatError, visible

CHUNK = 2**20
GZIP, ZIP = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")
MOST_MEMBERS = 1000
MOST_RATIO = 200
"""Text of exports packs 10 to 40 times; what packs far better was made to fill the disk."""
HARMLESS = 8 * 2**20
"""Up to this size the ratio is not looked at: a few rows that are alike pack well, too."""
UNLIMITED = 2**62
SPREADSHEET = {"[Content_Types].xml", "content.xml"}
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
DAMAGE = (
    zipfile.BadZipFile, zipfile.LargeZipFile, gzip.BadGzipFile, zlib.error, EOFError,
    NotImplementedError,
)  # fmt: skip


@dataclass(frozen=True)
class Export:
    """One export that can be read as a stream of bytes, any number of times.

    Attributes:
        path: the file.
        member: name of the member when the file is a zip.
        most: bytes that it may unpack to.

    """

    path: Path
    member: str = ""
    most: int = UNLIMITED

    @property
    def title(self) -> str:
        """Return the name of the file itself, without folders and without anything unsafe."""
        name = PurePosixPath(self.member).name if self.member else self.path.name
        return re.sub(r"[^\w. ()\[\]-]", "_", name)

    @property
    def name(self) -> str:
        """Return the name to call it by in messages; what is no text in it becomes `?`.

        Old file shares hold names in windows-1252, which no database takes.
        """
        file = visible(self.path.name.encode(errors="replace").decode())
        return f"{file}/{self.title}" if self.member else file

    def chunks(self) -> Iterator[bytes]:
        """Yield the content, unpacked.

        Raises:
            FormatError: it is damaged, or unpacks to more than it may.

        """
        try:
            with _opened(self) as (file, packed):
                size = 0
                while chunk := file.read(CHUNK):
                    size += len(chunk)
                    self._check(size, packed)
                    yield chunk
        except DAMAGE:
            raise _damaged(self.name) from None
        except OSError as error:
            raise _unreadable(self, error) from None

    def _check(self, size: int, packed: int | None) -> None:
        """Refuse a size, declared or read, that is over the limit or out of all proportion."""
        if size > self.most and packed is not None:
            raise FormatError(
                f"{self.name} unpacks to more than {self.most // 2**20} MB; nothing was loaded.\n"
                "If it is really that large, raise MAPA_MAX_UNPACKED_MB or unpack it yourself."
            )
        if self.most == UNLIMITED:
            # What is in landing has been judged when it came, and was packed by us.
            return
        if packed is not None and size > max(HARMLESS, packed * MOST_RATIO):
            raise FormatError(
                f"{self.name} unpacks to more than {MOST_RATIO} times its size, which no export "
                "does; nothing was loaded.\nIf you know where it comes from, unpack it yourself."
            )


def exports_in(paths: Iterable[Path], most: int) -> Iterator[Export]:
    """Yield the exports of files, folders and zips; of the latter two in the order of names.

    Names carry the dates of the exports, so that their order is the order of time.

    Raises:
        FormatError: a zip is damaged, unsafe or empty, or a path is no file.

    """
    for path in files_in(paths):
        refuse_no_file(path)
        try:
            begins = _begins(path)
        except OSError as error:
            raise _unreadable(Export(path), error) from None
        if sealing.is_sealed(path):
            refuse_sealed_zip(path)
        if begins.startswith(ZIP):
            yield from _members(path, most)
        else:
            yield Export(path, most=most)


def refuse_sealed_zip(path: Path) -> None:
    """Refuse a zip that this house has encrypted: members are read from a disk.

    Raises:
        FormatError: it is one.

    """
    with landing.opened(path) as content:
        if content.peek(4).startswith(ZIP):
            raise FormatError(
                f"{Export(path).name} is a zip that this house has encrypted; nothing was loaded."
                f"\nGive it back its content first, with\n  mapa key cat {path} > FILE.zip"
            )


def files_in(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield files; a folder stands for the files in it that are not hidden, in order."""
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.iterdir() if p.is_file() and p.name[0] != ".")
        else:
            yield path


def refuse_no_file(path: Path) -> None:
    """Refuse a pipe, a socket or a device, which would be waited for or never end.

    Raises:
        FormatError: it is one.

    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise _unreadable(Export(path), error) from None
    if not stat.S_ISREG(mode):
        raise FormatError(
            f"{Export(path).name} is a pipe, a socket or a device; nothing was loaded.\n"
            "Expected is a file. Write what comes from it to a file first, then load that."
        )


def _members(path: Path, most: int) -> Iterator[Export]:
    """Yield the members of a zip, after a look at what it declares about all of them."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    except (*DAMAGE, UnicodeDecodeError):
        raise _damaged(path.name) from None
    names = {entry.filename for entry in entries}
    if SPREADSHEET & names:
        raise FormatError(
            f"{path.name} is a spreadsheet, not a text file.\nSave it as CSV in UTF-8, all cells "
            "as text, or better: export it from the source again."
        )
    doubled = ["two files of the same name"] if len(names) < len(entries) else []
    for problem in [*doubled, *map(_unsafe, entries)]:
        if problem:
            raise FormatError(
                f"{path.name} holds {problem}; nothing was loaded.\n"
                "Ask who sent it, and load the exports unpacked."
            )
    if len(entries) > MOST_MEMBERS:
        raise FormatError(
            f"{path.name} holds {len(entries)} files; expected at most {MOST_MEMBERS}.\n"
            "Split it into several archives."
        )
    Export(path, most=most)._check(sum(e.file_size for e in entries), path.stat().st_size)
    exports = [Export(path, e.filename, most) for e in entries if not _is_litter(e.filename)]
    if not exports:
        raise FormatError(
            f"{path.name} holds no file: the export failed. Nothing was loaded.\n"
            "Expected is at least one export. Pack it again."
        )
    yield from sorted(exports, key=lambda export: export.member)


def _damaged(name: str) -> FormatError:
    return FormatError(
        f"{name}: the archive is damaged or cut off; nothing was loaded.\n"
        "Expected is a whole gz or zip. Copy or export it again, then load it again."
    )


def _unreadable(export: Export, error: OSError) -> FormatError:
    """Return the error for a file that the system does not let us read."""
    return FormatError(
        f"{export.name} cannot be read ({error.strerror}); nothing was loaded.\n"
        "Expected is a file that this user may read: check its permissions and its disk."
    )


def _unsafe(entry: zipfile.ZipInfo) -> str:
    """Return what is wrong with a member, nothing if it may be read."""
    name = entry.filename.replace("\\", "/")
    if name.startswith("/") or ".." in name.split("/") or re.match(r"[A-Za-z]:", name):
        return "a path that leads out of its folder"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "a link"
    if entry.flag_bits & 1:
        return "an encrypted file"
    if entry.compress_type not in METHODS:
        return "a file packed in an uncommon way (expected: stored or deflated)"
    return ""


def _is_litter(name: str) -> bool:
    """Say whether a member is what an operating system adds on its own."""
    return name.startswith("__MACOSX/") or PurePosixPath(name).name.startswith(".")


@contextmanager
def _opened(export: Export) -> Iterator[tuple[IO[bytes] | gzip.GzipFile, int | None]]:
    """Open an export for reading; the number is its packed size, None when it is not packed.

    Raises:
        FormatError: it is an archive inside an archive.

    """
    if export.member:
        with zipfile.ZipFile(export.path) as archive:
            entry = archive.getinfo(export.member)
            with archive.open(entry) as probe:
                if probe.read(4).startswith((GZIP, *ZIP)):
                    raise FormatError(
                        f"{export.name} is an archive inside an archive; nothing was loaded.\n"
                        "Unpack the outer one first."
                    )
            with archive.open(entry) as file:
                yield file, entry.compress_size
    elif sealing.is_sealed(export.path):
        # Of ours: its size says nothing of how well its content packs, which was judged before.
        with landing.opened(export.path) as content:
            if content.peek(len(GZIP)).startswith(GZIP):
                with gzip.open(content, "rb") as file:
                    yield file, None
            else:
                yield content, None
    elif _begins(export.path).startswith(GZIP):
        with gzip.open(export.path, "rb") as file:
            yield file, export.path.stat().st_size
    else:
        with export.path.open("rb") as file:
            yield file, None


def _begins(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)
