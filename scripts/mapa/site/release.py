"""What the site is made from: the published file, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from mapa.errors import PublishError
from mapa.publish import contents
from mapa.site.outlines import Outlines

SUBJECT = "oferta"
"""The subject that the pages show; another one that is of before does not make them so."""


class NothingToShowError(Exception):
    """The version does not hold what a page shows; it goes without that page."""


@dataclass(frozen=True)
class Release:
    """One version, as its pages show it.

    Attributes:
        con: the published file, open for reading.
        version: of the release.
        as_of: last day that its tables describe.
        stale: whether that is a day of before, because the last build was not green.
        source: where the numbers come from.
        synthetic: whether they are simulated; None: not known.
        licence: how they may be used.
        owner: who answers for them.
        outlines: of the areas, where the operator has any.

    """

    con: duckdb.DuckDBPyConnection
    version: str
    as_of: date
    stale: bool
    source: str
    synthetic: bool | None
    licence: str
    owner: str
    outlines: Outlines | None = field(default=None, hash=False, compare=False)

    def query(self, sql: str, **values: Any) -> pd.DataFrame:
        """Return rows of the published file; days are `datetime.date`.

        Raises:
            NothingToShowError: a subject that failed has never been published.
        """
        try:
            rows = self.con.execute(sql, values) if values else self.con.execute(sql)
        except duckdb.CatalogException as error:
            raise NothingToShowError from error
        found = rows.df()
        for name in found.select_dtypes("datetime").columns:
            found[name] = found[name].dt.date
        return found

    def records(self, sql: str) -> list[dict[str, Any]]:
        """Return rows of the published file by column, null as None.

        Raises:
            NothingToShowError: a subject that failed has never been published.
        """
        return [
            {name: None if pd.isna(cell) else cell for name, cell in row.items()}
            for row in self.query(sql).astype(object).to_dict("records")
        ]

    def tables(self) -> list[str]:
        """Return the names of the published tables."""
        rows = self.con.execute("select table_name from duckdb_tables() order by 1").fetchall()
        return [name for (name,) in rows]

    def described(self, table: str) -> dict[str, str]:
        """Return what each column of a table means, by its comment."""
        rows = self.con.execute(
            "select column_name, comment from duckdb_columns() where table_name = $1", [table]
        ).fetchall()
        return {name: str(comment or "") for name, comment in rows}


@contextmanager
def opened(
    database: Path, version: str, owner: str, outlines: Outlines | None = None
) -> Iterator[Release]:
    """Open a published file.

    Raises:
        PublishError: it does not say what it describes.
    """
    with contents.reading(database) as con:
        dates = contents.as_of(con)
        synthetic, source = contents.origin(con)
        state = dates.get(SUBJECT) or min(dates.values(), key=lambda state: state.day)
        (licence,) = con.execute("select min(licenca) from pub_atualizacao").fetchall()[0]
        if licence is None:
            raise PublishError("The published file does not say how it may be used.")
        yield Release(
            con=con,
            version=version,
            as_of=state.day,
            stale=state.stale,
            source=source,
            synthetic=synthetic,
            licence=licence,
            owner=owner,
            outlines=outlines,
        )
