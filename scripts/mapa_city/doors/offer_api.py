"""A second door of the city: its schedules as an offer API such as the agreement's pilot may have.

Nobody has published that API, so this one is made up: nested objects, ISO dates, numbered weekdays
and pages. `docs/oferta_api.exemplo.toml` maps it back to the columns of the export.
"""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mapa_city.doors.server import HOST, Simulated, listen

PATH = "/v1/escalas"
TOKEN = "ficha-sintetica"  # noqa: S105 - opens nothing but a synthetic city
MOST = 1000


def records(schedules: list[dict[str, str | None]], example: Path) -> list[dict[str, Any]]:
    """Return schedules of the export as the API words them, by the example's map read backwards."""
    content = tomllib.loads(example.read_text())
    values = content["valores"]
    words = {
        column: {ours: theirs for theirs, ours in table.items()}
        for column, table in values.items()
        if isinstance(table, dict)
    }
    return [_nested(row, content["campos"], words) for row in schedules]


def application(offer: list[dict[str, Any]]) -> Starlette:
    """Return the application that serves these records page by page."""

    async def page(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"erro": "não autorizado"}, 401)
        number = int(request.query_params.get("pagina", 1))
        size = min(int(request.query_params.get("tamanho", 100)), MOST)
        part = offer[(number - 1) * size : number * size]
        return JSONResponse({"dados": {"total": len(offer), "itens": part}})

    return Starlette(routes=[Route(PATH, page)], middleware=[Middleware(Simulated)])


@contextmanager
def serving(offer: list[dict[str, Any]]) -> Iterator[str]:
    """Serve the records on a free port until the block ends, and give the base address."""
    sock = listen(0)
    server = uvicorn.Server(uvicorn.Config(application(offer), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        sock.close()


def _nested(
    row: dict[str, str | None], fields: dict[str, str], words: dict[str, dict[str, str]]
) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for column, where in fields.items():
        *above, last = where.split(".")
        place = record
        for name in above:
            place = place.setdefault(name, {})
        place[last] = _worded(column, row.get(column), words.get(column, {}))
    return record


def _worded(column: str, value: str | None, words: dict[str, str]) -> Any:
    """Return a value in the API's words: ISO dates, true and false, numbers as numbers."""
    if value is None:
        return None
    if column.startswith("data_") and value.count("/") == 2:
        return "-".join(reversed(value.split("/")))
    word = words.get(value, value)
    if column.startswith("qtd_") and word.isdigit():
        return int(word)
    return {"true": True, "false": False}.get(word, word)
