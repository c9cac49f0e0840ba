"""The published tables: copied out of the warehouse, checked, hashed, written as Parquet."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from mapa import warehouse
from mapa.errors import PublishError
from mapa.publish import gate
from mapa.publish.gate import Build, Table
from mapa.publish.identifiers import NUMERALS, SMALLEST_SUSPECT, identifier_in
from mapa.settings import Settings

# The id of the build proves where a table comes from and says nothing about its content.
NOT_CONTENT = {"construcao_id"}
NUMERIC = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL\(.*\))$")


@dataclass(frozen=True)
class Published:
    """A table as it stands in the published file."""

    table: Table
    rows: int
    types: tuple[str, ...]
    sha256: str


def copy(settings: Settings, build: Build, target: Path) -> dict[str, int]:
    """Copy the published tables into a fresh file; return how many rows each has in the warehouse.

    The warehouse is open only inside this function, and read-only. The file holds tables with
    their comments, never views, in the storage format that every DuckDB since 1.0 reads.

    Raises:
        PublishError: the warehouse does not hold what the build made.
    """
    with warehouse.connect(settings.warehouse, read_only=True) as con:
        gate.require_newest(con, build)
        con.execute(
            f"attach {_text(str(target))} as publico (read_write, storage_version 'v1.0.0')"
        )
        rows = {}
        for table in build.tables:
            _require_columns(con, table)
            source = f"{gate.SCHEMA}.{table.name}"
            con.execute(
                f"create table publico.{table.name} as select * from {source} {_order(table)}"
            )
            for statement in _comments(table):
                con.execute(statement)
            rows[table.name] = con.execute(f"select count(*) from {source}").fetchall()[0][0]
        con.execute("detach publico")
    return rows


def verify(file: Path, build: Build, expected: dict[str, int]) -> tuple[Published, ...]:
    """Check the fresh file as a reader will see it and return what it holds.

    Raises:
        PublishError: rows are missing, a column may not be published, or a value holds a CPF/CNS.
    """
    with reading(file) as con:
        found = []
        for table in build.tables:
            published = _describe(con, table)
            if published.rows != expected[table.name]:
                raise PublishError(
                    f"{table.name}: {published.rows} rows were copied of {expected[table.name]}.\n"
                    "Nothing was published; run `mapa publish` again."
                )
            _require_public(table)
            _require_no_identifier(con, published)
            found.append(published)
        as_of(con)
    return tuple(found)


def as_of(con: duckdb.DuckDBPyConnection) -> date:
    """Return the day that the published tables describe.

    Raises:
        PublishError: the file does not say.
    """
    rows = con.execute(f"select data_referencia from {gate.AS_OF_TABLE}").fetchall()
    if len(rows) != 1 or not isinstance(rows[0][0], date):
        raise PublishError(
            f"{gate.AS_OF_TABLE} has {len(rows)} rows; one with data_referencia was expected.\n"
            f"{gate.ADVICE}"
        )
    return rows[0][0]


def origin(con: duckdb.DuckDBPyConnection) -> tuple[bool | None, str]:
    """Return whether the published tables are simulated (None: not known) and their source."""
    synthetic, source = con.execute(
        f"select eh_sintetico, fonte from {gate.AS_OF_TABLE}"
    ).fetchall()[0]
    return synthetic, source


def write_parquet(file: Path, tables: tuple[Published, ...], folder: Path, licence: str) -> None:
    """Write one zstd Parquet file per table, with as-of date, source and licence inside.

    Raises:
        PublishError: a Parquet file does not hold all rows.
    """
    folder.mkdir()
    with reading(file) as con:
        facts = {"data_referencia": str(as_of(con)), "fonte": origin(con)[1], "licenca": licence}
        mark = f"{{{', '.join(f'{name}: {_text(value)}' for name, value in facts.items())}}}"
        for published in tables:
            name = published.table.name
            path = _text(str(folder / f"{name}.parquet"))
            con.execute(
                f"copy (select * from {name} {_order(published.table)}) to {path} "
                f"(format parquet, compression zstd, kv_metadata {mark})"
            )
            rows = con.execute(f"select count(*) from read_parquet({path})").fetchall()[0][0]
            if rows != published.rows:
                raise PublishError(f"{name}.parquet holds {rows} rows of {published.rows}.")


@contextmanager
def reading(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a published file for a moment."""
    con = duckdb.connect(str(file), read_only=True)
    try:
        yield con
    finally:
        con.close()


