"""The search for people's names in the tables that are about to be published.

What is looked for are the names that the warehouse knows: of patients, their mothers, professionals
and operators, in every column of raw that holds such names and is not public by the dictionary of
sources. Compared are whole words, without case, accents and signs; of a text every run of three to
twelve words is tried, so that a name is found in a sentence. Two words are no name here: places and
labels would be people. A text that a source itself gives as public, such as the name of a unit that
is called after somebody, may be published.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from mapa.errors import PublishError
from mapa.publish.contents import Published
from mapa.sql import literal, quoted

OF_PERSONS = re.compile(
    r"nome(_?social|_?mae|_?do_usuario|_da_mae_do_usuario|usuario)?$"
    r"|nome_(profissional|medico|operador|responsavel)"
)
"""Columns of raw that hold names of persons, unless they are public."""
OF_PLACES = re.compile(r"(nome|no)_")
"""Columns of raw that hold names of units and the like, if they are public."""
FEWEST, MOST = 3, 12
"""Words of a name."""
WORDS = "trim(regexp_replace(upper(strip_accents({})), '[^A-Z0-9]+', ' ', 'g'))"
"""A text as words with a blank between them."""
NO_NAME = r"\b(NAO|SEM)\b"
"""What stands where a name is not known says so."""
Place = tuple[str, str]
"""A table of raw and a column of it."""


def require_none(
    con: duckdb.DuckDBPyConnection,
    file: Path,
    tables: Sequence[Published],
    manifest: Mapping[str, Any],
) -> None:
    """Refuse a release in which a cell holds the name of a person.

    Args:
        con: the warehouse.
        file: the published database.
        tables: what is in it.
        manifest: dbt's own, which knows the columns of the sources.

    Raises:
        PublishError: one does; the message names the columns, never the name.
    """
    con.execute(f"attach {literal(str(file))} as publico (read_only)")
    try:
        _collect(con, tables)
        for place in columns(manifest, OF_PERSONS, public=False):
            for column, text in _known(con, place, "frase"):
                if not any(
                    _known(con, public, "texto", text)
                    for public in columns(manifest, OF_PLACES, public=True)
                ):
                    raise PublishError(
                        f"{column}: a value holds the name of a person, which stands in "
                        f"{'.'.join(place)}; nothing was published.\n"
                        "Find out how it came into this column; a published table may hold none."
                    )
    finally:
        con.execute("drop table if exists temp.frases")
        con.execute("detach publico")


def columns(
    manifest: Mapping[str, Any], names: re.Pattern[str], *, public: bool
) -> Iterator[Place]:
    """Yield the columns of raw of some names that are public, or those that are not."""
    for source in manifest["sources"].values():
        for name, column in source["columns"].items():
            is_public = column["config"]["meta"].get("lgpd") == "publico"
            if names.match(name) and is_public is public:
                yield f"{source['schema']}.{source['name']}", name


def _collect(con: duckdb.DuckDBPyConnection, tables: Sequence[Published]) -> None:
    """Put each text, with the runs of its words and where it stands, into a temporary table."""
    con.execute("create temp table frases (coluna varchar, texto varchar, frase varchar)")
    for published in tables:
        for column, kind in zip(published.table.columns, published.types, strict=True):
            if kind != "VARCHAR":
                continue
            con.execute(
                f"""
                insert into frases
                with textos as (
                    select distinct {WORDS.format(quoted(column.name))} as texto
                    from publico.{published.table.name}
                ),

                palavras as (
                    select texto, string_split(texto, ' ') as palavras from textos
                ),

                inicios as (
                    select *, unnest(range(1, len(palavras) - {FEWEST - 2})) as inicio from palavras
                ),

                trechos as (
                    select *, unnest(range({FEWEST}, {MOST + 1})) as tamanho from inicios
                )

                select distinct $1, texto, array_to_string(
                    palavras[inicio:inicio + tamanho - 1], ' '
                ) as frase
                from trechos
                where inicio + tamanho - 1 <= len(palavras) and not regexp_matches(frase, $2)
                """,
                [f"{published.table.name}.{column.name}", NO_NAME],
            )


def _known(
    con: duckdb.DuckDBPyConnection, place: Place, what: str, text: str | None = None
) -> list[tuple[str, str]]:
    """Return column and text of what a column of raw holds: as a phrase of it, or all of it."""
    table, column = place
    return con.execute(
        f"""
        select distinct coluna, texto from frases semi join (
            select {WORDS.format("n")} as nome
            from (select distinct {quoted(column)} as n from {table})
        ) on {what} = nome
        where $1 is null or texto = $1
        """,
        [text],
    ).fetchall()
