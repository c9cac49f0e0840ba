"""Pages become files: HTML by Jinja2, charts as SVG, data as classic scripts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from mapa.site import charts, text
from mapa.site.blocks import Chart, Listing
from mapa.site.cube import MONTH, script
from mapa.site.page import MENU, TRAVELLING, Page, file_name
from mapa.site.release import Release
from mapa.site.sentences import Filler

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'none'; base-uri 'none'; form-action 'none'"
)
"""Also what a web server should send; there `frame-ancestors` may be added."""
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
ASSETS = Path(__file__).with_name("assets")


class Renderer:
    """Writes the pages of a release into a folder."""

    def __init__(self, release: Release, folder: Path) -> None:
        """Take a release and a folder that exists."""
        self.release = release
        self.folder = folder
        self.environment = Environment(
            loader=PackageLoader("mapa.site"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.filters |= {
            "n": text.number,
            "day": text.day,
            "month": text.month,
            "signed": text.signed,
            "file_name": file_name,
            "markdown": _markdown,
        }
        self.environment.globals |= {
            "release": release,
            "menu": MENU,
            "policy": POLICY,
            "percent": text.percent,
            "per_thousand": text.per_thousand,
            "MONTH": MONTH,
        }

    def assets(self) -> None:
        """Write what all pages share."""
        folder = self.folder / "recursos"
        folder.mkdir()
        for file in sorted(ASSETS.iterdir()):
            (folder / file.name).write_bytes(file.read_bytes())
        (folder / "vega.js").write_text(charts.library(), encoding="utf-8")

    def write(self, page: Page) -> Path:
        """Write a page, and the script with its data when it has any."""
        target = self.folder / page.path
        target.parent.mkdir(parents=True, exist_ok=True)
        context: dict[str, Any] = {"page": page, **page.content}
        if page.cube:
            context |= self._filled(page)
            self.script(f"{page.name}.js", "MAPA.start", self._for_the_browser(page))
        shown = self.environment.get_template(page.template).render(context)
        target.write_text(shown, encoding="utf-8")
        return target

    def script(self, name: str, call: str, content: Any) -> None:
        """Write data as a classic script, which also a page from a folder may load."""
        folder = self.folder / "dados"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(script(call, content), encoding="utf-8")

    def _filled(self, page: Page) -> dict[str, Any]:
        """Return what stands on a page before anything is chosen."""
        assert page.cube is not None  # noqa: S101 - the caller looked
        filler = Filler(page.cube, page.lists)
        rows = {
            block.name: block.rows(page.cube)
            for block in page.blocks
            if isinstance(block, Chart | Listing)
        }
        return {
            "fill": filler.fill,
            "value": filler.value,
            "rows": rows,
            "period": page.cube.period("tudo"),
            "drawing": lambda block, width: Markup(  # noqa: S704 - drawn by the chart library
                charts.drawn(block, rows[block.name], width)
            ),
            "widths": (("largo", charts.WIDE), ("estreito", charts.NARROW)),
        }

    def _for_the_browser(self, page: Page) -> dict[str, Any]:
        """Return what the browser needs to draw a page anew."""
        assert page.cube is not None  # noqa: S101 - the caller looked
        release = self.release
        return {
            "name": page.name,
            "cube": page.cube.for_the_browser(),
            "filters": page.filters,
            "elsewhere": [name for name in TRAVELLING if name not in page.filters],
            "blocks": [block.for_the_browser() for block in page.blocks],
            "lists": page.lists,
            "definitions": page.definitions,
            "charts": {
                block.name: {
                    "wide": charts.compiled(block, charts.WIDE),
                    "narrow": charts.compiled(block, charts.NARROW),
                }
                for block in page.blocks
                if isinstance(block, Chart)
            },
            "numbers": charts.number_format(),
            "facts": {
                "day": text.day(release.as_of),
                "iso": str(release.as_of),
                "version": release.version,
                "source": release.source,
                "licence": release.licence,
                "synthetic": bool(release.synthetic),
                "owner": release.owner,
            },
        }


def write_all(release: Release, folder: Path, pages: Iterable[Page]) -> int:
    """Write a whole site and return how many pages it has."""
    renderer = Renderer(release, folder)
    renderer.assets()
    return len([renderer.write(page) for page in pages])


def _markdown(source: str) -> Markup:
    """Turn a description of the dictionary into HTML; HTML in it stays text."""
    return Markup(MARKDOWN.render(source))  # noqa: S704 - the library escapes what it is given
