"""The one place that writes the `controle` tables: what was loaded, refused, unknown, vanished.

`recording` is one load and one transaction: data, watermark and audit row are committed together or
not at all. A load that fails leaves only its own row, which says so.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn, Protocol

import duckdb
import pyarrow as pa

from mapa import __version__, clocks, warehouse
from mapa.errors import FewerError, FormatError, LayoutError, MapaError, visible
from mapa.landing import Folder
from mapa.load import batches

MOST_NAMED = 20
"""Names that one message tells."""
PRESENCES = """(
    select a.*, c.ordem
    from controle.ausencias as a
    inner join controle.cargas as c using (carga_id)
)"""
"""What vanished and came back, with the number of the load that noticed."""


class Watched(Protocol):
    """A door, which counts its attempts and knows whether a simulator answered."""

    @property
    def retries(self) -> int:
        """Attempts beyond the first, of all requests."""

    @property
    def synthetic(self) -> bool:
        """Whether any answer said that it is simulated."""


@dataclass(frozen=True)
class Tally:
    """What became of the records received; received = loaded + identical + rejected."""

    received: int = 0
    loaded: int = 0
    identical: int = 0
    rejected: int = 0

    def __add__(self, other: Tally) -> Tally:
        """Add two tallies."""
        return Tally(
            self.received + other.received,
            self.loaded + other.loaded,
            self.identical + other.identical,
            self.rejected + other.rejected,
        )

    def check(self) -> None:
        """Fail when a record is unaccounted for; the open transaction is then rolled back.

        Raises:
            FormatError: the counts do not agree.

        """
        fates = self.loaded + self.identical + self.rejected
        if self.received != fates:
            raise FormatError(
                f"Of {self.received} records received {fates} have a known fate; nothing was "
                "loaded.\nThis must not happen: please report it."
            )

    def __str__(self) -> str:
        """Write the equation that a reader can check."""
        return (
            f"{self.received} received = {self.loaded} loaded + {self.identical} identical "
            f"+ {self.rejected} rejected"
        )


@dataclass(frozen=True)
class Summary:
    """What one load did, as one line for a person; `skipped` says why nothing was read."""

    entity: str
    origin: str
    tally: Tally
    notes: tuple[str, ...] = ()
    skipped: str = ""

    def __str__(self) -> str:
        """Write the line."""
        return ": ".join((self.entity, self.origin, self.skipped or self._result()))

    def _result(self) -> str:
        return "; ".join((str(self.tally), *self.notes))


@dataclass(frozen=True)
class Change:
    """What became of a field of the source: its type now, what happened, and details in words."""

    field: str
    kind: str | None
    event: str
    detail: str | None = None


@dataclass
class Load:
    """One load while it runs.

    Attributes:
        con: holds the transaction of this load.
        scratch: reads what was received, because an error would spoil the transaction, and what is
            made inside a transaction takes up room until its end.
        shelf: holds what is compared with, while `scratch` may be in the middle of a file.
        source, entity, origin: which source, what of it, and from where (host or file name).
        id: name of the load in `controle.cargas`, in raw rows and in landing.
        started: UTC, naive, by our clock; also the `_carregado_em` of all its rows.
        order: number of the load; the greatest is the newest, whatever the clocks say.
        since, until: window on the source's clock (naive, local); `until` is exclusive.
        scope: whose records were asked for, empty when there is nothing to choose.
        delivery: which file it was and when last modified, empty when it was none.
        warnings: what an operator must look at although the load is complete.
        finished, version: end and code of the load; in a replay those of the load that is repeated.
        synthetic: whether what came says that it is simulated; None when the load that is repeated
            did not look.

    """

    con: duckdb.DuckDBPyConnection
    source: str
    entity: str
    origin: str
    id: str
    started: datetime
    order: int
    since: datetime | None = None
    until: datetime | None = None
    size: int = 0
    sha256: str = ""
    retries: int = 0
    tally: Tally = Tally()
    notes: list[str] = field(default_factory=list)
    scope: str = ""
    delivery: str = ""
    warnings: list[str] = field(default_factory=list)
    finished: datetime | None = None
    version: str = __version__
    synthetic: bool | None = False
    refused_changes: list[Change] = field(default_factory=list)
    _folder: Folder | None = field(default=None, init=False)
    _door: Watched | None = field(default=None, init=False)
    _retries_before: int = field(default=0, init=False)
    scratch: duckdb.DuckDBPyConnection = field(init=False)
    shelf: duckdb.DuckDBPyConnection = field(init=False)

    def __post_init__(self) -> None:
        """Open the connections beside the one with the transaction."""
        self.scratch, self.shelf = warehouse.cursor(self.con), warehouse.cursor(self.con)

    def close(self) -> None:
        """Close them, and let go of all that is in them."""
        self.scratch.close()
        self.shelf.close()

    def watch(self, folder: Folder, door: Watched | None = None) -> None:
        """Let the audit row say how much came and how often it was asked, even if the load fails.

        The checksum is that of the files, unless the loader sets another one.
        """
        self._folder, self._door = folder, door
        self._retries_before = door.retries if door else 0

    def take_stock(self) -> None:
        """Write down what the watched folder and door say so far."""
        if self._folder and self._folder.files:
            self.size = self._folder.size
            self.sha256 = self.sha256 or self._folder.sha256
        if (self._folder and self._folder.synthetic) or (self._door and self._door.synthetic):
            self.synthetic = True
        if self._door:
            self.retries = self._door.retries - self._retries_before

    def note(self) -> dict[str, Any]:
        """Return what `carga.json` says of any load, so that a replay can repeat it."""
        self.take_stock()
        self.finished = clocks.now()
        return {
            "carga_id": self.id,
            "fonte": self.source,
            "entidade": self.entity,
            "origem": self.origin,
            "janela_inicio": self.since,
            "janela_fim": self.until,
            "iniciada_em": self.started,
            "ordem": self.order,
            "entrega": self.delivery or None,
            "terminada_em": self.finished,
            "novas_tentativas": self.retries,
            "sha256": self.sha256,
            "versao_codigo": self.version,
            "eh_sintetica": self.synthetic,
            "avisos": self.warnings,
        }

    def warn(self, text: str) -> None:
        """Say something of a complete load to the person and in the audit, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def reject(self, file: str, rejected: pa.Table) -> None:
        """Record rejected records: `linha`, `coluna` and `motivo`, never what they say."""
        batches.run(
            self.con,
            "insert into controle.rejeitos select $1, $2, linha, coluna, motivo from batch",
            [self.id, file],
            batch=rejected,
        )

    def report_unknown(
        self, table: str, fields: Iterable[str], kept: str = "_campos_extras"
    ) -> None:
        """Report fields that the layout does not know, each once per table; `kept` says where."""
        added = self.con.execute(
            """
            insert into controle.campos_desconhecidos
            select $1, $2, f.campo, $4 from (select unnest($3) as campo) as f
            where not exists (
                select 1 from controle.campos_desconhecidos as c
                where c.tabela = $2 and c.campo = f.campo
            ) returning campo
            """,
            [self.id, table, sorted(fields), self.started],
        ).fetchall()
        if added:
            names = ", ".join(visible(name) for (name,) in added[:MOST_NAMED])
            more = f" and {len(added) - MOST_NAMED} more" if len(added) > MOST_NAMED else ""
            self.notes.append(f"new fields kept in {kept}: {names}{more}")

    def note_changes(self, changes: Iterable[Change], *, refused: bool = False) -> None:
        """Note what became of fields of the source; `refused` when the load fails because of it."""
        rows = [[c.field, c.kind, c.event, c.detail] for c in changes]
        if rows:
            self.con.execute(
                "insert into controle.campos select $1, $2, $3, unnest($4), unnest($5), "
                "unnest($6), unnest($7), $8, $9",
                [self.id, self.source, self.entity, *map(list, zip(*rows, strict=True)), refused,
                 self.started],
            )  # fmt: skip

    def record_presence(self, table: str, event: str, keys: str) -> int:
        """Record that keys vanished or came back; `keys` selects them. Returns how many."""
        row = self.con.execute(
            f"insert into controle.ausencias select $1, $2, k.chave, $3, $4 from ({keys}) as k",
            [self.id, table, event, self.started],
        ).fetchone()
        return int(row[0]) if row else 0

    def advance(self, until: datetime) -> None:
        """Move the watermark of this source, entity and scope, together with the data."""
        self.con.execute(
            "delete from controle.marcas where fonte = $1 and entidade = $2 and escopo = $3",
            [self.source, self.entity, self.scope],
        )
        self.con.execute(
            "insert into controle.marcas values ($1, $2, $3, $4, $5)",
            [self.source, self.entity, until, self.id, self.scope],
        )

    def summary(self) -> Summary:
        """Return what to tell the person."""
        warnings = (f"WARNING: {text}" for text in self.warnings)
        return Summary(self.entity, self.origin, self.tally, (*self.notes, *warnings))

    def write_row(self, outcome: str, message: str | None = None) -> None:
        """Write the row of `controle.cargas`; counts are unknown unless the load is complete."""
        self.take_stock()
        message = message or "; ".join(self.warnings) or None
        done = outcome == "completa"
        t = self.tally
        known = (t.received, t.loaded, t.identical, t.rejected)
        counts: list[int | None] = [*known] if done else [None] * 4
        self.con.execute(
            f"insert into controle.cargas values ({', '.join('?' * 22)})",
            [
                self.id, self.source, self.entity, self.origin, self.since, self.until,
                self.started, self.finished or clocks.now(), self.size, *counts, self.retries,
                self.sha256 or None, self.version, outcome, message, self.synthetic,
                self.scope or None, self.order, self.delivery or None,
            ],
        )  # fmt: skip


