"""A release in a PostgreSQL, for BI tools that read no files: in one transaction, with its keys.

The tables of a schema are emptied and filled again in one transaction. Who reads meanwhile goes on
reading the release before, is never locked out, and then sees the new one whole; views and rights
that others have put on the tables stay. Only when columns or keys have changed are the tables made
anew, and a reader in the middle of a transaction has to end it first.

The schema is ours alone: a table in it that the release does not have is dropped. Which release it
holds says its comment. Foreign keys are checked at the end of the transaction, so that the order in
which tables are emptied does not matter.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Composable, Identifier, Literal

from mapa.errors import (
    ConfigError,
    DiskError,
    LockedError,
    MapaError,
    PublishError,
    SourceError,
    visible,
)
from mapa.publish import store
from mapa.settings import Settings
from mapa.sql import literal
from mapa.waiting import Wait

SCHEMA, ROLE = "mapa_publico", "mapa_leitura"
MARK = "Mapa Social da Saúde, versão "
"""How the comment of a schema of ours begins; the version follows."""
LOCK_SECONDS = 2
"""Who waits for a lock keeps new readers waiting behind: not for longer than this at a time."""
CONNECT_SECONDS = 10
BLOCK = 1 << 20
GONE = {"08", "57"}
"""Classes of SQLSTATE that say that the connection or the server has ended."""
TYPES = {
    "TINYINT": "smallint",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "TIMESTAMP": "timestamp without time zone",
    **{kind: kind.lower() for kind in ("BOOLEAN", "SMALLINT", "INTEGER", "BIGINT", "DATE")},
}
"""PostgreSQL's names of types; decimals keep their digits, all else is text."""
STAYS = "What stands there stays as it was."

COLUMNS = """
select c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
from pg_class as c
inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = to_regnamespace(quote_ident(%s)) and c.relkind in ('r', 'p')
order by c.relname, a.attnum
"""
KEYS = """
select c.relname, k.contype::text, f.relname, array(
    select a.attname::text
    from unnest(k.conkey) with ordinality as p (number, place)
    inner join pg_attribute as a on a.attrelid = k.conrelid and a.attnum = p.number
    order by p.place
)
from pg_constraint as k
inner join pg_class as c on c.oid = k.conrelid
left join pg_class as f on f.oid = k.confrelid
where c.relnamespace = to_regnamespace(quote_ident(%s)) and k.contype in ('p', 'f')
"""


@dataclass(frozen=True)
class Address:
    """Where a release goes; the password is not part of it.

    Attributes:
        parameters: of the connection, as libpq names them.

    """

    parameters: dict[str, Any]
    schema: str = SCHEMA
    role: str = ROLE

    @classmethod
    def of(cls, url: str, schema: str = SCHEMA, role: str = ROLE) -> Address:
        """Read an address such as `postgresql://user@host:5432/database`.

        Raises:
            ValueError: it is none, or holds a password; the message never quotes it.
        """
        try:
            parameters = conninfo_to_dict(url) if url.startswith("postgres") else {}
        except psycopg.Error:
            parameters = {}
        if not parameters:
            raise ValueError("expected is postgresql://user@host:5432/database.")
        if any("password" in name for name in parameters):
            raise ValueError(
                "it holds a password, which everybody on this machine sees among the processes. "
                "Put it into MAPA_POSTGRES_PASSWORD, PGPASSWORD or ~/.pgpass."
            )
        return cls(parameters, schema, role)

    def connect(self, settings: Settings) -> psycopg.Connection[Any]:
        """Connect.

        Raises:
            SourceError: nobody answers.
            ConfigError: the server lets us not in; the message says why in its own words.
        """
        own: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "application_name": "mapa"}
        own |= self.parameters
        if settings.mapa_postgres_password:
            own["password"] = settings.mapa_postgres_password.get_secret_value()
        try:
            return psycopg.connect("", **own, client_encoding="utf8")
        except psycopg.Error as error:
            refused = re.search(r"FATAL:\s*(.*)", str(error))
        if refused:
            raise ConfigError(
                f"The PostgreSQL of --to refuses the connection: {visible(refused[1])}.\n"
                "Check user and database in --to, and the password in MAPA_POSTGRES_PASSWORD, "
                "PGPASSWORD or ~/.pgpass."
            )
        raise SourceError(
            "The PostgreSQL of --to does not answer.\n"
            f"Check host and port in --to, and that it runs. {STAYS}"
        )


