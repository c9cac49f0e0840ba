"""A delivery: its load, its folder in landing and its seal; and whether a file brings anything.

Content that was loaded before may be a return to it: of file A, then B, then A's bytes again the
third is a change, because B is what holds. So only what equals the newest content of its layout
(and scope) is skipped. A folder that is loaded each night would then undo and redo its own history,
for A and B both stand in it; so a file that stands where it stood, not written to since it was
loaded, is no delivery. A file that is named alone always is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from mapa import audit, clocks, landing, warehouse
from mapa.audit import Load, Watched
from mapa.landing import Folder
from mapa.load import resume, seen
from mapa.settings import Settings

SKIPPED = "already loaded, skipped"


@dataclass(frozen=True)
class Delivery:
    """One content of one file, as it is delivered now.

    Attributes:
        entity: its layout.
        sha256: checksum of the content, and of what else decides how it is read.
        path: the file; for a member of a zip, the zip.
        scope: of what it is when it does not say so itself.
        alone: it was named by itself, rather than found in a folder, a zip or a list.

    """

    entity: str
    sha256: str
    path: Path
    scope: str = ""
    alone: bool = False

    @property
    def mark(self) -> str:
        """Which file it is and when it was last modified; says nothing of the path itself."""
        where = hashlib.sha256(str(self.path.resolve()).encode(errors="surrogateescape"))
        modified = datetime.fromtimestamp(self.path.stat().st_mtime, UTC)
        return f"{where.hexdigest()[:16]} {modified:%Y-%m-%dT%H:%M:%S.%f}Z"

    def is_known(self, con: duckdb.DuckDBPyConnection, seen_on: date | None = None) -> bool:
        """Say whether loading it would bring nothing.

        The same content seen again on a later day may undo what came between.
        """
        before = seen.newest_day(con, "sha256", self.sha256, self.scope)
        if not before or (seen_on and seen_on > before):
            return False
        return self._is_newest(con) or (not self.alone and self._stands(con))

    def _is_newest(self, con: duckdb.DuckDBPyConnection) -> bool:
        row = con.execute(
            "select arg_max(sha256, ordem) from controle.cargas where entidade = $1 "
            "and resultado = 'completa' and ($2 = '' or coalesce(escopo, $2) = $2)",
            [self.entity, self.scope],
        ).fetchone()
        return bool(row and row[0] == self.sha256)

    def _stands(self, con: duckdb.DuckDBPyConnection) -> bool:
        """Say whether this very file was loaded and nothing was written to its place since.

        Loads of before files were told apart count as this file.
        """
        row = con.execute(
            """
            select count(*) from controle.cargas as a
            where a.entidade = $1 and a.sha256 = $2 and a.resultado = 'completa'
                and ($3 = '' or coalesce(a.escopo, $3) = $3)
                and (a.entrega is null or a.entrega = $4)
                and not exists (
                    select 1 from controle.cargas as b
                    where b.ordem > a.ordem and b.resultado = 'completa'
                        and split_part(b.entrega, ' ', 1) = split_part($4, ' ', 1)
                        and b.entrega <> $4
                )
            """,
            [self.entity, self.sha256, self.scope, self.mark],
        ).fetchone()
        return bool(row and row[0])


@dataclass
class Receipt:
    """What one load receives: its row in the audit, its folder, and what a replay must know."""

    load: Load
    folder: Folder
    note: dict[str, Any] = field(default_factory=dict)


@contextmanager
def house(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse for loads: our clock is believed, and what was committed is sealed.

    Raises:
        ConfigError: our clock has gone back, or a destruction was interrupted.

    """
    landing.refuse_unfinished(settings.mapa_dir)
    with warehouse.connect(settings.warehouse) as con:
        clocks.refuse_ours(con, settings)
        resume.seal_committed(con, settings.landing)
        yield con


@contextmanager
def receiving(
    con: duckdb.DuckDBPyConnection,
    root: Path,
    what: tuple[str, str, str],
    *,
    found: Delivery | None = None,
    door: Watched | None = None,
) -> Iterator[Receipt]:
    """Run one load of one delivery as one transaction, and seal its folder once it is committed.

    What lands stays as evidence, whatever happens; only a sealed folder is a complete load.

    Args:
        con: the warehouse.
        root: of landing.
        what: source, entity and origin.
        found: the content, when it is that of a file.
        door: through which it comes, when it is asked for.

    """
    with audit.recording(con, *what) as load:
        folder = Folder(root, load.source, load.id)
        load.watch(folder, door)
        if found:
            load.sha256, load.scope, load.delivery = found.sha256, found.scope, found.mark
        receipt = Receipt(load, folder)
        yield receipt
        folder.prepare(load.note() | receipt.note)
    folder.seal()
