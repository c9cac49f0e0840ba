"""Where the links of a folder of pages lead, followed as a browser would, without one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lxml import html

from mapa.site.serve import NOT_FOUND

LINKS = ("href", "src", "action", "data", "poster", "srcset")
"""Attributes that lead somewhere."""
INLINE = ("style", "srcdoc")
"""Attributes that the pages' own Content-Security-Policy forbids; so are handlers (`on…`)."""


class Site:
    """The pages under a folder."""

    def __init__(self, folder: Path) -> None:
        """Read every page but the one for what is not found, which knows no folder."""
        self.folder = folder.resolve()
        self.pages = {
            path: html.parse(path).getroot()
            for path in self.folder.rglob("*.html")
            if path.name != NOT_FOUND
        }
        self.names = {path: _names(page) for path, page in self.pages.items()}

    def broken(self) -> list[str]:
        """Return each link that leads to no file or no place on its page.

        A fragment with `=` is the state of a page and no place on it.
        """
        return sorted(
            {
                f"{path.relative_to(self.folder)}: {link}"
                for path, page in self.pages.items()
                for link in _links(page)
                if not self._leads_somewhere(path, link)
            }
        )

    def forbidden(self) -> list[str]:
        """Return what the policy of the pages would not let run, and ids that stand twice."""
        found = []
        for path, page in self.pages.items():
            name = path.relative_to(self.folder)
            for element in page.iter("*"):
                if element.tag == "style" or (element.tag == "script" and element.text):
                    found.append(f"{name}: inline <{element.tag}>")
                found += [
                    f"{name}: {attribute} of <{element.tag}>"
                    for attribute in element.attrib
                    if attribute in INLINE or attribute.startswith("on")
                ]
            twice = [i for i, times in Counter(page.xpath("//@id")).items() if times > 1]
            found += [f"{name}: id {i} twice" for i in twice]
        return found

    def _leads_somewhere(self, path: Path, link: str) -> bool:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            return parts.scheme == "https" or link == "data:,"
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not target.is_file():
            return False
        fragment = unquote(parts.fragment)
        if not fragment or "=" in fragment:
            return True
        return target in self.names and fragment in self.names[target]


def _names(page: html.HtmlElement) -> set[str]:
    """Return the places on a page that a link may name."""
    return {str(name) for name in page.xpath("//@id")}


def _links(page: html.HtmlElement) -> Iterator[str]:
    """Yield where the elements of a page lead."""
    for element in page.iter("*"):
        yield from (str(element.get(name)) for name in LINKS if element.get(name))