@contextmanager
def recording(
    con: duckdb.DuckDBPyConnection, source: str, entity: str, origin: str
) -> Iterator[Load]:
    """Run one load as one transaction and leave its row, whatever happens."""
    started = clocks.now()
    name = f"{started:%Y%m%dT%H%M%S}-{entity}-{secrets.token_hex(3)}"
    con.begin()
    load = Load(con, source, entity, origin, name, started, _next_number(con))
    try:
        yield load
        load.take_stock()
        warehouse.refuse_keys_beside(con, real=load.synthetic is not True)
        load.write_row("completa")
        con.commit()
    except BaseException as error:
        with suppress(duckdb.Error):
            con.rollback()
        refused = isinstance(error, LayoutError | FormatError | FewerError)
        load.finished = None
        with suppress(duckdb.Error):
            load.write_row("recusada" if refused else "falhou", _safe_message(error))
            load.note_changes(load.refused_changes, refused=True)
        raise
    finally:
        load.close()


def refuse(
    con: duckdb.DuckDBPyConnection, what: tuple[str, str, str], size: int, error: MapaError
) -> NoReturn:
    """Leave the row of a load that failed before it could begin, and raise its error.

    Args:
        con: the warehouse.
        what: source, entity and origin.
        size: bytes received.
        error: why.

    """
    with recording(con, *what) as load:
        load.size = size
        raise error from None
    raise AssertionError("recording swallowed an error")


