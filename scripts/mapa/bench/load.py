"""What loading SISREG over HTTP costs, beside the least and beside the usual way.

The least is DuckDB parsing the very pages that the loader has landed, every column of them, and
storing nothing. The usual way is a list of dicts per page, a DataFrame, and Parquet. Each runs in a
process of its own against a door of the same documents; read the ratios, not the seconds.
"""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any

import click
import duckdb
import httpx
import pandas as pd
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from mapa.bench.cost import Cost, measure
from mapa.bench.mill import MOST, grinding
from mapa.load import sisreg
from mapa.load.documents import Shape, literal, quoted
from mapa.load.layouts import API_LAYOUTS
from mapa.load.window import Window, false_z
from mapa.settings import Settings

INDEX = "solicitacao-ambulatorial"
LIMIT_MB = 800
"""Peak memory that a load may reach, however many documents it reads."""
MOST_OF_FLOOR, MOST_OF_USUAL = 2.4, 0.25
USUAL_SAMPLE = 30_000
"""Documents that the usual way reads: its cost grows with them and its memory does too."""


def load(url: str, folder: Path, index: str) -> int:
    """Load the index as an operator would."""
    settings = Settings(
        mapa_dir=folder, sisreg_url=url, sisreg_user="mill", sisreg_password=SecretStr("-")
    )
    (summary,) = sisreg.load(settings, index)
    return summary.tally.loaded


def floor(folder: Path, index: str) -> int:
    """Parse the landed pages with DuckDB and store nothing."""
    layout = next(layout for layout in API_LAYOUTS if layout.name == index)
    shape = Shape(layout)
    names = ", ".join(f"count(h._source.{quoted(name)})" for name in layout.columns)
    con = duckdb.connect()
    con.execute("set threads = 1")
    count = 0
    for page in folder.glob("landing/sisreg/*/pagina-*"):
        documents = read_page(page, shape.struct())
        row = con.execute(
            f"select count(*), {names} from (select unnest(hits.hits) as h from {documents})"
        ).fetchone()
        count += row[0] if row else 0
    return count


def usual(url: str, folder: Path, index: str, count: int) -> int:
    """Read `count` documents page by page as dicts, make DataFrames and write Parquet."""
    alias, until = f"{index}-df-brasilia", Window(None, pd.Timestamp.now().to_pydatetime()).until
    outside = {"range": {"data_atualizacao": {"gte": false_z(until)}}}
    request: dict[str, Any] = {
        "size": 5000,
        "query": {"bool": {"filter": [{}, {"bool": {"must_not": [outside]}}]}},
    }
    read = 0
    with httpx.Client(base_url=url, timeout=60) as client:
        for number in itertools.count():
            hits = client.post(f"/{alias}/_search", json=request).json()["hits"]["hits"]
            frame = pd.DataFrame([hit["_source"] for hit in hits])
            frame.astype(str).to_parquet(folder / f"{number}.parquet")
            read += len(hits)
            if read >= count or not hits:
                return read
            request["search_after"] = hits[-1]["sort"]
    raise AssertionError("pages never end")


def compare(documents: int, index: str = INDEX) -> tuple[Cost, Cost, Cost]:
    """Return the costs of the load, of parsing alone, and of the usual way."""
    with grinding(index, documents) as url, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        loaded = measure(load, url, folder, index)
        parsed = measure(floor, folder, index)
        dicts = measure(usual, url, folder, index, min(USUAL_SAMPLE, documents))
    return loaded, parsed, dicts


@click.command(name="load")
@click.option(
    "--documents",
    default=300_000,
    show_default=True,
    type=click.IntRange(1000, MOST),
    help="Documents to load.",
)
@click.option(
    "--index",
    default=INDEX,
    show_default=True,
    type=click.Choice([layout.name for layout in API_LAYOUTS]),
    help="Which index the documents are of.",
)
def main(documents: int, index: str) -> None:
    """Load documents over HTTP and compare CPU and memory with other ways."""
    loaded, parsed, dicts = compare(documents, index)
    shown = Table(title=f"{documents} documents of {index}", title_justify="left")
    shown.add_column("way")
    for name in ("documents", "CPU s", "CPU s per million", "wall s", "peak MB", "ratio of load"):
        shown.add_column(name, justify="right")
    ways = {"mapa load sisreg": loaded, "DuckDB parses": parsed, "dicts to Parquet": dicts}
    for way, cost in ways.items():
        shown.add_row(
            way,
            str(cost.count),
            f"{cost.cpu:.1f}",
            f"{cost.per_million:.1f}",
            f"{cost.wall:.0f}",
            f"{cost.rss:.0f}",
            f"{loaded.per_million / cost.per_million:.2f}",
        )
    Console(width=100).print(shown)
    click.echo(
        f"Goals: at most {MOST_OF_FLOOR} of parsing, {MOST_OF_USUAL} of dicts, {LIMIT_MB} MB."
    )


if __name__ == "__main__":
    main()
