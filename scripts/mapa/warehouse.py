"""The one place that opens the restricted warehouse and knows its schemas outside dbt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from mapa import layouts, modes
from mapa.errors import DiskError, FormatError, LockedError, MapaError
from mapa.landing import disk
from mapa.layouts import SYSTEM_COLUMNS, Layout
from mapa.waiting import Wait

CONTROL_DDL = """
create schema if not exists controle;
create table if not exists controle.cargas (
    carga_id varchar primary key,
    fonte varchar not null,
    entidade varchar not null,
    origem varchar,
    janela_inicio timestamp,
    janela_fim timestamp,
    iniciada_em timestamp not null,
    terminada_em timestamp,
    bytes_recebidos bigint,
    qtd_recebidas bigint,
    qtd_carregadas bigint,
    qtd_identicas bigint,
    qtd_rejeitadas bigint,
    qtd_novas_tentativas bigint,
    sha256 varchar,
    versao_codigo varchar not null,
    resultado varchar not null,
    mensagem varchar,
    eh_sintetica boolean,
    escopo varchar,
    ordem bigint,
    entrega varchar
);
alter table controle.cargas add column if not exists eh_sintetica boolean;
create table if not exists controle.construcoes (
    tabela varchar primary key,
    construcao_id varchar not null,
    carga_ordem bigint not null,
    qtd_correcoes bigint not null
);
create table if not exists controle.rejeitos (
    carga_id varchar not null,
    arquivo varchar not null,
    linha bigint,
    coluna varchar,
    motivo varchar not null
);
create table if not exists controle.ausencias (
    carga_id varchar not null,
    tabela varchar not null,
    chave varchar not null,
    evento varchar not null,
    registrado_em timestamp not null
);
create table if not exists controle.campos_desconhecidos (
    carga_id varchar not null,
    tabela varchar not null,
    campo varchar not null,
    visto_em timestamp not null
);
create table if not exists controle.campos (
    carga_id varchar not null,
    fonte varchar not null,
    entidade varchar not null,
    campo varchar not null,
    tipo varchar,
    evento varchar not null,
    detalhe varchar,
    recusada boolean not null,
    registrado_em timestamp not null
);
create table if not exists controle.marcas (
    fonte varchar not null,
    entidade varchar not null,
    marca timestamp not null,
    carga_id varchar not null,
    escopo varchar
);
-- Warehouses of before scopes were kept.
alter table controle.cargas add column if not exists escopo varchar;
alter table controle.marcas add column if not exists escopo varchar;
create table if not exists controle.correcoes (
    carga_id varchar not null,
    janela_fim_antes timestamp,
    janela_fim timestamp not null,
    marca_antes timestamp,
    marca timestamp,
    motivo varchar not null,
    corrigida_em timestamp not null
);
-- Warehouses of before loads were numbered: no instant in them went back.
alter table controle.cargas add column if not exists ordem bigint;
alter table controle.cargas add column if not exists entrega varchar;
update controle.cargas as c set ordem = n.ordem
from (
    select carga_id, row_number() over (order by iniciada_em, carga_id) as ordem
    from controle.cargas
) as n
where
    c.carga_id = n.carga_id
    and not exists (select 1 from controle.cargas where ordem is not null);
"""


MEMORY = "256MB"
"""What a loader may use; more is spilled to disk. dbt has its own setting in `profiles.yml`."""


@contextmanager
def connect(
    path: Path, *, read_only: bool = False, wait: float | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse, create what is missing in it, and close it again.

    The folder is made with mode 0711; what an earlier version left wider is closed. The session
    runs in UTC.

    Args:
        path: the file.
        read_only: several processes may read at the same time, but not while one writes.
        wait: seconds to wait for another process, by default MAPA_WAIT_LOCK_SECONDS.

    Raises:
        LockedError: another process holds the file, and still does after the wait.
        FormatError: the file is not a DuckDB database this version can open.
        DiskError: it does not exist (when only reading), or cannot be created or written.

    """
    if read_only and not path.exists():
        raise DiskError(f"{path} does not exist yet. Load something first; see\n  mapa load --help")
    con = Wait(wait).until(lambda: _open(path, read_only=read_only))
    try:
        con.execute("set TimeZone = 'UTC'")
        con.execute("set enable_progress_bar = false")
        if not read_only:
            con.execute(f"set memory_limit = '{MEMORY}'")
            # A second thread costs CPU and saves no time: a load waits for its source.
            con.execute("set threads = 1")
            # Files of hits follow each other under one name; nothing of one is in the next.
            con.execute("set enable_external_file_cache = false")
            create_schemas(con)
        yield con
    except duckdb.Error as error:
        if no_room := _no_room(path, error):
            raise no_room from None
        raise
    finally:
        con.close()


