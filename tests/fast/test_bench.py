"""The benchmarks measure what they say: real documents, counted costs, bounded memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mapa import audit, landing, warehouse
from mapa.landing import Folder
from mapa.layouts import named
from mapa.load.documents import Fields
from mapa.load.intake import Intake
from mapa.load.pages import Book
from mapa.load.window import Window, false_z
from mapa_city.bench import load
from mapa_city.bench.cost import measure
from mapa_city.bench.mill import BEGIN, Mill, grinding

DOCUMENTS = 60_000


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Serve a mill."""
    with grinding(load.INDEX, DOCUMENTS) as url:
        yield url


def busy(seconds: float) -> int:
    """Use the CPU for a while and 100 MB of memory."""
    block, end = bytearray(100 * 2**20), time.process_time() + seconds
    while time.process_time() < end:
        pass
    return len(block)


def test_a_cost_is_that_of_the_work_alone() -> None:
    idle, worked = measure(busy, 0.0), measure(busy, 0.5)
    assert idle.count == 100 * 2**20
    assert 0.5 <= worked.cpu - idle.cpu + 0.2 < 5
    assert 100 < worked.rss < 400


def test_a_mill_counts_and_pages_as_the_source_does(url: str) -> None:
    window = Window(BEGIN, BEGIN.replace(minute=10))
    query = {"bool": {"filter": [{}, window.clause()]}}
    with httpx.Client(base_url=url, timeout=60) as client:
        assert client.post("/x/_count", json={"query": query}).json()["count"] == 600
        seen, request = [], {"size": 250, "query": query}
        while hits := client.post("/x/_search", json=request).json()["hits"]["hits"]:
            seen += [hit["_source"] for hit in hits]
            request["search_after"] = hits[-1]["sort"]
    assert len({document["codigo_solicitacao"] for document in seen}) == len(seen) == 600
    moments = [document["data_atualizacao"] for document in seen]
    assert moments == sorted(moments)
    assert moments[0] == false_z(BEGIN)


def test_numbers_of_a_mill_are_all_different() -> None:
    mill = Mill(10_000, b"", [])
    assert len({i * mill.step % mill.count for i in range(mill.count)}) == mill.count


def test_a_long_load_stays_within_the_declared_memory(url: str, tmp_path: Path) -> None:
    cost = measure(load.load, url, tmp_path, load.INDEX)
    assert cost.count == DOCUMENTS
    assert cost.rss < load.LIMIT_MB
    assert measure(load.parse_pages, tmp_path, load.INDEX).count == DOCUMENTS
    assert measure(load.store_pages, tmp_path, load.INDEX).count == DOCUMENTS
    _check_that_pages_do_not_pile_up(tmp_path)
    load.write_lines(tmp_path)
    assert measure(load.parse_lines, tmp_path, load.INDEX).count == DOCUMENTS
    assert measure(load.usual, url, tmp_path, load.INDEX, 12_345).count == 12_345


def _check_that_pages_do_not_pile_up(folder: Path) -> None:
    """Read landed pages again: what waits to be judged is bounded, and in the end nothing waits."""
    (pages,) = folder.glob("landing/sisreg/*")
    layout, files = named(load.INDEX), Folder(folder / "landing", "sisreg", pages.name)
    fields = Fields.read(landing.read(pages / "mapeamento.json"), layout)
    with (
        warehouse.connect(folder / "again.duckdb") as con,
        audit.recording(con, "sisreg", layout.name, "nowhere") as record,
    ):
        book, waits = Book(Intake(record, layout), fields), []
        for path in sorted(pages.glob("pagina-*.gz")):
            book.settle(book.parse(files.adopt(path)))
            waits.append(book.received - book.intake.tally.received)
        assert load.PAGE < max(waits) < DOCUMENTS / 2
        book.flush()
        assert book.received == book.intake.tally.received == DOCUMENTS
