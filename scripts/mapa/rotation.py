"""Another key for what rests on the disk, and for the pseudonyms.

Whatever moment a rotation is killed at, each file is whole under the old key or the new one, and
`rotacao.json` says that there is something to finish; the same command finishes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import orjson

from mapa import clocks, landing, sealing, warehouse
from mapa.landing import disk
from mapa.load import inbox
from mapa.sealing import Key
from mapa.settings import Settings
from mapa.sql import literal, quoted

MARKER = "rotacao.json"
NEW = "mapa.duckdb.nova"


@dataclass(frozen=True)
class Rotated:
    """What was written anew: files of landing and inbox, and whether the warehouse was."""

    files: int
    warehouse: bool


def unfinished(settings: Settings) -> bool:
    """Say whether a rotation was interrupted."""
    return (settings.mapa_dir / MARKER).exists()


def rotate(settings: Settings, new: Key | None) -> Rotated:
    """Give warehouse, landing and what the inbox has put away another key; None: no encryption.

    The key that is set is the old one, or none. The warehouse is held meanwhile, so that nothing is
    loaded. Only what is not yet under the new key is written.

    Raises:
        LockedError: another process holds the warehouse.
        ConfigError: a file is under neither key.
        FormatError: a file is damaged.
        DiskError: there is no room for a second warehouse.

    """
    old = settings.warehouse_key()
    count, written = 0, False
    _mark(settings, old, new)
    current = _key_of(settings.warehouse, old, new)
    with warehouse.holding(settings.warehouse, current) as con:
        for path in sealed_files(settings):
            if sealing.version_of(path) != (new.version if new else None):
                landing.reseal(path, old, new)
                count += 1
        if con and current != new:
            rewrite(con, settings.warehouse, new)
            written = True
    (settings.mapa_dir / MARKER).unlink()
    landing.sync(settings.mapa_dir)
    return Rotated(count, written)


def _key_of(path: Path, old: Key | None, new: Key | None) -> Key | None:
    """Return which of two keys the warehouse has: an interrupted rotation may have come so far."""
    if not warehouse.is_encrypted(path):
        return None
    for key in (new, old):
        if key and warehouse.fits(path, key):
            return key
    return old


def _mark(settings: Settings, old: Key | None, new: Key | None) -> None:
    note = {
        "de": old and old.version, "para": new and new.version, "iniciada_em": clocks.now(),
    }  # fmt: skip
    with disk(settings.mapa_dir):
        settings.make_directory()
        marker = settings.mapa_dir / MARKER
        landing.write_whole(marker, orjson.dumps(note, option=orjson.OPT_INDENT_2))


def sealed_files(settings: Settings) -> Iterator[Path]:
    """Yield the files that are sealed in an encrypted house, in order; remnants are removed."""
    places = (
        settings.landing,
        *(inbox.folder(settings) / n for n in (inbox.LOADED, inbox.REFUSED)),
    )
    for place in places:
        for path in sorted(place.rglob("*")):
            if path.is_symlink() or not path.is_file() or path.name == landing.TRACE:
                continue
            if path.name.endswith(landing.PART):
                path.unlink()
                continue
            yield path


def rewrite(con: duckdb.DuckDBPyConnection, path: Path, key: Key | None) -> None:
    """Write the warehouse anew, so that nothing that was deleted is in it, and under a key.

    The old file is held until the new one has its name, so that nobody writes into it meanwhile.

    Args:
        con: holds the warehouse, with nothing open.
        path: its file.
        key: of the new file; None: it is not encrypted.

    Raises:
        DiskError: there is no room for a second warehouse.

    """
    new = path.with_name(NEW)
    (name,) = con.execute("select current_database()").fetchall()[0]
    with disk(path.parent):
        for leftover in (new, new.with_name(f"{NEW}.wal")):
            leftover.unlink(missing_ok=True)
    try:
        con.execute("checkpoint")
        if key:
            warehouse.attach(con, new, key, name="nova")
        else:
            con.execute(f"attach {literal(str(new))} as nova (storage_version 'latest')")
        con.execute(f"copy from database {quoted(name)} to nova")
        con.execute(f"use {quoted(name)}")
        con.execute("detach nova")
    except duckdb.Error as error:
        refusal = warehouse.explain(path, error)
    else:
        with disk(path.parent):
            new.chmod(0o600)
            landing.sync(new)
            new.replace(path)
            landing.sync(path.parent)
        return
    raise refusal