@dataclass(frozen=True)
class Relation:
    """A table as the release has it.

    Attributes:
        columns: name, type in PostgreSQL and meaning.
        foreign: column, table and field of each reference.

    """

    name: str
    comment: str
    columns: tuple[tuple[str, str, str], ...]
    primary: tuple[str, ...]
    foreign: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Loaded:
    """What `load` did."""

    version: str
    place: str
    role: str
    tables: int
    rows: int
    new: bool

    def __str__(self) -> str:
        """Say it in one line."""
        if not self.new:
            return f"{self.place} already holds version {self.version}; {self.role} may read it."
        content = f"{self.tables} tables, {self.rows} rows"
        return f"Loaded version {self.version} into {self.place}: {content}; {self.role} may read."


def load(settings: Settings, folder: Path, address: Address) -> Loaded:
    """Bring a published version into a PostgreSQL, unless it is already there.

    Args:
        settings: password, and how long to wait for a lock.
        folder: of the version.
        address: where it goes.

    Raises:
        SourceError: the server does not answer, or no longer does.
        ConfigError: it refuses user or password, or the user may not do what has to be done.
        LockedError: another load runs, or readers hold tables that have to be made anew.
        PublishError: the schema is not ours, views would be lost, or something else is refused.
        DiskError: the server has no room. Whatever fails, the release before stays whole.
    """
    manifest = json.loads((folder / store.MANIFEST).read_bytes())
    with address.connect(settings) as con:
        where = f"{con.info.host}:{con.info.port}/{con.info.dbname}, schema {address.schema}"
        with tempfile.TemporaryDirectory() as scratch:
            relations = _read_release(folder / store.DATABASE, Path(scratch))

            def attempt() -> bool:
                with _refusals(address), con.transaction():
                    return _replace(con, address, manifest, relations, Path(scratch))

            new = Wait().until(attempt)
        if new:
            _tidy(con, address.schema, relations)
    rows = sum(table["rows"] for table in manifest["tables"])
    return Loaded(manifest["version"], where, address.role, len(relations), rows, new)


def _read_release(database: Path, scratch: Path) -> list[Relation]:
    """Describe the tables of a release and write each as CSV; an empty cell is unknown."""
    with duckdb.connect(str(database), read_only=True) as con:
        tables = con.execute(
            "select table_name, comment from duckdb_tables() order by 1"
        ).fetchall()
        relations = [_relation(con, name, comment or "") for name, comment in tables]
        for relation in relations:
            path = literal(str(scratch / f"{relation.name}.csv"))
            con.execute(f"copy {relation.name} to {path} (format csv, header false, delimiter ',')")
    return relations


def _relation(con: duckdb.DuckDBPyConnection, name: str, comment: str) -> Relation:
    columns = con.execute(
        "select column_name, data_type, coalesce(comment, '') from duckdb_columns() "
        "where table_name = $1 order by column_index",
        [name],
    ).fetchall()
    keys = con.execute(
        "select constraint_type, constraint_column_names, referenced_table, "
        "referenced_column_names from duckdb_constraints() where table_name = $1",
        [name],
    ).fetchall()
    return Relation(
        name,
        comment,
        tuple((column, _type(kind), meaning) for column, kind, meaning in columns),
        tuple(part for kind, own, *_ in keys if kind == "PRIMARY KEY" for part in own),
        tuple(
            (own[0], target, fields[0])
            for kind, own, target, fields in keys
            if kind == "FOREIGN KEY"
        ),
    )


def _type(kind: str) -> str:
    if kind.startswith("DECIMAL"):
        return kind.lower().replace("decimal", "numeric")
    return TYPES.get(kind, "text")


