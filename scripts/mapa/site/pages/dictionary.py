"""Dicionário: a cover with a search, a page for each table, the rules and the glossary."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from markupsafe import Markup

from mapa.site import prose, text
from mapa.site.dictionary import PUBLIC, Dictionary, Table
from mapa.site.indicators import sheets, used_by
from mapa.site.page import Page
from mapa.site.release import Release

FOLDER = "dicionario"
LAYERS = {
    PUBLIC: "Publicação: o que qualquer pessoa pode ler",
    "marts": "Resultados (acesso restrito)",
    "intermediate": "Intermediária (acesso restrito)",
    "staging": "Preparação (acesso restrito)",
    "seeds": "Referência: listas e parâmetros do projeto",
    "sources": "Bruta: como as fontes entregaram (acesso restrito)",
}
COVER = (
    "O que é publicado, e o que ainda não",
    "As camadas",
    "Classes da LGPD",
    "Convenções",
    "Limites",
)
"""Parts of the project's overview that stand on the cover."""
RANK = {PUBLIC: 0, "marts": 2, "seeds": 2}
"""How soon an entry of a layer is found; others are the last (3)."""
WORDS = 0.25
"""The same of rules, words and indicators: after the names that are public, before their texts."""
EXTRACT = 80
"""Characters of a description that the search looks through and shows, of what is not public."""
TITLE = re.compile(r"\s*\*\*(.+?)\*\*")
RULE = re.compile(r"(\bregras? )<em>([^<]+)</em>")
"""How a rule begins, and how another text speaks of it."""


@dataclass(frozen=True)
class Facts:
    """What a published table holds.

    Attributes:
        rows: how many.
        period: first and last month or day; None when it has none.
        unknown: rows in which each column is null.

    """

    rows: int
    period: tuple[date, date] | None
    unknown: Mapping[str, int]


def pages(release: Release, dictionary: Dictionary) -> Iterator[Page]:
    """Yield every page of the dictionary."""
    texts = Texts(dictionary)
    indicators = used_by(dictionary)
    entries = list(search(dictionary, texts))
    cover = Page(
        f"{FOLDER}/index.html",
        "Dicionário de dados",
        template="dictionary.html",
        content={
            "agreement": dictionary.agreement,
            "untold": text.UNTOLD,
            "layers": LAYERS,
            "tables": dictionary.tables,
            "html": texts.html,
            "sections": texts.overview(),
            "history": texts.html(dictionary.history),
        },
        later=("MAPA.found", [entry for entry in entries if entry["rank"] >= 1]),
    )
    # Four in five entries are not public: they come when somebody begins to type.
    first = [entry for entry in entries if entry["rank"] < 1]
    yield replace(cover, script=("MAPA.search", {"entries": first, "rest": f"dados/{cover.rest}"}))
    yield Page(
        f"{FOLDER}/regras.html",
        "Regras de contagem",
        template="rules.html",
        content={"rules": texts.rules()},
    )
    yield Page(
        f"{FOLDER}/glossario.html",
        "Glossário",
        template="glossary.html",
        content={"text": texts.html(texts.glossary())},
    )
    published = release.tables()
    for table in dictionary.tables:
        yield Page(
            f"{FOLDER}/{table.file}",
            table.name,
            template="table.html",
            content={
                "table": table,
                "addresses": dictionary.addresses,
                "html": texts.html,
                "facts": facts(release, table) if table.name in published else None,
                "indicators": indicators.get(table.name, {}),
            },
        )


def facts(release: Release, table: Table) -> Facts:
    """Count the rows of a published table, its period and what is not known in it."""
    described = release.described(table.name)
    when = next((name for name in ("competencia", "data") if name in described), None)
    counts = ", ".join(f'count(*) - count("{name}")' for name in described)
    period = f'min("{when}"), max("{when}")' if when else "null, null"
    row = release.con.execute(
        f'select count(*), {period}, {counts} from "{table.name}"'
    ).fetchall()[0]
    return Facts(
        rows=row[0],
        period=(row[1], row[2]) if row[1] else None,
        unknown=dict(zip(described, row[3:], strict=True)),
    )


