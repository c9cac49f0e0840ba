"""dbt on Spark: the session's tables and the pseudonym function, registered where dbt opens it.

dbt-spark makes its session of what `profiles.yml` says, when the first query comes. What stands
here comes in between: raw tables that `mapa export raw` wrote become tables of the catalog, and the
function of the pseudonyms becomes one of the session, so that the key stands in no SQL. Errors lose
what they may quote of a row before dbt sees them.
"""

from __future__ import annotations

import hmac
import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlparse

from dbt.adapters.spark import session
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import SparkSession

from mapa.dbt_plugin import FUNCTION
from mapa.export import Export, Table
from mapa.sql import literal

CATALOG, WAREHOUSE = "spark.sql.catalogImplementation", "spark.sql.warehouse.dir"
IN_MEMORY = "in-memory"
"""The catalog that ends with the session; what it named is deleted by the next one."""
HIDDEN = "A value cannot be used. What Spark says of it is withheld, because it may quote a cell."


def hmac_sha256(key: bytes) -> Callable[[str | None], str | None]:
    """Return the HMAC-SHA-256 of a key, in hexadecimal, as the workers of Spark are given it."""

    def digest(text: str | None) -> str | None:
        return None if text is None else hmac.digest(key, text.encode(), "sha256").hex()

    return digest


class House:
    """What a session of Spark is given before dbt's first query."""

    def __init__(self, raw: Export, key: bytes, jars: str = "") -> None:
        """Keep raw tables, key and the Java that the session needs besides; open nothing yet."""
        self.raw, self.key, self.jars = raw, key, jars
        self.spark: SparkSession | None = None
        # dbt asks for the first time in several threads.
        self.lock = Lock()

    def open(self, parameters: dict[str, str]) -> SparkSession:
        """Return the session of a profile, with its tables and the function in it."""
        with self.lock:
            if self.spark is None:
                self.spark = self._opened(parameters)
        return self.spark

    def _opened(self, parameters: dict[str, str]) -> SparkSession:
        if parameters.get(CATALOG) == IN_MEMORY:
            _empty(parameters.get(WAREHOUSE, ""))
        own = parameters | ({"spark.jars": self.jars} if self.jars else {})
        builder = SparkSession.builder.enableHiveSupport()
        for name, value in own.items():
            builder = builder.config(name, value)
        spark = builder.getOrCreate()
        spark.udf.register(FUNCTION, hmac_sha256(self.key))
        for table in self.raw.tables:
            register(spark, self.raw, table)
        return spark


def _empty(address: str) -> None:
    """Delete what a catalog that is no more had written."""
    path = Path(urlparse(address).path)
    if path.is_dir() and any(path.glob("*.db")):
        shutil.rmtree(path)


def register(spark: SparkSession, raw: Export, table: Table) -> None:
    """Make an exported table one of the catalog; what stood there under its name is forgotten."""
    kinds = table.columns | dict.fromkeys(table.partitions, "string")
    columns = ", ".join(f"`{name}` {kind}" for name, kind in kinds.items())
    by = f"partitioned by ({', '.join(table.partitions)})" if table.partitions else ""
    spark.sql(f"create schema if not exists {table.name.partition('.')[0]}")
    spark.sql(f"drop table if exists {table.name}")
    spark.sql(
        f"create table {table.name} ({columns}) using parquet {by} "
        f"location {literal(raw.location(table).as_uri())}"
    )
    if table.partitions:
        spark.sql(f"msck repair table {table.name}")


def attach(house: House) -> None:
    """Let dbt-spark open its session by way of a house."""

    class Cursor(session.Cursor):  # type: ignore[misc]
        """A cursor whose session is the house's and whose errors quote no cell."""

        def execute(self, sql: str, *parameters: Any) -> None:
            """Run SQL; a query runs when its rows are asked for."""
            sql = sql % parameters if parameters else sql
            self._df = _quiet(lambda: house.open(self.server_side_parameters).sql(sql))

        def fetchall(self) -> Any:
            """Return all rows."""
            return _quiet(super().fetchall)

        def fetchone(self) -> Any:
            """Return the next row."""
            return _quiet(super().fetchone)

    session.Cursor = Cursor


def _quiet(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except AnalysisException as error:
        # Of planning: it speaks of names and types.
        told = str(error)
    except PySparkException as error:
        told = f"{error.getCondition() or type(error).__name__}: {HIDDEN}"
    except Exception as error:
        told = f"{type(error).__name__}: {HIDDEN}"
    raise RuntimeError(told)
