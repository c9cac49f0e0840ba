"""Which key made the pseudonyms that are in the warehouse, so that no two are ever mixed.

Pseudonyms stand only in what dbt builds, all of it from raw. `controle.chaves` names the key by a
version from which nothing can be told, and dbt builds with no other key. Another one begins with
everything built gone.
"""

from __future__ import annotations

import hmac

import duckdb
import orjson

from mapa import clocks, landing, layouts, rotation, warehouse
from mapa.errors import ConfigError
from mapa.settings import Settings
from mapa.sql import quoted

DDL = """
create schema if not exists controle;
create table if not exists controle.chaves (
    chave varchar not null, versao varchar not null, desde timestamp not null
);
create table if not exists controle.pares_identidade (
    solicitacao_codigo varchar not null, cadastro_id varchar not null, escore double not null
);
create table if not exists controle.pareamentos (
    terminado_em timestamp not null, qtd_pedidos bigint not null, qtd_parecidos bigint not null,
    qtd_pares bigint not null
)
"""
NAME = "pseudonimo"
OURS = {"controle", "main"}


def version(key: bytes) -> str:
    """Return the name of a key, 16 hexadecimal characters."""
    return hmac.digest(key, b"mapa: versao da chave", "sha256").hex()[:16]


def require(con: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Note the key of the first build, and refuse another one.

    Raises:
        ConfigError: the pseudonyms in the warehouse were made with another key.

    """
    con.execute(DDL)
    noted = known(con)
    if noted is None:
        _note(con, key)
    elif noted != version(key):
        raise ConfigError(
            f"MAPA_PSEUDONYM_KEY has version {version(key)}, and the pseudonyms in the warehouse "
            f"were made with version {noted}: nothing was built, because they would be mixed.\n"
            "Set the old key again, or make way for the new one with\n  mapa key pseudonym"
        )


def rotate(settings: Settings) -> int:
    """Delete what was built with the old key and note the new one; return how much was deleted.

    Deleting and noting are one transaction; then the warehouse is written anew, because what was
    deleted still stands in its file. Interrupted, it is repeated.

    Raises:
        LockedError, FormatError, DiskError, ConfigError: as `warehouse.connect`.

    """
    key = settings.pseudonym_key()
    marker = settings.mapa_dir / rotation.MARKER
    with warehouse.connect(settings.warehouse) as con:
        con.execute(DDL)
        landing.write_whole(marker, orjson.dumps({"chave": NAME, "para": version(key)}))
        con.begin()
        count = drop_built(con)
        con.execute("delete from controle.chaves where chave = $1", [NAME])
        _note(con, key)
        con.commit()
        rotation.rewrite(con, settings.warehouse, settings.warehouse_key())
    marker.unlink()
    return count


def drop_built(con: duckdb.DuckDBPyConnection) -> int:
    """Delete all that dbt built, in the open transaction; return how many tables and views."""
    con.execute(DDL)
    kept = OURS | {layout.schema for layout in layouts.every()}
    rows = con.execute(
        "select schema_name from duckdb_schemas() where database_name = current_database() "
        "and not internal"
    ).fetchall()
    built = sorted({name for (name,) in rows} - kept)
    found = con.execute(
        "select count(*) from duckdb_columns() where database_name = current_database() "
        "and list_contains($1, schema_name) and column_index = 1",
        [built],
    ).fetchone()
    for name in built:
        con.execute(f"drop schema {quoted(name)} cascade")
    # What is known of tables that are no more. Scores name records by their pseudonym.
    con.execute("delete from controle.construcoes")
    con.execute("delete from controle.preparos")
    con.execute("delete from controle.pares_identidade")
    con.execute("delete from controle.pareamentos")
    return int(found[0]) if found else 0


def known(con: duckdb.DuckDBPyConnection) -> str | None:
    """Return the version of the key that the house builds with; None: nothing is built yet."""
    row = con.execute("select versao from controle.chaves where chave = $1", [NAME]).fetchone()
    return row[0] if row else None


def _note(con: duckdb.DuckDBPyConnection, key: bytes) -> None:
    con.execute(
        "insert into controle.chaves values ($1, $2, $3)", [NAME, version(key), clocks.now()]
    )
