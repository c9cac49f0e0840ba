"""`mapa key`: another key, and what is encrypted as it was received."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mapa import landing, pseudonyms, rotation
from mapa.settings import Settings, read_key_file
from mapa.ui import say


@click.group(short_help="Encrypt what is there, change a key, read an encrypted file.")
def key() -> None:
    """Encrypt what is there, change a key, read an encrypted file.

    Key files hold the key alone, are closed to others (0600) and stand apart from MAPA_DIR.
    """


@key.command()
@click.option(
    "--new-file", type=click.Path(dir_okay=False, path_type=Path), help="File with the new key."
)
@click.option("--decrypt", is_flag=True, help="Leave warehouse and landing without encryption.")
def warehouse(new_file: Path | None, decrypt: bool) -> None:
    """Give warehouse and landing another key, or their first one.

    The key that is set (MAPA_WAREHOUSE_KEY, MAPA_WAREHOUSE_KEY_FILE) is the old one; set none for a
    house that is not encrypted yet. Afterwards set the new one. Interrupted, the same command goes
    on; nothing is ever without a key that opens it.
    """
    if (new_file is None) != decrypt:
        raise click.UsageError("Give --new-file FILE, or --decrypt.")
    new = read_key_file(new_file) if new_file else None
    done = rotation.rotate(Settings.load(), new)
    wrote = "the warehouse and " if done.warehouse else ""
    say(f"Wrote {wrote}{done.files} files anew.")
    if new:
        say(f"Now set MAPA_WAREHOUSE_KEY_FILE={new_file} (version {new.version}).")
    else:
        say("Now set no key; nothing is encrypted.")


@key.command()
def pseudonym() -> None:
    """Make way for another MAPA_PSEUDONYM_KEY, which is set already.

    All that was built with the old one is deleted and the warehouse is written anew without it; raw
    and landing stay. Then build and publish: `mapa run`, or `dbt build` and `mapa publish`. Until
    this was done, dbt refuses a key that is not that of the pseudonyms in the warehouse.
    """
    count = pseudonyms.rotate(Settings.load())
    say(f"Deleted {count} built tables and views; now build anew with the new key.\n  dbt build")


@key.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def cat(file: Path) -> None:
    """Write a file of landing or of the inbox to the standard output as it was received."""
    for piece in landing.pieces(file):
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
