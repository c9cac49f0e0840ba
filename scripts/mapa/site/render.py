"""Pages become files: HTML by Jinja2, charts as SVG, data as classic scripts."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mapa.site import charts, offers, text
from mapa.site.blocks import Chart, Listing
from mapa.site.cube import MONTH, Cube, said, script
from mapa.site.page import MENU, TRAVELLING, Page, file_name
from mapa.site.prose import inline, markdown
from mapa.site.release import Release
from mapa.site.sentences import Filler
from mapa.site.serve import NOT_FOUND, POLICY

ASSETS = Path(__file__).with_name("assets")


class Renderer:
    """Writes the pages of a release into a folder."""

    def __init__(self, release: Release, folder: Path, paths: Collection[str]) -> None:
        """Take a release, a folder that exists and the paths of all pages that it will hold."""
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
            "markdown": markdown,
        }
        self.environment.globals |= {
            "release": release,
            "menu": [(path, title) for path, title in MENU if path in paths],
            "policy": POLICY,
            "percent": text.percent,
            "per_thousand": text.per_thousand,
            "inline": inline,
            "said_of": said,
            "MONTH": MONTH,
        }

    def assets(self, before: Path | None = None) -> None:
        """Write what all pages share; the chart library is taken from a site of before."""
        folder = self.folder / "recursos"
        folder.mkdir()
        for file in sorted(ASSETS.iterdir()):
            (folder / file.name).write_bytes(file.read_bytes())
        known = before / "recursos" / charts.LIBRARY if before else None
        if known and known.exists():
            shutil.copyfile(known, folder / charts.LIBRARY)
        else:
            (folder / charts.LIBRARY).write_text(charts.library(), encoding="utf-8")
        self.script("versao.js", "MAPA.version", self._facts())
        # Whatever the address, a server shows this one; it stands alone.
        missing = self.environment.get_template("not_found.html").render()
        (self.folder / NOT_FOUND).write_text(missing, encoding="utf-8")

    def write(self, page: Page) -> Path:
        """Write a page, and the script with its data when it has any."""
        target = self.folder / page.path
        target.parent.mkdir(parents=True, exist_ok=True)
        context: dict[str, Any] = {"page": page, **page.content}
        if page.cube:
            context |= self._filled(page)
            first, *others = parts = page.cube.parts()
            named = {f"{page.name}_{part.name}.js": part for part in parts} if others else {}
            content = self._for_the_browser(page) | {
                "rows": None if named else first.content,
                "parts": [
                    {"file": f"dados/{name}", "months": part.months} for name, part in named.items()
                ],
            }
            self.script(f"{page.name}.js", "MAPA.start", content)
            for at, (name, part) in enumerate(named.items()):
                self.script(name, "MAPA.part", {"at": at, **part.content})
        if page.script:
            self.script(f"{page.name}.js", *page.script)
        if page.later:
            self.script(page.rest, *page.later)
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
        cubes: dict[str, Cube] = {"": page.cube, **page.others}
        fillers = {name: Filler(cube, page.lists) for name, cube in cubes.items()}
        rows = {
            block.name: block.rows(cubes[block.of] if isinstance(block, Chart) else page.cube)
            for block in page.blocks
            if isinstance(block, Chart | Listing)
        }
        return {
            "fill": lambda texts, of="": fillers[of].fill(texts),
            "value": fillers[""].value,
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
        return {
            "cube": page.cube.for_the_browser(),
            "others": {
                name: {"cube": cube.for_the_browser(), "rows": cube.parts()[0].content}
                for name, cube in page.others.items()
            },
            "filters": page.filters,
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
            "library": charts.LIBRARY,
            "numbers": charts.number_format(),
        }

    def _facts(self) -> dict[str, Any]:
        """Return what the browser needs on every page: for downloads, citations and links."""
        release = self.release
        return {
            "day": text.day(release.as_of),
            "iso": str(release.as_of),
            "version": release.version,
            "source": release.source,
            "licence": release.licence,
            "synthetic": bool(release.synthetic),
            "owner": release.owner,
            "travelling": TRAVELLING,
            "definitions": offers.meanings(release),
        }
