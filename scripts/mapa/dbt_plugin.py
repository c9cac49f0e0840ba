"""dbt-duckdb plugin: a closed house for dbt, and the pseudonym function without the key.

The function is Python's own HMAC-SHA-256, registered on the connection: what holds the key is no
variable and no SQL text, so that no query, `target/` or log can show it. Errors of the database
lose what they quote before dbt sees them.

`profiles.yml` names this module, and under `config: {extensions: [...]}` the DuckDB extensions to
load from their installed wheels: DuckDB itself would ask its own server for them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.environments import local
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.flags import get_flags
from duckdb.sqltypes import VARCHAR

from mapa import modes, pseudonyms, warehouse
from mapa.errors import MapaError
from mapa.settings import Settings
from mapa.sql import quoted
from mapa.waiting import Wait

MEMORY = ":memory:"
BLOCK = 64  # bytes in a block of SHA-256
FUNCTION = "mapa_hmac_sha256"
TOLD = (
    duckdb.BinderException, duckdb.CatalogException, duckdb.DependencyException,
    duckdb.InterruptException, duckdb.IOException, duckdb.NotImplementedException,
    duckdb.OutOfMemoryException, duckdb.ParserException, duckdb.PermissionException,
    duckdb.SyntaxException, duckdb.TransactionException,
)  # fmt: skip
"""Errors of planning and of the machine; all others are met among the rows and may quote one."""
SOURCE = re.compile(r'when casting from source column ("?)(\w+)\1\s*(?:\n|$)')


def hmac_sha256(key: bytes) -> Callable[[str], str]:
    """Return the HMAC-SHA-256 of a key, in hexadecimal: text in, 64 characters out.

    The two halves are hashed as far as the key once; a copy of each costs a quarter of `hmac`.
    """
    key = (hashlib.sha256(key).digest() if len(key) > BLOCK else key).ljust(BLOCK, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key))
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in key))

    def digest(text: str) -> str:
        first, second = inner.copy(), outer.copy()
        first.update(text.encode())
        second.update(first.digest())
        return second.hexdigest()

    return digest


def without_values(error: duckdb.Error) -> str:
    """Return what an error of the database says, without what it may quote of a row."""
    text = str(error)
    if isinstance(error, TOLD):
        return text
    columns = SOURCE.findall(text)
    return (
        f"{type(error).__name__}: a value cannot be used"
        + (f", in column `{columns[-1][1]}`" if columns else "")
        + ". What DuckDB says of it is withheld, because it may quote a cell.\n"
        "The compiled SQL is in target/run; correct its cast or its rule, or run its parts alone."
    )


class QuietCursor:
    """A cursor whose errors quote no cell: dbt writes them to its log, results and the terminal.

    Stands in for dbt-duckdb's own wrapper of a cursor, which turns no error of DuckDB's.
    """

    def __init__(self, cursor: Any) -> None:
        """Wrap a cursor of DuckDB."""
        self._cursor = cursor

    def __getattr__(self, name: str) -> Any:
        """Forward everything."""
        found = getattr(self._cursor, name)
        return _quiet(found) if callable(found) else found

    def execute(self, sql: str, bindings: Any = None) -> Any:
        """Run SQL, with bindings if there are any."""
        return _quiet(self._cursor.execute)(sql, *([] if bindings is None else [bindings]))


def _quiet(call: Callable[..., Any]) -> Callable[..., Any]:
    def run(*arguments: Any, **named: Any) -> Any:
        try:
            return call(*arguments, **named)
        except duckdb.Error as error:
            told = type(error)(without_values(error))
        # Outside of the handler, so that what is raised has no context that quotes the cell.
        raise told

    return run


class Plugin(BasePlugin):
    """Close the house, load extensions, and give the connection the pseudonym function."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Read the key once; a missing or short key stops dbt here, before any model runs."""
        settings = Settings.load()
        self.pseudonym_key = settings.pseudonym_key()
        self.digest = hmac_sha256(self.pseudonym_key)
        self.key, self.path = settings.warehouse_key(), Path(MEMORY)
        # DuckDB makes files, not folders; without one dbt could not say that nothing is loaded.
        settings.make_directory()
        _close_dbt(settings)
        local.DuckDBCursorWrapper = QuietCursor  # type: ignore[misc, assignment]
        # One for all the connections that dbt tries to open.
        self.wait = Wait()
        names = plugin_config.get("extensions", [])
        self.extensions = [warehouse.extension_file(name) for name in names]

    @property
    def is_attached(self) -> bool:
        """Whether the warehouse is encrypted, so that it is attached rather than opened."""
        return self.key is not None and self.path != Path(MEMORY)

    def update_connection_config(self, creds: Any, config: dict[str, Any]) -> None:
        """Wait until nobody else has the warehouse open: dbt opens it next.

        Raises:
            RuntimeError: it cannot be opened; of this kind dbt shows the message and no traceback.
        """
        if creds.path != MEMORY:
            self.path = Path(creds.path)
        if self.path == Path(MEMORY):
            return
        try:
            warehouse.wait_until_free(self.path, self.wait)
        except MapaError as error:
            raise RuntimeError(error.message) from None
        if self.is_attached:
            # dbt opens nothing, and what `configure_connection` attaches has the name it expects.
            creds.path = MEMORY
            config |= warehouse.closed(self.path) | config | {"temp_file_encryption": True}

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Load the extensions and register the function, for all cursors of the connection."""
        for path in self.extensions:
            conn.execute(f"load '{str(path).replace(chr(39), chr(39) * 2)}'")
        conn.create_function(FUNCTION, self.digest, [VARCHAR], VARCHAR)
        if self.path == Path(MEMORY):
            return
        try:
            if self.key and self.is_attached:
                warehouse.attach(conn, self.path, self.key)
            pseudonyms.require(conn, self.pseudonym_key)
        except MapaError as error:
            raise RuntimeError(error.message) from None

    def configure_cursor(self, cursor: Any) -> None:
        """Let a cursor work in the warehouse: it does not know what its connection uses."""
        if self.is_attached:
            cursor.execute(f"use {quoted(self.path.stem)}")


def _close_dbt(settings: Settings) -> None:
    """Close the folders of dbt, which may be the first that runs here."""
    flags: Any = get_flags()  # type: ignore[no-untyped-call]
    modes.close_dbt(
        Path(getattr(flags, "PROJECT_DIR", None) or settings.dbt_project_dir),
        Path(getattr(flags, "TARGET_PATH", None) or settings.dbt_target_path),
        Path(getattr(flags, "LOG_PATH", None) or settings.dbt_log_path),
    )
