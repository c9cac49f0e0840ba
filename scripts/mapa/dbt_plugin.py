"""dbt-duckdb plugin: gives each session the pseudonym function without showing the key.

The key becomes two session variables (HMAC's inner and outer pad) and a temporary macro reads
them, so it never stands in SQL text, in `target/` or in logs.

`profiles.yml` names this module, and under `config: {extensions: [...]}` the DuckDB extensions to
load from their installed wheels: DuckDB itself would ask its own server for them.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from mapa import warehouse
from mapa.errors import ConfigError, MapaError
from mapa.settings import Settings
from mapa.waiting import Wait

MEMORY = ":memory:"
BLOCK = 64  # bytes in a block of SHA-256
MACRO = """
create or replace temp macro mapa_hmac_sha256(texto) as
    sha256(getvariable('mapa_opad') || unhex(sha256(getvariable('mapa_ipad') || encode(texto))))
"""


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


class Plugin(BasePlugin):
    """Load extensions once, and set the keys on each cursor that dbt opens."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Read the key once; a missing or short key stops dbt here, before any model runs."""
        settings = Settings.load()
        key = settings.pseudonym_key()
        # DuckDB makes files, not folders; without one dbt could not say that nothing is loaded.
        settings.make_directory()
        # Whatever dbt writes from here on may quote a value: log files, the write-ahead log.
        os.umask(0o077)
        # One for all the connections that dbt tries to open.
        self.wait = Wait()
        key = (hashlib.sha256(key).digest() if len(key) > BLOCK else key).ljust(BLOCK, b"\0")
        self.pads = bytes(b ^ 0x36 for b in key), bytes(b ^ 0x5C for b in key)
        self.extensions = [extension_file(name) for name in plugin_config.get("extensions", [])]

    def update_connection_config(self, creds: Any, config: dict[str, Any]) -> None:
        """Wait until nobody else has the warehouse open: dbt opens it next.

        Raises:
            RuntimeError: it cannot be opened; of this kind dbt shows the message and no traceback.
        """
        if creds.path != MEMORY:
            try:
                warehouse.wait_until_free(Path(creds.path), self.wait)
            except MapaError as error:
                raise RuntimeError(error.message) from None

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Load the extensions."""
        for path in self.extensions:
            conn.execute(f"load '{str(path).replace(chr(39), chr(39) * 2)}'")

    def configure_cursor(self, cursor: Any) -> None:
        """Give the session its pads and the function that uses them."""
        cursor.execute("set variable mapa_ipad = $1", [self.pads[0]])
        cursor.execute("set variable mapa_opad = $1", [self.pads[1]])
        cursor.execute(MACRO)
