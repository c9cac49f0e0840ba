"""The one place that opens the restricted warehouse and knows its schemas outside dbt."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from mapa import layouts, modes
from mapa.errors import ConfigError, DiskError, FormatError, LockedError, MapaError
from mapa.landing import disk
from mapa.layouts import SYSTEM_COLUMNS, Layout
from mapa.sealing import Key
from mapa.settings import Settings
from mapa.sql import literal, quoted
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
create table if not exists controle.preparos (
    tabela varchar not null,
    carga_id varchar not null,
    forma varchar not null,
    qtd_linhas bigint not null,
    marca ubigint not null
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


Config = dict[str, str | bool | int | float | list[str]]
HEAD, FLAGS = 28, 20
"""Bytes of the head of a DuckDB file, and where in it stands whether it is encrypted."""
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
    con = Wait(wait).until(lambda: opened(path, read_only=read_only))
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
        refuse_keys_beside(con)
        yield con
    except duckdb.Error as error:
        if no_room := _no_room(path, error):
            raise no_room from None
        raise
    finally:
        con.close()


@contextmanager
def holding(path: Path, key: Key | None) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """Hold the warehouse as it is under a key, so that nobody else opens it; None: there is none.

    Raises:
        LockedError, FormatError, DiskError, ConfigError: as `connect`.

    """
    if not path.exists():
        yield None
        return
    con = Wait().until(lambda: _open_with(path, key, read_only=False))
    try:
        con.execute("set enable_progress_bar = false")
        con.execute(f"set memory_limit = '{MEMORY}'")
        # What is copied is spilled as an encrypted house would, whatever it becomes.
        con.execute("set temp_file_encryption = true")
        yield con
    finally:
        con.close()


def fits(path: Path, key: Key) -> bool:
    """Say whether an encrypted file has this key.

    Raises:
        LockedError: another process holds it.

    """
    with duckdb.connect() as con:
        try:
            attach(con, path, key, read_only=True, name="probe")
        except ConfigError:
            return False
    return True


def opened(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a warehouse with the key that is set, if any, and create nothing in it.

    Raises:
        LockedError, FormatError, DiskError: as `connect`, without a wait.
        ConfigError: it is encrypted with another key, or is not and a key is set.

    """
    return _open_with(path, Settings.load().warehouse_key(), read_only=read_only)


def _open_with(path: Path, key: Key | None, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    if not read_only:
        with disk(path.parent):
            modes.make_house(path.parent)
    if key is None:
        config: Config = {} if read_only else {"storage_compatibility_version": "latest"}
        try:
            return duckdb.connect(str(path), read_only=read_only, config=config)
        except duckdb.Error as error:
            raise explain(path, error) from None
    # By a name of its own, so that all who open it in this process share it, as without a key.
    con = duckdb.connect(f":memory:{path.resolve()}", config=closed(path))
    try:
        attach(con, path, key, read_only=read_only)
    except MapaError:
        con.close()
        raise
    return con


def closed(path: Path) -> Config:
    """Return the configuration of an instance to which an encrypted warehouse is attached."""
    return {"temp_file_encryption": True, "temp_directory": f"{path}.tmp"}


def attach(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    key: Key,
    *,
    read_only: bool = False,
    name: str | None = None,
) -> None:
    """Attach an encrypted warehouse under the name it would have, and let `con` work in it.

    Args:
        con: of an instance with the configuration `closed`.
        path: the file.
        key: with which it is encrypted.
        read_only: open it to be read.
        name: another name, by default that of the file.

    Raises:
        LockedError, DiskError, FormatError: as `connect`.
        ConfigError: the file is not encrypted, or with another key.

    """
    name = quoted(name or path.stem)
    how = "read_only" if read_only else "storage_version 'latest'"
    try:
        con.execute(f"load {literal(str(extension_file('httpfs')))}")
        con.execute(
            f"attach if not exists {literal(str(path.resolve()))} as {name} "
            f"(type duckdb, encryption_key {literal(key.database)}, {how})"
        )
        con.execute(f"use {name}")
    except duckdb.Error as error:
        # Outside of the handler: what is raised has no context that quotes the key.
        refusal = explain(path, error)
    else:
        return
    raise refusal


def cursor(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Return another connection to what `con` works in; a new one would begin elsewhere."""
    made, row = con.cursor(), con.execute("select current_database()").fetchone()
    if row:
        made.execute(f"use {quoted(row[0])}")
    return made


def is_encrypted(path: Path) -> bool:
    """Say whether a DuckDB file is encrypted; one that is not there or is none is not."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except FileNotFoundError:
        return False
    return head[8:12] == b"DUCK" and len(head) == HEAD and bool(head[FLAGS] & 1)


def extension_file(name: str) -> Path:
    """Return the file of a DuckDB extension in its wheel, as `httpfs` or `postgres_scanner`.

    Raises:
        ConfigError: the wheel is not installed, or is for another version of DuckDB.
    """
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder, "extensions", f"v{duckdb.__version__}", f"{name}.duckdb_extension")
        if path.exists():
            return path
    raise ConfigError(
        f"The DuckDB extension {name} is not installed for DuckDB {duckdb.__version__}.\n"
        f"  pip install duckdb-extension-{name.replace('_', '-')}=={duckdb.__version__}"
    )


def refuse_keys_beside(con: duckdb.DuckDBPyConnection, *, real: bool | None = None) -> None:
    """Refuse real data in one folder with a key: who takes the one would have the other.

    Args:
        con: the warehouse.
        real: whether the data are real, by default whether a complete load was not simulated.

    Raises:
        ConfigError: they are, and a key stands beside them.

    """
    beside = Settings.load().keys_beside_data()
    if beside and (is_real(con) if real is None else real):
        raise ConfigError(
            f"{beside[0]} holds a key and stands in the folder of the data, which are not "
            "simulated.\nMove it out of MAPA_DIR, best to another disk, and say where it is: "
            "MAPA_WAREHOUSE_KEY_FILE for a key file; for .env, run mapa in another folder."
        )


def is_real(con: duckdb.DuckDBPyConnection) -> bool:
    """Say whether anything was loaded that did not say that it is simulated."""
    known = con.execute(
        "select 1 from duckdb_columns() where schema_name = 'controle' and table_name = 'cargas' "
        "and column_name = 'eh_sintetica'"
    ).fetchone()
    query = (
        "select 1 from controle.cargas where resultado = 'completa' and eh_sintetica is not true "
        "limit 1"
    )
    return bool(known and con.execute(query).fetchone())


def wait_until_free(path: Path, wait: Wait) -> None:
    """Wait until no other process has the warehouse open; one that does not exist is free.

    Raises:
        LockedError: another process still has it open after the wait.

    """
    if path.exists():
        wait.until(lambda: opened(path)).close()


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
    if "without a key" in text:
        return ConfigError(
            f"{path} is encrypted and no key is set.\nSet MAPA_WAREHOUSE_KEY or "
            "MAPA_WAREHOUSE_KEY_FILE to the key that it was made with."
        )
    if "wrong encryption key" in text:
        return ConfigError(
            f"{path} is encrypted with another key than the one that is set.\nSet the right one "
            "(MAPA_WAREHOUSE_KEY, MAPA_WAREHOUSE_KEY_FILE). If a rotation was interrupted, finish "
            "it with the old key set:\n  mapa key warehouse --new-file FILE"
        )
    if "is not encrypted" in text:
        return ConfigError(
            f"{path} is not encrypted, and a key is set.\nTake the key away, or encrypt what is "
            "there once:\n  mapa key warehouse --new-file FILE"
        )
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
