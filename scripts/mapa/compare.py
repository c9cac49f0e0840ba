"""Two warehouses side by side: which cells of which tables differ. Counts and names, never values.

What a change of the models must not change is proved by it: build the same extracts before and
after, and compare.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from mapa import warehouse
from mapa.errors import FormatError, MapaError
from mapa.settings import Settings
from mapa.warehouse import explain

INNER = ("bruto_", "controle", "staging", "intermediario")
"""Schemas, by the beginning of their names, that no reader sees."""
BUILD_ID = "construcao_id"
"""Says which build made a row, and nothing about what it made."""


@dataclass(frozen=True)
class Comparison:
    """A table in two warehouses.

    Attributes:
        table: with its schema.
        before, after: rows; None where the table does not exist.
        gone, come: rows that stand only before, only after.
        columns: by name, in how many rows of one key the column differs; empty without a key.
        missing: columns that only one of the two has.

    """

    table: str
    before: int | None
    after: int | None
    gone: int = 0
    come: int = 0
    columns: Mapping[str, int] | None = None
    missing: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether every cell is the same."""
        return self.before == self.after and not (self.gone or self.come or self.missing)

    def __str__(self) -> str:
        """Say the result in one line."""
        if self.before is None or self.after is None:
            return f"{self.table}: only {'after' if self.before is None else 'before'}"
        if self.equal:
            return f"{self.table}: {self.after} rows, equal"
        said = [f"{self.before} rows before, {self.after} after"]
        if self.missing:
            said.append(f"only in one of them: {', '.join(self.missing)}")
        if self.gone or self.come:
            said.append(f"{self.gone} only before, {self.come} only after")
        if self.columns:
            said.append(", ".join(f"{name} in {n}" for name, n in self.columns.items()))
        return f"{self.table}: {'; '.join(said)}"


def compare(
    before: Path,
    after: Path,
    grain: Mapping[str, Collection[str]],
    ignored: Collection[str] = (),
    *,
    inner: bool = False,
) -> list[Comparison]:
    """Compare all tables of two DuckDB files.

    Args:
        before: one file.
        after: the other.
        grain: key of each table, by its name, for the account by column.
        ignored: columns to leave out of all tables.
        inner: also those that no reader sees.

    Raises:
        LockedError: another process writes one of the files.
        FormatError: one is no DuckDB database.
        DiskError: one cannot be opened.

    """
    with duckdb.connect(config={"temp_file_encryption": True}) as con:
        for name, path in (("antes", before), ("depois", after)):
            key = Settings.load().warehouse_key() if warehouse.is_encrypted(path) else None
            if key:
                warehouse.attach(con, path, key, read_only=True, name=name)
                continue
            try:
                con.execute(f"attach {_text(str(path))} as {name} (type duckdb, read_only)")
            except duckdb.Error as error:
                raise _explain(path, error) from None
        tables = {name: _tables(con, name, inner) for name in ("antes", "depois")}
        names = sorted({*tables["antes"], *tables["depois"]})
        return [_compare(con, name, tables, grain, {*ignored, BUILD_ID}) for name in names]


def _tables(con: duckdb.DuckDBPyConnection, database: str, inner: bool) -> dict[str, list[str]]:
    """Return the columns of each table of a database."""
    rows = con.execute(
        "select schema_name || '.' || table_name, list(column_name order by column_index) "
        "from duckdb_columns() inner join duckdb_tables() "
        "using (database_name, schema_name, table_name) where database_name = $1 group by all",
        [database],
    ).fetchall()
    return {name: columns for name, columns in rows if inner or not name.startswith(INNER)}


def _compare(
    con: duckdb.DuckDBPyConnection,
    table: str,
    tables: Mapping[str, Mapping[str, list[str]]],
    grain: Mapping[str, Collection[str]],
    ignored: Collection[str],
) -> Comparison:
    here, there = (tables[name].get(table) for name in ("antes", "depois"))
    before, after = (_rows(con, name, table, tables) for name in ("antes", "depois"))
    if here is None or there is None:
        return Comparison(table, before, after)
    common = [column for column in here if column in there and column not in ignored]
    missing = sorted({*here, *there} - {*common, *ignored})
    cells = ", ".join(map(_name, common)) or "1"
    old, new = (f"select {cells} from {name}.{table}" for name in ("antes", "depois"))
    gone, come = (
        con.execute(f"select count(*) from ({a} except all {b})").fetchall()[0][0]
        for a, b in ((old, new), (new, old))
    )
    key = grain.get(table.partition(".")[2], ())
    by_column = (
        _by_column(con, table, key, common)
        if gone and come and key and set(key) <= set(common)
        else {}
    )
    return Comparison(table, before, after, gone, come, by_column, tuple(missing))


def _rows(
    con: duckdb.DuckDBPyConnection,
    database: str,
    table: str,
    tables: Mapping[str, Mapping[str, list[str]]],
) -> int | None:
    if table not in tables[database]:
        return None
    return int(con.execute(f"select count(*) from {database}.{table}").fetchall()[0][0])


def _by_column(
    con: duckdb.DuckDBPyConnection, table: str, key: Collection[str], columns: list[str]
) -> dict[str, int]:
    """Return in how many rows of one key each column differs, if in any."""
    others = [column for column in columns if column not in key]
    if not others:
        return {}
    differ = ", ".join(
        f"count(*) filter (where a.{_name(c)} is distinct from d.{_name(c)})" for c in others
    )
    same = " and ".join(f"a.{_name(c)} is not distinct from d.{_name(c)}" for c in key)
    row = con.execute(
        f"select {differ} from antes.{table} as a inner join depois.{table} as d on {same}"
    ).fetchall()[0]
    return {column: n for column, n in zip(others, row, strict=True) if n}


def _explain(path: Path, error: duckdb.Error) -> MapaError:
    reason = explain(path, error)
    if isinstance(reason, FormatError):
        return FormatError(
            f"{path} is not a database that this version of DuckDB can open.\n"
            "Expected are two warehouses, or two published files: MAPA_DIR/mapa.duckdb."
        )
    return reason


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
