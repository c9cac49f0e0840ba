"""How what is simulated is recognised as such, wherever it comes in; nobody has to say so.

Three signs, any of which is enough: the simulator's servers set a header on every answer, it leaves
a hidden marker beside its files, and its operators bear a name that stands in its schedules,
bookings and establishments, so that a file moved elsewhere still tells. Real sources have none of
them. Each load notes what it found in `controle.cargas.eh_sintetica`, and one such load makes all
that is built from it synthetic.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

HEADER = "x-mapa-dados-sinteticos"
"""Header of every answer of the simulator's servers."""
MARKER = ".dados_sinteticos"
"""Name of the empty file beside the files that the simulator writes; it also tells in a zip."""
OPERATOR = "OPERADOR FICTICIO"
"""Name of whoever typed anything in the synthetic city: ASCII, the same in every encoding."""


def mark(folder: Path) -> None:
    """Leave the marker in a folder that is about to receive simulated files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).touch()


def is_marked(path: Path) -> bool:
    """Say whether the marker stands beside a file, or anywhere in the zip that it is."""
    if (path.parent / MARKER).exists():
        return True
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(PurePosixPath(name).name == MARKER for name in archive.namelist())


class Watch:
    """Looks through a stream for the name of the city's operators."""

    def __init__(self) -> None:
        """Have seen nothing yet."""
        self.found = False

    def over(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the chunks as they are; a name cut in two by their border is seen as well."""
        name, rest = OPERATOR.encode(), b""
        for chunk in chunks:
            window = rest + chunk
            self.found = self.found or name in window
            rest = window[1 - len(name) :]
            yield chunk