def _replace(
    con: psycopg.Connection[Any],
    address: Address,
    manifest: dict[str, Any],
    relations: list[Relation],
    scratch: Path,
) -> bool:
    """Put a release in the place of the one before; return whether it was not there yet."""
    schema = Identifier(address.schema)
    con.execute(SQL("set local lock_timeout = {}").format(Literal(f"{LOCK_SECONDS}s")))
    _lock(con, address.schema)
    held = _held(con, address.schema)
    new = bool(held != manifest["version"])
    if not _exists(con, address.schema):  # `if not exists` asks for a right all the same
        con.execute(SQL("create schema {}").format(schema))
    if new:
        if _standing(con, address.schema) != _wanted(relations):
            _make_anew(con, address.schema, relations)
        for relation in relations:
            con.execute(SQL("delete from {}").format(_named(schema, relation.name)))
        for relation in relations:
            _fill(con, _named(schema, relation.name), scratch / f"{relation.name}.csv")
            _comment(con, schema, relation)
        said = Literal(f"{MARK}{manifest['version']}\n{_about(manifest)}")
        con.execute(SQL("comment on schema {} is {}").format(schema, said))
    _let_read(con, address)
    return new


def _lock(con: psycopg.Connection[Any], schema: str) -> None:
    """Let one load run at a time; the lock ends with the transaction."""
    query = "select pg_try_advisory_xact_lock(hashtext(%s))"
    if con.execute(query, [f"{MARK}{schema}"]).fetchone() != (True,):
        raise LockedError(
            "Another `mapa publish --to` fills the same schema. Wait until it has ended."
        )


def _exists(con: psycopg.Connection[Any], schema: str) -> bool:
    found = con.execute("select to_regnamespace(quote_ident(%s))", [schema]).fetchall()
    return found != [(None,)]


def _held(con: psycopg.Connection[Any], schema: str) -> str | None:
    """Return the version that stands in the schema; None: none does.

    Raises:
        PublishError: something stands in it that is not ours.
    """
    said, occupied = con.execute(
        "select obj_description(n.oid, 'pg_namespace'), "
        "exists (select 1 from pg_class where relnamespace = n.oid) "
        "from (select to_regnamespace(quote_ident(%s)) as oid) as n",
        [schema],
    ).fetchall()[0]
    if said and said.startswith(MARK):
        return str(said.removeprefix(MARK).partition("\n")[0])
    if occupied:
        raise PublishError(
            f"The schema {visible(schema)} holds tables that are not of a release of Mapa; they "
            "would be lost.\nName another one with --schema."
        )
    return None


Structure = tuple[list[tuple[str, str, str]], set[tuple[str, str, str | None, tuple[str, ...]]]]
"""Columns (table, name, type) in order, and keys (table, kind, table referred to, columns)."""


def _standing(con: psycopg.Connection[Any], schema: str) -> Structure:
    """Return the structure of what stands in the schema."""
    columns = con.execute(COLUMNS, [schema]).fetchall()
    keys = con.execute(KEYS, [schema]).fetchall()
    return columns, {(table, kind, target, tuple(own)) for table, kind, target, own in keys}


def _wanted(relations: list[Relation]) -> Structure:
    """Return the structure of the release."""
    columns = [(r.name, name, kind) for r in relations for name, kind, _ in r.columns]
    keys: set[tuple[str, str, str | None, tuple[str, ...]]]
    keys = {(r.name, "p", None, r.primary) for r in relations if r.primary}
    return columns, keys | {
        (r.name, "f", to, (own,)) for r in relations for own, to, _ in r.foreign
    }


def _make_anew(con: psycopg.Connection[Any], name: str, relations: list[Relation]) -> None:
    """Drop the tables of the schema, all at once, and make those of the release."""
    schema = Identifier(name)
    old = dict.fromkeys(table for table, *_ in con.execute(COLUMNS, [name]).fetchall())
    if old:
        tables = SQL(", ").join(_named(schema, table) for table in old)
        con.execute(SQL("drop table {}").format(tables))
    for relation in relations:
        parts = [
            SQL("{} {}").format(Identifier(column), SQL(kind))
            for column, kind, _ in relation.columns
        ]
        if relation.primary:
            key = SQL(", ").join(map(Identifier, relation.primary))
            parts.append(SQL("primary key ({})").format(key))
        table = _named(schema, relation.name)
        con.execute(SQL("create table {} ({})").format(table, SQL(", ").join(parts)))
    for relation in relations:
        for column, target, field in relation.foreign:
            con.execute(
                SQL(
                    "alter table {} add foreign key ({}) references {} ({}) "
                    "deferrable initially deferred"
                ).format(
                    _named(schema, relation.name),
                    Identifier(column),
                    _named(schema, target),
                    Identifier(field),
                )
            )