def _describe(con: duckdb.DuckDBPyConnection, table: Table) -> Published:
    """Return count, types and content hash of a table in the published file.

    The hash does not depend on the order of the rows nor on the version of DuckDB: the MD5 of
    each row as JSON, summed as two numbers, beside names and types of the columns.
    """
    types = tuple(
        str(row[1]) for row in con.execute(f"describe select * from {table.name}").fetchall()
    )
    names = [column.name for column in table.columns if column.name not in NOT_CONTENT]
    row = ", ".join(f"{_name(name)} := {_name(name)}" for name in names)
    upper, lower, rows = con.execute(
        f"""
        with linhas as (
            select cast(to_json(struct_pack({row})) as varchar) as linha from {table.name}
        )
        select sum(md5_number_upper(linha)), sum(md5_number_lower(linha)), count(*) from linhas
        """
    ).fetchall()[0]
    content = f"{list(zip(names, types, strict=False))} {upper} {lower} {rows}"
    return Published(table, rows, types, hashlib.sha256(content.encode()).hexdigest())


def _require_columns(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Refuse a table whose columns are not those of the dictionary."""
    found = [
        row[0]
        for row in con.execute(f"describe select * from {gate.SCHEMA}.{table.name}").fetchall()
    ]
    if found != [column.name for column in table.columns]:
        raise PublishError(
            f"The columns of {table.name} are not those of the dictionary.\n{gate.ADVICE}"
        )


def _require_public(table: Table) -> None:
    """Refuse a column that the dictionary does not class as public."""
    for column in table.columns:
        if column.lgpd != "publico":
            raise PublishError(
                f"{table.name}.{column.name}: its class in the dictionary is "
                f"`{column.lgpd or 'missing'}`; only `publico` may be published.\n"
                "Remove the column from the model or correct `config.meta.lgpd`."
            )


def _require_no_identifier(con: duckdb.DuckDBPyConnection, published: Published) -> None:
    """Refuse a table in which any value of any column holds a valid CPF or CNS."""
    for column, kind in zip(published.table.columns, published.types, strict=True):
        name = _name(column.name)
        if NUMERIC.match(kind):
            suspect = f"abs({name}) >= {SMALLEST_SUSPECT}"
            value = name
        else:
            value = f"cast({name} as varchar)"
            suspect = f"length(regexp_replace({value}, '[^{NUMERALS}]', '', 'g')) >= 11"
        cursor = con.execute(f"select distinct {value} from {published.table.name} where {suspect}")
        while batch := cursor.fetchmany(10_000):
            for (found,) in batch:
                if identifier := identifier_in(found):
                    raise PublishError(
                        f"{published.table.name}.{column.name}: a value holds a valid "
                        f"{identifier}; nothing was published.\n"
                        "Find out how a person's number came into this column; a published table "
                        "may hold none."
                    )


def _comments(table: Table) -> Iterator[str]:
    """Yield the statements that carry the dictionary into the file."""
    yield f"comment on table publico.{table.name} is {_text(table.description)}"
    for column in table.columns:
        yield (
            f"comment on column publico.{table.name}.{_name(column.name)} "
            f"is {_text(column.description)}"
        )


def _order(table: Table) -> str:
    """Return the clause that makes the same content give the same file."""
    return f"order by {', '.join(_name(name) for name in table.grain)}" if table.grain else ""


def _name(identifier: str) -> str:
    """Quote an identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def _text(value: str) -> str:
    """Quote a text of our own (paths, descriptions)."""
    return "'" + value.replace("'", "''") + "'"
