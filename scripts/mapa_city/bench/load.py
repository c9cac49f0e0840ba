"""What loading SISREG over HTTP costs, beside the least and beside the usual way.

The least is DuckDB parsing every column of what the loader has landed and storing nothing: the very
pages, and the same documents as plain lines. Then DuckDB puts the pages into a table, with nothing
asked for, compared or checked: no loader into DuckDB can cost less. The usual way is the official
client, a list of dicts, a DataFrame and Parquet. Each runs in processes of its own on the same
documents; what is short runs three times and its best run counts. Read the ratios, not the seconds.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import duckdb
import orjson
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from mapa.layouts import named, of_indices
from mapa.load import sisreg
from mapa.load.documents import Shape
from mapa.load.hits import opened
from mapa.load.window import Window
from mapa.packing import MAX_PLAIN, unpack
from mapa.settings import Settings
from mapa.sql import literal, quoted
from mapa.warehouse import MEMORY
from mapa_city.bench.cost import Cost, measure
from mapa_city.bench.mill import BEGIN, MOST, grinding

INDEX = "solicitacao-ambulatorial"
LIMIT_MB = 800
"""Peak memory that a load may reach, however many documents it reads."""
SAMPLE_PAGES = 20
"""Pages that the other ways read: their CPU grows as the pages do."""
PAGE = 5000
RUNS = 3
SHORT = 300_000
"""Documents of which a load, too, runs more than once."""


def load(url: str, folder: Path, index: str) -> int:
    """Load the index as an operator would."""
    settings = Settings(
        mapa_dir=folder, sisreg_url=url, sisreg_user="mill", sisreg_password=SecretStr("-")
    )
    (summary,) = sisreg.load(settings, index)
    return summary.tally.loaded


def parse_pages(folder: Path, index: str) -> int:
    """Parse landed pages with DuckDB as they are, each one object, and store nothing."""
    room = 2 * MAX_PLAIN
    source = Shape(named(index)).struct()
    kind = f"STRUCT(hits STRUCT(_source {source})[])".replace("'", "''")
    relation = (
        "(select unnest(hits.hits) as h from read_json('{}', format='unstructured', records=true, "
        f"maximum_object_size={room}, columns={{{{hits: '{kind}'}}}}))"
    )
    return _parse(_landed(folder), relation, "h._source.", index)


def store_pages(folder: Path, index: str) -> int:
    """Put landed pages into a table like the warehouse's own, and do nothing else with them."""
    layout, count = named(index), 0
    with (
        tempfile.TemporaryDirectory(dir=folder) as name,
        duckdb.connect(
            f"{name}/stored.duckdb",
            config={"storage_compatibility_version": "latest", "memory_limit": MEMORY},
        ) as con,
    ):
        con.execute("set threads = 1")
        con.begin()
        con.execute(f"create schema {layout.table.split('.')[0]}")
        con.execute(layout.ddl())
        for page in _landed(folder):
            with opened(page) as hits:
                rows = con.execute(
                    f"insert into {layout.table} by name (select * exclude (ordem, documento) "
                    f"from ({Shape(layout).relation(hits.file, count)}))"
                ).fetchone()
            count += rows[0] if rows else 0
        con.commit()
    return count


def parse_lines(folder: Path, index: str) -> int:
    """Parse the documents of the same pages as plain lines, and store nothing."""
    columns = ", ".join(
        f"{quoted(c)}: {literal(named(index).type_of(c))}" for c in named(index).columns
    )
    relation = f"read_json('{{}}', format='newline_delimited', columns={{{{{columns}}}}})"
    return _parse(sorted((folder / "lines").iterdir()), relation, "", index)


def _parse(files: list[Path], relation: str, prefix: str, index: str) -> int:
    names = ", ".join(f"count({prefix}{quoted(c)})" for c in named(index).columns)
    con, count = duckdb.connect(), 0
    con.execute("set threads = 1")
    for file in files:
        row = con.execute(f"select count(*), {names} from {relation.format(file)}").fetchone()
        count += row[0] if row else 0
    return count


