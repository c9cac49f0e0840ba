"""Text of the dictionary as HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from markdown_it import MarkdownIt
from markupsafe import Markup

MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
NAMED = re.compile(r"(?<!>)<code>([a-z_0-9]+(?:\.[a-z_0-9]+)?)</code>")


@cache
def markdown(source: str) -> Markup:
    """Turn a description of the dictionary into HTML; HTML in it stays text."""
    return Markup(MARKDOWN.render(source))  # noqa: S704 - the library escapes what it is given


@cache
def inline(source: str) -> Markup:
    """Turn a sentence into HTML without a paragraph around it."""
    return Markup(MARKDOWN.renderInline(source))  # noqa: S704 - as above


def linked(html: Markup, addresses: Mapping[str, str]) -> Markup:
    """Let names in `code` lead to their pages; a name that a link holds already is left alone."""

    def link(found: re.Match[str]) -> str:
        address = addresses.get(found[1])
        return f'<a href="{address}">{found[0]}</a>' if address else found[0]

    return Markup(NAMED.sub(link, html))  # noqa: S704 - only addresses of our own are added


def sentences(source: str) -> list[str]:
    r"""Split a description into sentences, one line each.

    Example:
        >>> sentences("Vagas do mês.\nNulo: não se sabe. Ver `a.b`.")
        ['Vagas do mês.', 'Nulo: não se sabe.', 'Ver `a.b`.']
    """
    return re.split(r"(?<=[.!?])\s+", " ".join(source.split()))