def search(dictionary: Dictionary, texts: Texts) -> Iterator[dict[str, Any]]:
    """Yield what can be found: public tables and their columns first, then words, then the rest."""
    for table in dictionary.tables:
        rank = RANK.get(table.layer, 3)
        where = f"tabela, {table.layer_name}"
        yield _entry(table.name, table.description, table.file, where, rank)
    for name, title, _ in texts.rules():
        yield _entry(title, "", f"regras.html#{name}", "regra", WORDS)
    for word, meaning in texts.words():
        yield _entry(word, meaning, "glossario.html", "glossário", WORDS)
    for sheet in sheets():
        address = f"../indicadores/{sheet.address}"
        yield _entry(sheet.name, sheet.question, address, f"indicador {sheet.number}", WORDS)
    for table in dictionary.tables:
        for column in table.columns:
            yield _entry(
                column.name,
                column.description,
                f"{table.file}#{column.anchor}",
                f"em {table.name}",
                RANK.get(table.layer, 3),
            )


def _entry(name: str, text: str, at: str, where: str, rank: float) -> dict[str, Any]:
    """Describe one thing that can be found, without the signs of Markdown."""
    told = re.sub(r"[*`|]", "", " ".join(text.split()))
    told = told if rank < 1 else told[:EXTRACT]
    return {"name": name, "text": told, "at": at, "where": where, "rank": rank}


class Texts:
    """The texts of the project, as the pages of the dictionary show them."""

    def __init__(self, dictionary: Dictionary) -> None:
        """Take the dictionary, whose tables and columns the texts lead to."""
        self.dictionary = dictionary

    def html(self, source: str, *, inline: bool = False) -> Markup:
        """Turn a text into HTML in which tables, columns and rules lead to their pages."""
        render = prose.inline if inline else prose.markdown
        html = prose.linked(render(_here(source)), self.dictionary.addresses)
        return Markup(RULE.sub(self._to_rule, html))  # noqa: S704 - only addresses of our own

    @cached_property
    def _titles(self) -> dict[str, str]:
        """Return the title of each rule, with which its text begins, by its name."""
        texts = self.dictionary.texts("regra_").items()
        return {
            name: title[1] if (title := TITLE.match(source)) else name.replace("_", " ")
            for name, source in texts
        }

    @cached_property
    def _rules(self) -> dict[str, str]:
        """Return the name of each rule by its title, as other texts call it."""
        return {title.lower(): name for name, title in self._titles.items()}

    def _to_rule(self, found: re.Match[str]) -> str:
        name = self._rules.get(found[2].lower())
        return f'{found[1]}<a href="regras.html#{name}">{found[2]}</a>' if name else found[0]

    def rules(self) -> list[tuple[str, str, Markup]]:
        """Return name, title and text of each rule, by title."""
        texts = self.dictionary.texts("regra_")
        found = [
            (name, title[0].upper() + title[1:], self.html(texts[name]))
            for name, title in self._titles.items()
        ]
        return sorted(found, key=lambda rule: rule[1])

    def glossary(self) -> str:
        """Return the table of words, without its heading, which is the page's."""
        source = self.dictionary.texts("__mapa__")["__mapa__"]
        return source[source.index("\n|") :]

    def words(self) -> list[tuple[str, str]]:
        """Return each word of the glossary with its meaning."""
        return re.findall(r"^\| \*\*(.+?)\*\* \| (.+) \|$", self.glossary(), re.MULTILINE)

    def overview(self) -> list[tuple[str, Markup]]:
        """Return the parts of the project's overview that stand on the cover."""
        source = self.dictionary.texts("__overview__")["__overview__"]
        parts = re.split(r"^## (.+)$", source, flags=re.MULTILINE)
        bodies = dict(zip(parts[1::2], parts[2::2], strict=True))
        return [(title, self.html(bodies[title])) for title in COVER]


def _here(source: str) -> str:
    """Let the links of dbt's own page lead to ours."""
    source = source.replace("#!/overview/mapa", "glossario.html")
    source = source.replace("#!/overview", "index.html")
    return re.sub(
        r"#!/\w+/\w+\.mapa\.([\w.]+)", lambda table: f"{table[1].replace('.', '_')}.html", source
    )