def write_lines(folder: Path) -> None:
    """Write the documents of the first pages as plain lines."""
    (folder / "lines").mkdir()
    for page in _landed(folder):
        hits = orjson.loads(unpack(page.read_bytes()))["hits"]["hits"]
        lines = b"\n".join(orjson.dumps(hit["_source"]) for hit in hits)
        (folder / "lines" / f"{page.name}.ndjson").write_bytes(lines)


def _landed(folder: Path) -> list[Path]:
    return sorted(folder.glob("landing/sisreg/*/pagina-*.gz"))[:SAMPLE_PAGES]


def usual(url: str, folder: Path, index: str, most: int) -> int:
    """Scroll with the official client, keep dicts, make one DataFrame of them and write Parquet."""
    # Who only loads data has neither of the two.
    import pandas as pd  # noqa: PLC0415
    from elasticsearch import Elasticsearch, helpers  # noqa: PLC0415

    count = min(most, SAMPLE_PAGES * PAGE)
    window = Window(None, BEGIN + timedelta(seconds=count))
    query = {"query": {"bool": {"filter": [{}, window.clause()]}}}
    with Elasticsearch(url, http_compress=True, request_timeout=60) as client:
        hits = helpers.scan(client, query=query, index=index, size=PAGE)
        read = [hit["_source"] for hit in hits]
    # As text: some fields hold numbers and texts, which Parquet refuses.
    pd.DataFrame(read).astype(str).to_parquet(folder / "usual.parquet")
    return len(read)


def compare(documents: int, index: str = INDEX) -> dict[str, Cost]:
    """Return what each way costs, the load first."""
    with grinding(index, documents) as url, tempfile.TemporaryDirectory() as name:
        times = RUNS if documents <= SHORT else 1
        loads = [measure(load, url, Path(name, str(i)), index) for i in range(times)]
        folder = Path(name, "0")
        write_lines(folder)
        ways: dict[str, tuple[Any, ...]] = {
            "DuckDB parses the pages": (parse_pages, folder, index),
            "DuckDB parses plain lines": (parse_lines, folder, index),
            "DuckDB stores the pages": (store_pages, folder, index),
            "client, dicts, DataFrame, Parquet": (usual, url, folder, index, documents),
        }
        runs = [{way: measure(*work) for way, work in ways.items()} for _ in range(RUNS)]
    found = {"mapa load sisreg": loads} | {way: [run[way] for run in runs] for way in ways}
    return {way: _best(costs) for way, costs in found.items()}


def _best(runs: list[Cost]) -> Cost:
    """Return the least disturbed run, with the memory of the one that took most."""
    return replace(min(runs, key=lambda run: run.cpu), rss=max(run.rss for run in runs))


@click.command()
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
    type=click.Choice([layout.name for layout in of_indices()]),
    help="Which index the documents are of.",
)
def main(documents: int, index: str) -> None:
    """Measure loading over HTTP, beside other ways.

    A load that passes the bound on memory is an error.
    """
    if missing := [name for name in ("pandas", "elasticsearch") if not find_spec(name)]:
        raise click.ClickException(
            f"The usual way needs {' and '.join(missing)}, which come with what developers "
            "install:\n  pip install -e '.[demo,dev]'"
        )
    costs = compare(documents, index)
    loaded = next(iter(costs.values()))
    shown = Table(title=f"{documents} documents of {index}", title_justify="left")
    shown.add_column("way")
    for name in ("documents", "CPU s", "CPU s per million", "wall s", "peak MB", "ratio of load"):
        shown.add_column(name, justify="right")
    for way, cost in costs.items():
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
    if loaded.rss > LIMIT_MB:
        raise click.ClickException(f"The load reached more than {LIMIT_MB} MB.")
