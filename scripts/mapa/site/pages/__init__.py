"""The pages of the site: one module for each kind, found through `all_pages`."""

from __future__ import annotations

from collections.abc import Iterator

from mapa.site.page import Page
from mapa.site.pages import offer, overview, procedures, territory, units
from mapa.site.release import Release

MODULES = (overview, offer, territory, units, procedures)


def all_pages(release: Release) -> Iterator[Page]:
    """Yield every page of a release."""
    for module in MODULES:
        yield from module.pages(release)
