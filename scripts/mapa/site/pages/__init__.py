"""The pages of the site: one module for each kind, found through `all_pages`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mapa.site.dictionary import Dictionary
from mapa.site.page import Page
from mapa.site.pages import (
    about,
    alerts,
    changes,
    data,
    dictionary,
    hours,
    indicators,
    mirror,
    offer,
    overview,
    people,
    plan,
    procedures,
    programme,
    quality,
    territory,
    units,
)
from mapa.site.release import NothingToShowError, Release

MODULES = (
    overview, offer, changes, hours, people, alerts, quality, territory, units, procedures, plan,
    programme,
)  # fmt: skip
"""Pages of the published file alone."""


def all_pages(
    release: Release, described: Dictionary, version: Mapping[str, Any]
) -> Iterator[Page]:
    """Yield every page of a release.

    Args:
        release: the published file.
        described: what dbt knows of the build that made it.
        version: manifest of the version, with the files that stand beside the site.

    """
    for module in MODULES:
        try:
            yield from module.pages(release)
        except NothingToShowError:
            # Whoever comes finds a first page that says so.
            if module is overview:
                yield overview.nothing()
    yield from about.pages(release, described)
    yield from dictionary.pages(release, described)
    yield from mirror.pages(described, version)
    yield from indicators.pages(described)
    yield from data.pages(release, version)
