"""The suite in encrypted houses: `pytest --encrypted` sets the key of warehouse and landing.

Tests open the warehouse by themselves, with `duckdb.connect`. Here that takes the key where it is
needed, for them alone: what the product opens without a key fails, as it would at an operator's.
What a test makes stays plain, but for the warehouse; what is published always is.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import duckdb

from mapa import warehouse
from mapa.settings import Settings

VARIABLE = "MAPA_WAREHOUSE_KEY"
KEY = "only-for-tests-of-what-is-encrypted-" * 2
PRODUCT = ("mapa", "mapa_city")
WAREHOUSE = "mapa.duckdb"
_plainly = duckdb.connect


def begin() -> None:
    """Set the key, for this process and all that it begins, and let tests open what it closes."""
    os.environ[VARIABLE] = KEY
    duckdb.connect = connect


def connect(
    database: str | Path = ":memory:", read_only: bool = False, config: dict[str, Any] | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a database as `duckdb.connect` does, a warehouse with the key that is set."""
    path, caller = Path(database), sys._getframe(1).f_globals.get("__name__", "")
    is_closed = path.name == WAREHOUSE if not path.exists() else warehouse.is_encrypted(path)
    if is_closed and caller.partition(".")[0] not in PRODUCT and os.environ.get(VARIABLE):
        return warehouse.opened(path, read_only=read_only)
    return _plainly(database, read_only=read_only, config=config or {})


def attach(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Attach a database to be read, with the key that is set if it is encrypted."""
    key = Settings.load().warehouse_key() if warehouse.is_encrypted(path) else None
    how = f"encryption_key '{key.database}', read_only" if key else "read_only"
    con.execute(f"attach '{path}' as {name} (type duckdb, {how})")
