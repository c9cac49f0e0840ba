"""The one place that opens the restricted warehouse and knows its schemas outside dbt."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from mapa.errors import DiskError, FormatError, LockedError
from mapa.load.layouts import ALL_LAYOUTS

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
    mensagem varchar
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
create table if not exists controle.marcas (
    fonte varchar not null,
    entidade varchar not null,
    marca timestamp not null,
    carga_id varchar not null
);
"""


@contextmanager
def connect(path: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse, create what is missing in it, and close it again.

    The folder is made with mode 0700 and the file with 0600. The session runs in UTC.

    Raises:
        LockedError: another process holds the file.
        FormatError: the file is not a DuckDB database this version can open.
        DiskError: it cannot be created or written.
    """
    try:
        if not read_only:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            old = os.umask(0o077)
            try:
                con = duckdb.connect(str(path), config={"storage_compatibility_version": "latest"})
            finally:
                os.umask(old)
        else:
            con = duckdb.connect(str(path), read_only=True)
    except duckdb.IOException as error:
        raise explain(path, error) from None
    except OSError as error:
        raise DiskError(f"{path}: cannot be written ({error.strerror}).") from None
    try:
        con.execute("set TimeZone = 'UTC'")
        if not read_only:
            create_schemas(con)
        yield con
    finally:
        con.close()


def create_schemas(con: duckdb.DuckDBPyConnection) -> None:
    """Create the raw and control tables that do not exist yet."""
    con.execute(CONTROL_DDL)
    for schema in sorted({layout.table.split(".")[0] for layout in ALL_LAYOUTS}):
        con.execute(f"create schema if not exists {schema}")
    for layout in ALL_LAYOUTS:
        con.execute(layout.ddl())


def explain(path: Path, error: duckdb.Error) -> LockedError | FormatError | DiskError:
    """Turn DuckDB's error on opening or writing a file into one that says what to do."""
    text = str(error)
    if "lock" in text.lower():
        return LockedError(
            f"{path} is in use by another process; the warehouse has one writer at a time.\n"
            "Wait until the other run (mapa, dbt, a database tool) has ended, then try again."
        )
    if "No space left" in text or "could not write" in text.lower():
        return DiskError(f"{path}: no room left on the disk. Free some space, then try again.")
    if "Cannot open file" in text or "does not exist" in text:
        return DiskError(f"{path} does not exist or cannot be opened. Load something first:\n"
                         "  mapa load --help")
    return FormatError(f"{path} is not a database that this version of DuckDB can open.")