def _fill(con: psycopg.Connection[Any], table: Composable, file: Path) -> None:
    """Copy a CSV into a table."""
    with (
        file.open("rb") as rows,
        con.cursor() as cursor,
        cursor.copy(SQL("copy {} from stdin (format csv)").format(table)) as copy,
    ):
        while block := rows.read(BLOCK):
            copy.write(block)


def _comment(con: psycopg.Connection[Any], schema: Composable, relation: Relation) -> None:
    """Carry the dictionary into the server."""
    table = _named(schema, relation.name)
    con.execute(SQL("comment on table {} is {}").format(table, Literal(relation.comment)))
    for column, _, meaning in relation.columns:
        con.execute(
            SQL("comment on column {}.{} is {}").format(table, Identifier(column), Literal(meaning))
        )


def _about(manifest: dict[str, Any]) -> str:
    """Say of a release whence it is, as its comment."""
    return (
        f"Data de referência {manifest['data_referencia']}. {manifest['source']}. "
        f"{manifest['licence']}, {manifest['licence_url']}"
    )


def _let_read(con: psycopg.Connection[Any], address: Address) -> None:
    """Let the role read the schema; it is made when it is missing."""
    schema, role = Identifier(address.schema), Identifier(address.role)
    if not con.execute("select 1 from pg_roles where rolname = %s", [address.role]).fetchone():
        try:
            con.execute(SQL("create role {} nologin").format(role))
        except errors.InsufficientPrivilege:
            raise ConfigError(
                f"There is no role {visible(address.role)}, and the user of --to may not make it. "
                f"{STAYS}\nLet an administrator type\n  create role {visible(address.role)}\n"
                "or name another role with --role."
            ) from None
    con.execute(SQL("grant usage on schema {} to {}").format(schema, role))
    con.execute(SQL("grant select on all tables in schema {} to {}").format(schema, role))


def _tidy(con: psycopg.Connection[Any], schema: str, relations: list[Relation]) -> None:
    """Free the room of the release before; what fails here the server does by itself later."""
    con.autocommit = True
    with suppress(psycopg.Error):
        for relation in relations:
            table = _named(Identifier(schema), relation.name)
            con.execute(SQL("vacuum (analyze) {}").format(table))


def _named(schema: Composable, table: str) -> Composable:
    return SQL("{}.{}").format(schema, Identifier(table))


@contextmanager
def _refusals(address: Address) -> Iterator[None]:
    """Turn what the server refuses into one clear error; its own words may quote a value."""
    try:
        yield
    except psycopg.Error as error:
        refused = _said(error, address)
    else:
        return
    raise refused


def _said(error: psycopg.Error, address: Address) -> MapaError:
    """Return what may be said of a server's error."""
    schema = visible(address.schema)
    if isinstance(error, errors.InsufficientPrivilege):
        return ConfigError(
            f"The user of --to may not make or fill the schema {schema}. {STAYS}\n"
            f"Let an administrator type\n  create schema {schema} authorization USER\n"
            "with that user, or name a schema of its own with --schema."
        )
    if isinstance(error, errors.LockNotAvailable | errors.DeadlockDetected):
        return LockedError(
            f"Somebody reads the tables of the schema {schema}, and their columns or keys have "
            f"changed. {STAYS}\nTry again when the reader has ended his transaction."
        )
    if isinstance(error, errors.DependentObjectsStillExist):
        views = visible(error.diag.message_detail or "", lines=True)
        return PublishError(
            f"Columns or keys have changed, and what others have built on the tables of the schema "
            f"{schema} would be lost. {STAYS}\n{views}\nDrop it, load, and make it again."
        )
    if isinstance(error, errors.DiskFull):
        return DiskError(f"The server of --to has no room. {STAYS}\nFree some, then try again.")
    if isinstance(error, psycopg.OperationalError) and (error.sqlstate or "08")[:2] in GONE:
        return SourceError(f"The connection of --to broke off. {STAYS}\nTry again.")
    return PublishError(
        f"The PostgreSQL of --to refuses the release (SQLSTATE {error.sqlstate}). {STAYS}\n"
        "The log of the server says more."
    )
