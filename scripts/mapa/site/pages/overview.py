"""Visão geral: what the house says today, in a few sentences, and where to read on."""

from __future__ import annotations

from collections.abc import Iterator

from mapa.site import offers
from mapa.site.blocks import Chart
from mapa.site.cube import MONTH
from mapa.site.page import Page
from mapa.site.pages.offer import SUM
from mapa.site.release import Release


def pages(release: Release) -> Iterator[Page]:
    """Yield the first page."""
    yield Page(
        "index.html",
        "Visão geral",
        template="overview.html",
        cube=offers.offer(release).only("regiao"),
        blocks=(
            *offers.FINDINGS,
            SUM,
            Chart("meses", "Oferta mês a mês", offers.PARTS, by=MONTH, shape="columns"),
        ),
        filters=("de", "ate", "regiao"),
        lists={"causas": offers.CAUSES},
        definitions=release.described("pub_oferta_real_por_mes"),
    )


def nothing() -> Page:
    """Return the first page of a version that holds no offer."""
    return Page("index.html", "Visão geral", template="nothing.html")
