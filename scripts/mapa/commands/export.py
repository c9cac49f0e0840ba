"""`mapa export`: what the house holds, for another engine."""

from __future__ import annotations

from pathlib import Path

import click

from mapa import export as exports
from mapa.errors import ConfigError
from mapa.settings import Settings
from mapa.ui import say


@click.group(short_help="Write raw tables for an engine that opens no DuckDB file.")
def export() -> None:
    """Write raw tables for an engine that opens no DuckDB file."""


@export.command()
@click.option(
    "--to",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write; an earlier export in it is replaced.",
)
@click.option("--plain", is_flag=True, help="Of an encrypted house too: the files have no key.")
def raw(folder: Path, plain: bool) -> None:
    """Write raw and control tables as Parquet, partitioned by state and month, for `mapa spark`.

    What is written is personal data in the clear, with codes and names as they were received, for
    the owner alone (0700, 0600). `mapa destroy` does not reach it: delete it when it was used. It
    is refused in a folder of what is published, and of an encrypted house without --plain.
    """
    settings = Settings.load()
    if settings.warehouse_key() and not plain:
        raise ConfigError(
            "This house is encrypted, and an export is not: nothing was written.\n"
            "With --plain it is written all the same, best to an encrypted disk."
        )
    state = settings.state
    if state is None:
        raise ConfigError(
            f"{settings.in_project('dbt_project.yml')} does not say whose data these are.\n"
            "Set the variable `uf_sigla` there."
        )
    made = exports.write(settings, folder, state)
    say(f"Wrote {sum(t.rows for t in made.tables)} rows of {len(made.tables)} tables to {folder}.")
    say(f"These are personal data in the clear. Build with\n  mapa spark {folder}")
