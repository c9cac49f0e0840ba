"""What the expansion of a large network's schedules costs, beside the least that it could.

The network is as large as Rio's and spans ten years. The models run as in a real build, with the
profile that the project ships. The least is the best known query of one purpose: dates of schedules
by steps of seven days, without those on leave, whole days only, one kind of slot, no cause.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from datetime import date
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from mapa import warehouse
from mapa.dbt import run_dbt
from mapa.settings import Settings
from mapa_city.bench.cost import Cost, measure
from mapa_city.sql import sql

REFERENCE = date(2026, 6, 30)
LIMIT_MB = 4096
"""Peak memory that the build may reach, DuckDB's own limit and all else together."""


def make_network(settings: Settings, schedules: int) -> None:
    """Write the raw rows of a network, as loads would have left them."""
    with warehouse.connect(settings.warehouse) as con:
        con.execute(sql("bench", "draw"))
        con.execute(sql("bench", "schedules"), [REFERENCE, schedules])
        con.execute(sql("bench", "leaves"), [REFERENCE, schedules // 30])
        con.execute(
            "insert into controle.cargas (carga_id, fonte, entidade, origem, iniciada_em, "
            "terminada_em, versao_codigo, resultado, ordem) values ('banco', 'arquivo', 'escala', "
            "'banco.csv', $1, $1, '-', 'completa', 1)",
            [f"{REFERENCE} 12:00:00"],
        )


def build(settings: Settings, select: str, exclude: str) -> int:
    """Run models with dbt and return how many slots of a day there are."""
    example = settings.dbt_project_dir / "profiles.yml.example"
    shutil.copyfile(example, settings.mapa_dir / "profiles.yml")
    os.environ["DBT_PROFILES_DIR"] = str(settings.mapa_dir)
    chosen = ["--select", select, *(["--exclude", exclude] if exclude else [])]
    kinds = [argument for kind in ("model", "seed") for argument in ("--resource-type", kind)]
    pinned = ["--vars", f"data_referencia: {REFERENCE}"]
    run_dbt(settings, "build", *kinds, *chosen, *pinned, title="dbt build")
    with warehouse.opened(settings.warehouse, read_only=True) as con:
        row = con.execute("select count(*) from intermediario.int_oferta__vagas_por_dia").fetchone()
    return int(row[0]) if row else 0


def least(settings: Settings) -> int:
    """Expand the same schedules by the best known query of one purpose."""
    with warehouse.opened(settings.warehouse, read_only=True) as con:
        con.execute("set threads = 2; set memory_limit = '3GB'")
        con.execute(f"attach '{settings.mapa_dir / 'least.duckdb'}' as least")
        con.execute("use least")
        con.execute(sql("bench", "least"))
        row = con.execute("select count(*) from vagas").fetchone()
    return int(row[0]) if row else 0


def compare(schedules: int) -> dict[str, Cost]:
    """Return what each step costs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings.load()
        if settings.mapa_pseudonym_key is None:
            os.environ["MAPA_PSEUDONYM_KEY"] = secrets.token_hex(32)
        settings = settings.model_copy(
            update={
                "mapa_dir": folder,
                "dbt_target_path": folder / "target",
                "dbt_log_path": folder / "logs",
            }
        )
        make_network(settings, schedules)
        days, month = "+int_oferta__vagas_por_dia", "+oferta_real_por_mes"
        return {
            "least: dates without leaves": measure(least, settings),
            "slots of each day (dbt)": measure(build, settings, days, ""),
            "real offer of the months (dbt)": measure(build, settings, month, days),
        }


@click.command()
@click.option(
    "--schedules",
    default=674_000,
    show_default=True,
    type=click.IntRange(1000),
    help="Schedules of the network; Rio's export has that many.",
)
def main(schedules: int) -> None:
    """Measure the expansion of a large network.

    Beside it stands the least that it could cost. A step that passes the bound on memory is an
    error.
    """
    costs = compare(schedules)
    shown = Table(title=f"{schedules} schedules over ten years", title_justify="left")
    shown.add_column("step")
    for name in ("rows", "CPU s", "CPU s per million", "wall s", "peak MB"):
        shown.add_column(name, justify="right")
    for step, cost in costs.items():
        shown.add_row(
            step,
            str(cost.count),
            f"{cost.cpu:.1f}",
            f"{cost.per_million:.2f}",
            f"{cost.wall:.0f}",
            f"{cost.rss:.0f}",
        )
    Console(width=100).print(shown)
    if any(cost.rss > LIMIT_MB for cost in costs.values()):
        raise click.ClickException(f"A step reached more than {LIMIT_MB} MB.")
