"""The whole site of a version, written in one go."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mapa.site import outlines
from mapa.site.dictionary import Dictionary
from mapa.site.pages import all_pages
from mapa.site.release import opened
from mapa.site.render import Renderer


def write(
    database: Path,
    folder: Path,
    version: Mapping[str, Any],
    described: Dictionary,
    before: Path | None = None,
) -> int:
    """Write the site of a version and return how many pages it has.

    Args:
        database: the published file.
        folder: where the site goes; it must not exist.
        version: manifest of the version, with the files that stand beside the site.
        described: what dbt knows of the build that made it.
        before: the site of the version before, if there is one.

    Raises:
        PublishError: the file does not say what it describes.
        ConfigError: the outlines cannot be read.
    """
    drawn = outlines.read(described.project / "seeds" / outlines.NAME)
    folder.mkdir()
    with opened(database, version["version"], version["publisher"], drawn) as release:
        pages = list(all_pages(release, described, version))
        renderer = Renderer(release, folder, {page.path for page in pages})
        renderer.assets(before)
        for page in pages:
            renderer.write(page)
    return len(pages)
