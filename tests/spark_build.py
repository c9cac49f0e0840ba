"""Build on Spark as a user does, then write what stands in views beside the tables.

Run as a program: what a session of Spark holds ends with the process.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mapa.cli import cli


def main(raw: str, views: str, *arguments: str) -> None:
    """Run `mapa spark RAW ARGUMENTS`; write each view to the folder VIEWS, as tables are."""
    try:
        cli.main(["spark", raw, *arguments], standalone_mode=False)
    finally:
        _write_views(Path(views))


def _write_views(folder: Path) -> None:
    from pyspark.sql import SparkSession  # noqa: PLC0415 - what is not installed is said by `mapa`

    # That of dbt: there is one in a process.
    spark = SparkSession.builder.getOrCreate()
    for schema in spark.catalog.listDatabases():
        for table in spark.catalog.listTables(schema.name):
            if table.tableType == "VIEW":
                path = folder / f"{schema.name}.db" / table.name
                spark.table(f"{schema.name}.{table.name}").write.parquet(path.as_uri())


if __name__ == "__main__":
    main(*sys.argv[1:])
