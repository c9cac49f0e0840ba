"""Espelho das variáveis: every field of every source, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mapa.site.dictionary import Dictionary
from mapa.site.mirror import layouts
from mapa.site.page import Page
from mapa.site.pages.dictionary import FOLDER, Texts

READING = """
## Como ler

* **Significado e forma** são os dos manuais e arquivos públicos das fontes; nenhum exemplo é de
  dado real. Leiautes marcados como do projeto foram desenhados aqui, porque nenhum foi publicado.
* **Colunas que vêm dele** são as calculadas do valor do campo, lidas do próprio código que as
  calcula. O que só liga ou filtra linhas não conta. De uma parte de um objeto se mostram as do
  objeto.
* **Até a camada** é a última em que um valor dele chega. Um campo que fica na *preparação* está
  limpo e pronto, e nenhum resultado se calcula dele por enquanto.
* **Não é lido** traz a razão. O que nunca é carregado fica só no arquivo recebido, em área
  restrita.
"""


def pages(dictionary: Dictionary, version: Mapping[str, Any]) -> Iterator[Page]:
    """Yield the page.

    Args:
        dictionary: what dbt knows of the build.
        version: its `manifest.json`, with `source_drift`.

    """
    variables = layouts(dictionary, version.get("source_drift", ()))
    fields = [one for layout in variables for one in layout.variables]
    yield Page(
        f"{FOLDER}/espelho.html",
        "Espelho das variáveis",
        template="mirror.html",
        content={
            "layouts": variables,
            "addresses": dictionary.addresses,
            "html": Texts(dictionary).html,
            "counts": {
                "fields": len(fields),
                "told": sum(1 for one in fields if one.significado),
                "read": sum(1 for one in fields if one.colunas),
                "published": sum(1 for one in fields if one.publicadas),
                "unread": sum(1 for one in fields if one.por_que_nao and one.coluna),
                "withheld": sum(1 for one in fields if not one.coluna),
            },
            "different": [
                layout
                for layout in variables
                if layout.unknown or any(one.diferenca for one in layout.variables)
            ],
            "reading": READING,
        },
    )
