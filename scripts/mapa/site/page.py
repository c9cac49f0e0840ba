"""A page: where it stands, what it says, and the template that shows it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mapa.site.blocks import Block
from mapa.site.cube import Cube

MENU = (
    ("index.html", "Visão geral"),
    ("oferta.html", "Oferta"),
    ("mudancas.html", "Mudanças"),
    ("horas.html", "Horas"),
    ("fila.html", "Fila"),
    ("espera.html", "Espera"),
    ("faltas.html", "Faltas"),
    ("territorio.html", "Território"),
    ("unidades/index.html", "Unidades"),
    ("procedimentos/index.html", "Procedimentos"),
    ("alertas.html", "Alertas"),
    ("qualidade.html", "Qualidade"),
    ("plano.html", "Plano de trabalho"),
    ("proadi.html", "PROADI-SUS"),
    ("dicionario/index.html", "Dicionário"),
    ("indicadores/index.html", "Indicadores"),
    ("dados.html", "Dados"),
    ("sobre.html", "Sobre"),
)
"""The pages that the menu leads to, in its order."""
TRAVELLING = (
    "de", "ate", "regiao", "area", "unidade", "grupo", "procedimento", "tipo", "causa", "dia",
    "gravidade", "regra", "risco",
)  # fmt: skip
"""Filters that pages share, as their addresses name them."""


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
        path: under the site's folder, with `/`.
        title: its heading.
        template: that shows it.
        content: what the template needs beside the page itself.
        cube: what its blocks add up; None: a page that never changes.
        others: further cubes that some blocks are of, by name. They hear the filters of `cube`:
            what they do not have cannot be chosen of them, and they tell nothing then.
        blocks: what stands on it, sentences first.
        filters: dimensions that can be chosen, in order; `de` and `ate` are the months.
        lists: measures with their names, for sentences that name the largest.
        definitions: what each measure means, for downloads.
        script: call of our module and its argument, for a page without a cube.
        later: the same, in a file that the page asks for when it is needed.

    """

    path: str
    title: str
    template: str = "page.html"
    content: Mapping[str, Any] = field(default_factory=dict)
    cube: Cube | None = None
    others: Mapping[str, Cube] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    filters: tuple[str, ...] = ()
    lists: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    definitions: Mapping[str, str] = field(default_factory=dict)
    script: tuple[str, Any] | None = None
    later: tuple[str, Any] | None = None

    @property
    def name(self) -> str:
        """Return what its data and downloads are called."""
        return self.path.removesuffix(".html").replace("/", "_")

    @property
    def rest(self) -> str:
        """Return what the data that come later are called."""
        return f"{self.name}_resto.js"

    @property
    def root(self) -> str:
        """Return the way from the page to the site's folder."""
        return "../" * self.path.count("/")


def file_name(code: str) -> str:
    """Return what a code is called as a file, the same in `site.js`: no two codes share a name.

    Example:
        >>> file_name("0000001"), file_name("../a_b")
        ('0000001', '_2e__2e__2f_a_5f_b')
    """
    return re.sub(r"[^0-9A-Za-z-]", lambda sign: f"_{ord(sign[0]):x}_", code) or "_"