def _open(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    if read_only:
        config: dict[str, str | bool | int | float | list[str]] = {}
    else:
        config = {"storage_compatibility_version": "latest"}
        with disk(path.parent):
            modes.make_house(path.parent)
    try:
        return duckdb.connect(str(path), read_only=read_only, config=config)
    except duckdb.Error as error:
        raise explain(path, error) from None


def wait_until_free(path: Path, wait: Wait) -> None:
    """Wait until no other process has the warehouse open; one that does not exist is free.

    Raises:
        LockedError: another process still has it open after the wait.

    """
    if path.exists():
        wait.until(lambda: _open(path, read_only=False)).close()


def create_schemas(con: duckdb.DuckDBPyConnection) -> None:
    """Create the raw and control tables that do not exist yet, and the columns they lack.

    A layout may learn a column after a warehouse was made; rows of before have null in it. Hashes
    of content are made again when they are not those that this version of DuckDB makes.
    """
    con.execute(CONTROL_DDL)
    before = _columns(con)
    for schema in sorted({layout.schema for layout in layouts.every()}):
        con.execute(f"create schema if not exists {schema}")
    for layout in layouts.every():
        present = before.get(layout.table)
        if present is None:
            con.execute(layout.ddl())
            continue
        for name, kind in layout.types().items():
            if name not in present:
                _add_column(con, layout, name, kind)
        _refresh_hashes(con, layout, present.get("_hash"))


def _columns(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Return the columns of each table and their types."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in con.execute(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() "
        "where not internal"
    ).fetchall():
        found.setdefault(table, {})[column] = kind
    return found


def _add_column(con: duckdb.DuckDBPyConnection, layout: Layout, name: str, kind: str) -> None:
    """Add a column that a raw table lacks; rows of before get the number of their load."""
    con.begin()
    con.execute(f'alter table {layout.table} add column "{name}" {kind}')
    if name == "_carga_ordem":
        con.execute(
            f"update {layout.table} as r set _carga_ordem = c.ordem from controle.cargas as c "
            "where r._carga_id = c.carga_id"
        )
    con.commit()


def _refresh_hashes(con: duckdb.DuckDBPyConnection, layout: Layout, present: str | None) -> None:
    """Make the hashes of a raw table anew unless they are of the kind and its first row is right.

    Args:
        con: the warehouse.
        layout: of the table.
        present: type of the hashes that stand there.
    """
    kind, fresh = SYSTEM_COLUMNS["_hash"], layout.content_hash()
    stale = (
        present == kind
        # Most tables are empty in most houses, and a hash over all columns is dear to plan.
        and con.execute(f"select 1 from {layout.table} limit 1").fetchone()
        and con.execute(
            f"select 1 from (select * from {layout.table} limit 1) "
            f"where cast(_hash as varchar) is distinct from cast({fresh} as varchar)"
        ).fetchone()
    )
    if present != kind or stale:
        # Not `alter ... using`: DuckDB cannot repeat it from its log after a kill.
        con.begin()
        con.execute(f"alter table {layout.table} drop column _hash")
        con.execute(f"alter table {layout.table} add column _hash {kind}")
        con.execute(f"update {layout.table} set _hash = {fresh}")
        con.commit()


def explain(path: Path, error: duckdb.Error) -> MapaError:
    """Turn DuckDB's error on opening a file into one that says what to do."""
    text = str(error).lower()
    if "could not set lock" in text:
        holder = re.search(r"\(pid (\d+)\)", text)
        number = f" ({holder[1]})" if holder else ""
        return LockedError(
            f"{path} is in use by another process{number}; the warehouse has one writer at a "
            "time.\nWait until the other run (mapa, dbt, a database tool) has ended, then try "
            "again; MAPA_WAIT_LOCK_SECONDS says how long to wait for it."
        )
    if "permission denied" in text or "read-only" in text or "cannot open file" in text:
        return DiskError(f"{path} cannot be opened. Check the folder and its permissions.")
    return _no_room(path, error) or FormatError(
        f"{path} is not a database that this version of DuckDB can open.\n"
        "Move it away and load again; landing has kept everything received."
    )


def _no_room(path: Path, error: duckdb.Error) -> DiskError | None:
    if isinstance(error, duckdb.OutOfMemoryException):
        return DiskError(
            f"{path}: the work does not fit into {MEMORY} of memory.\nFree space on the disk to "
            "spill to, or ask for smaller pages (SISREG_PAGE), then try again."
        )
    signs = ("no space left", "could not write", "file too large")
    # A commit that finds no room is not an IOException.
    kinds = (duckdb.IOException, duckdb.TransactionException)
    if isinstance(error, kinds) and any(sign in str(error).lower() for sign in signs):
        return DiskError(f"{path}: no room left on the disk. Free some space, then try again.")
    return None
