"""`mapa spark`: the same models on Spark, over exported raw tables."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mapa import export, identity_spark, modes, pseudonyms
from mapa.errors import BuildError, ConfigError
from mapa.settings import Settings
from mapa.ui import say

if TYPE_CHECKING:
    from mapa.spark import House

BUILD = ("build", "--exclude-resource-type", "unit_test")


@click.command(
    short_help="Build on Spark what `mapa export raw` wrote.",
    context_settings={"ignore_unknown_options": True},
)
@click.argument("raw", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("dbt", nargs=-1, type=click.UNPROCESSED)
@click.option("--identity", is_flag=True, help="Then score for the next build over RAW, by splink.")
def spark(raw: Path, dbt: tuple[str, ...], identity: bool) -> None:
    """Run dbt on Spark over the folder RAW that `mapa export raw` wrote.

    DBT is a command of dbt with its options, by default `build` without unit tests. The target
    `spark` of profiles.yml says which master and where tables are written (MAPA_DIR/spark);
    MAPA_SPARK_MASTER names another master than this machine, as spark://host:7077.

    With --identity the requests that no number links are scored after a green build, as
    `mapa identity` does it on DuckDB, and the pairs are written into RAW.

    Example:
        mapa spark /dados/bruto build --select +fila_por_mes

    """
    settings = Settings.load()
    key, found = settings.pseudonym_key(), export.read(raw)
    if found.key not in (None, pseudonyms.version(key)):
        raise ConfigError(
            f"MAPA_PSEUDONYM_KEY has version {pseudonyms.version(key)}, and the house that was "
            f"exported builds with version {found.key}.\nSet the key of that house."
        )
    _require()
    settings.make_directory()
    logs = (settings.dbt_project_dir, settings.dbt_target_path, settings.dbt_log_path)
    modes.close_dbt(*logs)
    # Workers have folders of their own, so that nothing may be relative.
    os.environ["MAPA_DIR"] = str(settings.mapa_dir.resolve())
    # Workers start the Python of this environment where they find it.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    from mapa.spark import House  # noqa: PLC0415 - an extra

    house = House(found, key, identity_spark.jar() if identity else "")
    if not _run(house, [*(dbt or BUILD), "--target", "spark"]):
        raise BuildError(f"dbt failed on Spark. The details are in {logs[2] / 'dbt.log'}.")
    if identity and house.spark:
        say(f"{identity_spark.score(house.spark, found)} pairs scored; build again over {raw}.")


def _require() -> None:
    if find_spec("pyspark") is None or find_spec("dbt.adapters.spark") is None:
        raise ConfigError("Spark is not installed. Type: pip install 'mapa-social-da-saude[spark]'")
    home = os.environ.get("JAVA_HOME")
    if not (Path(home, "bin", "java").exists() if home else shutil.which("java")):
        raise ConfigError(
            "Spark needs Java 17 or newer, and there is none.\n"
            "Install one (Debian: openjdk-17-jre-headless) or set JAVA_HOME."
        )


def _run(house: House, arguments: list[str]) -> bool:
    """Run dbt in this process, whose session of Spark is the house's; say whether it was green."""
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - seconds

    from mapa.spark import attach  # noqa: PLC0415 - an extra

    attach(house)
    result = dbtRunner().invoke(arguments)
    if result.exception:
        click.echo(str(result.exception), err=True)
    return result.success
