"""Raw and control tables as partitioned Parquet, for an engine that opens no DuckDB file.

The folder has `exportacao.json` and `<schema>/<table>/`. Raw tables lie in folders by state and
month, in the manner of Hive: `particao_uf=DF/particao_mes=2026-06/`. The state is that of the
house, the month is that in which the load saw the source. Control tables are small and lie whole.

What is written is personal data in the clear, whoever reads it: folders have mode 0700 and files
0600.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import orjson
from duckdb.sqltypes import DuckDBPyType

from mapa import layouts, modes, pseudonyms, warehouse
from mapa.errors import ConfigError, DiskError
from mapa.landing import disk
from mapa.settings import Settings
from mapa.sql import literal, quoted

MANIFEST = "exportacao.json"
FORMAT = 1
PARTITIONS = ("particao_uf", "particao_mes")
TYPES = {
    "varchar": "string",
    "boolean": "boolean",
    "integer": "int",
    "bigint": "bigint",
    "double": "double",
    "date": "date",
    "timestamp": "timestamp",
    # Parquet has no such integers that every engine reads.
    "ubigint": "decimal(20,0)",
    "hugeint": "decimal(38,0)",
}
"""DuckDB's types as Spark calls them; what is not here (UUID, TIME, INTERVAL) becomes text."""


@dataclass(frozen=True)
class Table:
    """A table of an export.

    Attributes:
        name: with its schema.
        columns: type of each column as Spark calls it, without those of the partitions.
        partitions: columns that stand in the names of folders.
        rows: how many there are.

    """

    name: str
    columns: dict[str, str]
    partitions: tuple[str, ...]
    rows: int


@dataclass(frozen=True)
class Export:
    """What stands in a folder that `write` made.

    Attributes:
        folder: where it is.
        key: version of the key of the pseudonyms that the house builds with; None: of none yet.
        tables: by name.

    """

    folder: Path
    key: str | None
    tables: tuple[Table, ...]

    def location(self, table: Table) -> Path:
        """Return the folder of a table."""
        return self.folder.joinpath(*table.name.split("."))


def read(folder: Path) -> Export:
    """Read what stands in an exported folder.

    Raises:
        ConfigError: it is none, or of another version.

    """
    try:
        found = orjson.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        found = {}
    if found.get("formato") != FORMAT:
        raise ConfigError(
            f"{folder} holds no raw tables that this version reads.\nMake them with\n"
            "  mapa export raw --to FOLDER"
        )
    tables = tuple(Table(**t | {"partitions": tuple(t["partitions"])}) for t in found["tabelas"])
    return Export(folder.resolve(), found["chave"], tables)


def write(settings: Settings, folder: Path, state: str) -> Export:
    """Write raw and control tables into a folder, in the place of an earlier export.

    What is there stays whole until all is written.

    Args:
        settings: of the house.
        folder: where to.
        state: two letters, the partition of this house.

    Raises:
        ConfigError: the folder is one of what is published, or holds something else.
        DiskError: it cannot be written.
        LockedError, FormatError: as `warehouse.connect`.

    """
    folder = folder.resolve()
    _refuse(settings, folder)
    fresh = folder.with_name(f".{folder.name}.novo")
    with disk(folder.parent):
        shutil.rmtree(fresh, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh.mkdir(mode=0o700)
    try:
        with warehouse.connect(settings.warehouse, read_only=True) as con, disk(fresh):
            con.execute("set preserve_insertion_order = false")
            tables = tuple(_copy(con, name, fresh, state) for name in _tables(con))
            key = pseudonyms.known(con)
    except duckdb.IOException as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise DiskError(f"{folder} cannot be written: {type(error).__name__}.") from None
    content = {"formato": FORMAT, "uf": state, "chave": key, "tabelas": [*map(asdict, tables)]}
    (fresh / MANIFEST).write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    modes.narrow_all(fresh)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    return Export(folder, key, tables)


def _refuse(settings: Settings, folder: Path) -> None:
    published = settings.published.resolve()
    if folder.is_relative_to(published) or published.is_relative_to(folder):
        raise ConfigError(
            f"{folder} is where the published data are, and raw tables hold personal data.\n"
            "Name a folder that only the house reads."
        )
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).exists():
        raise ConfigError(
            f"{folder} holds something that is no export of raw tables.\n"
            "Name an empty folder, or one that does not exist yet."
        )


def _tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    schemas = sorted({"controle", *(layout.schema for layout in layouts.every())})
    rows = con.execute(
        "select schema_name || '.' || table_name from duckdb_tables() "
        "where database_name = current_database() and list_contains($1, schema_name) order by all",
        [schemas],
    ).fetchall()
    return [name for (name,) in rows]


def _copy(con: duckdb.DuckDBPyConnection, name: str, folder: Path, state: str) -> Table:
    """Write one table; what Parquet does not carry to every engine is cast."""
    shape = con.execute(f"select * from {name} limit 0").description or ()
    kinds = {column: spark_type(kind) for column, kind, *_ in shape}
    target = folder.joinpath(*name.split("."))
    target.mkdir(mode=0o700, parents=True)
    cells = ", ".join(f"{_cast(column, kind)}" for column, kind, *_ in shape)
    is_raw = not name.startswith("controle.")
    if is_raw:
        cells += (
            f", {literal(state)} as {PARTITIONS[0]}, "
            f"strftime(coalesce(c.janela_fim, c.iniciada_em), '%Y-%m') as {PARTITIONS[1]}"
        )
        source = f"{name} as r left join controle.cargas as c on r._carga_id = c.carga_id"
        how = f", partition_by ({', '.join(PARTITIONS)}), filename_pattern 'parte-{{i}}'"
    else:
        source, how = f"{name} as r", ""
        target /= "parte-0.parquet"
    row = con.execute(
        f"copy (select {cells} from {source}) to {literal(str(target))} "
        f"(format parquet, compression zstd{how})"
    ).fetchone()
    return Table(name, kinds, PARTITIONS if is_raw else (), int(row[0]) if row else 0)


def spark_type(kind: DuckDBPyType) -> str:
    """Return what Spark calls a type of DuckDB."""
    parts = kind.children if kind.id in {"list", "struct"} else []
    inner = {name: spark_type(part) for name, part in parts if isinstance(part, DuckDBPyType)}
    if kind.id == "list":
        return f"array<{inner['child']}>"
    if kind.id == "struct":
        return f"struct<{','.join(f'{name}:{part}' for name, part in inner.items())}>"
    return str(kind).lower() if kind.id == "decimal" else TYPES.get(kind.id, "string")


def _cast(column: str, kind: DuckDBPyType) -> str:
    cell, wanted = f"r.{quoted(column)}", spark_type(kind)
    if kind.id in {"ubigint", "hugeint"}:
        cell = f"cast({cell} as {wanted})"
    elif wanted == "string" and kind.id != "varchar":
        cell = f"cast({cell} as varchar)"
    return f"{cell} as {quoted(column)}"