def watermark(
    con: duckdb.DuckDBPyConnection, source: str, entity: str, scope: str
) -> datetime | None:
    """Return the instant up to which a scope of an entity has been read, on the source's clock."""
    row = con.execute(
        "select max(marca) from controle.marcas where fonte = ? and entidade = ? and escopo = ?",
        [source, entity, scope],
    ).fetchone()
    return row[0] if row else None


def outcome(con: duckdb.DuckDBPyConnection, load_id: str) -> str | None:
    """Return how a load ended; None when it left no row, because it was killed or never ran."""
    row = con.execute(
        "select resultado from controle.cargas where carga_id = ?", [load_id]
    ).fetchone()
    return row[0] if row else None


def newest_load(con: duckdb.DuckDBPyConnection, source: str, entity: str) -> int | None:
    """Return the number of the newest complete load of an entity."""
    row = con.execute(
        "select max(ordem) from controle.cargas "
        "where fonte = ? and entidade = ? and resultado = 'completa'",
        [source, entity],
    ).fetchone()
    return row[0] if row else None


def is_synthetic(con: duckdb.DuckDBPyConnection) -> bool | None:
    """Say whether anything that was loaded is simulated; None when some loads did not look."""
    known = con.execute(
        "select 1 from duckdb_columns() where schema_name = 'controle' and table_name = 'cargas' "
        "and column_name = 'eh_sintetica'"
    ).fetchone()
    if not known:
        return None
    row = con.execute(
        """
        select
            case
                when bool_or(eh_sintetica) then true
                when count(eh_sintetica) = count(*) then false
            end
        from controle.cargas where resultado = 'completa'
        """
    ).fetchone()
    return row[0] if row else None


def _next_number(con: duckdb.DuckDBPyConnection) -> int:
    """Return the number after the greatest; a warehouse has one writer, so nobody else takes it."""
    row = con.execute("select coalesce(max(ordem), 0) + 1 from controle.cargas").fetchone()
    return int(row[0]) if row else 1


def _safe_message(error: BaseException) -> str:
    """Return the first line of our own errors; of others the class only, as they may quote data."""
    return error.message.splitlines()[0] if isinstance(error, MapaError) else type(error).__name__
