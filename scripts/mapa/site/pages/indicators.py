"""Indicadores: the catalogue, and a sheet for each one that is worked out."""

from __future__ import annotations

from collections.abc import Iterator

from mapa.site.dictionary import Dictionary
from mapa.site.indicators import STATES, example, sheets
from mapa.site.page import Page


def pages(dictionary: Dictionary) -> Iterator[Page]:
    """Yield the catalogue and the sheets."""
    states = {sheet.number: sheet.state(dictionary) for sheet in sheets()}
    yield Page(
        "indicadores/index.html",
        "Indicadores",
        template="indicators.html",
        content={"sheets": sheets(), "states": states, "kinds": STATES.values()},
    )
    for sheet in sheets():
        if sheet.question:
            yield Page(
                f"indicadores/{sheet.address}",
                f"Indicador {sheet.number}: {sheet.name}",
                template="indicator.html",
                content={
                    "sheet": sheet,
                    "state": states[sheet.number],
                    "places": sheet.places(dictionary),
                    "example": example(sheet.example) if sheet.example else None,
                },
            )
