"""`mapa compare`: which cells of which tables differ between two warehouses."""

from __future__ import annotations

import json
from pathlib import Path

import click

from mapa import compare as warehouses
from mapa.errors import CheckError
from mapa.settings import Settings
from mapa.ui import say

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(short_help="Compare all cells of two warehouses.")
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
@click.option("--ignore", multiple=True, metavar="COLUMN", help="Leave a column out; repeatable.")
@click.option("--inner", is_flag=True, help="Also raw, control and intermediate tables.")
def compare(before: Path, after: Path, ignore: tuple[str, ...], inner: bool) -> None:
    """Compare all cells of two warehouses, or of two published files, table by table.

    It proves that a change of the models changed nothing, or shows what it changed: build the same
    extracts before and after it. Rows are compared whole, whatever their order; where dbt's
    manifest says what a row of a table is, the columns that differ are named. Values never are.
    """
    if before.samefile(after):
        raise click.BadParameter(f"{before} and {after} are one file; two are compared.")
    found = warehouses.compare(before, after, _grain(Settings.load()), ignore, inner=inner)
    different = [comparison for comparison in found if not comparison.equal]
    for comparison in different:
        click.echo(comparison)
    if different:
        raise CheckError(f"{len(different)} of {len(found)} tables differ.")
    say(f"All {len(found)} tables are equal, cell by cell.")


def _grain(settings: Settings) -> dict[str, list[str]]:
    """Return the key of each model that dbt's manifest knows; nothing without one."""
    try:
        nodes = json.loads((settings.dbt_target_path / "manifest.json").read_bytes())["nodes"]
    except (OSError, ValueError, KeyError):
        return {}
    return {
        node["name"]: node["config"]["meta"]["grao"]
        for node in nodes.values()
        if node["config"].get("meta", {}).get("grao")
    }
