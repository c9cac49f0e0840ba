"""What the panels read: the published file, and nothing else.

A version never changes, so what was read once is kept by the version's real path: a new version
has another path and is read at the next refresh, without a restart.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

import pandas as pd

from mapa.errors import PublishError
from mapa.panels.style import month_label
from mapa.publish import store
from mapa.publish.contents import reading

NOTHING_PUBLISHED = (
    "Nothing has been published yet, so there is nothing to show.\n"
    "Run `make demo` for a synthetic city, or `mapa publish` after a green `dbt build`."
)
MEASURES = (
    "qtd_vagas_total",
    "qtd_vagas_bloqueadas",
    "qtd_vagas_ativas",
    "qtd_vagas_perdidas_teto",
    "qtd_vagas_perdidas_ppi",
    "qtd_oferta_real",
)
QUERY = f"""
    select
        competencia,
        coalesce(regiao_saude_nome, 'Não identificada') as regiao,
        coalesce(unidade_executante_nome, 'Sem nome no cadastro')
            || ' (' || unidade_executante_cnes || ')' as unidade,
        coalesce(procedimento_nome, 'Sem nome no cadastro')
            || ' (' || procedimento_codigo || ')' as procedimento,
        limite_vinculante,
        {", ".join(MEASURES)}
    from pub_oferta_real_por_mes
    order by competencia
"""


@dataclass(frozen=True)
class Offer:
    """One published version, as the page shows it."""

    version: str
    as_of: date
    source: str
    licence: str
    rows: pd.DataFrame

    @property
    def months(self) -> list[date]:
        """Return the months that have an offer, oldest first."""
        return sorted(self.rows["competencia"].unique())

    @property
    def default_months(self) -> tuple[date, date]:
        """Return the last twelve months up to the as-of date, or what there is of them."""
        past = [month for month in self.months if month <= self.as_of] or self.months
        return past[-12:][0], past[-1]

    @property
    def month_options(self) -> list[dict[str, str]]:
        """Return the months as the options of a selector."""
        return [{"label": month_label(month), "value": str(month)} for month in self.months]


def newest(published: Path) -> Offer:
    """Return the current version.

    Raises:
        PublishError: nothing has been published, or it holds no offer.
    """
    folder = store.current(published)
    if folder is None or not (folder / store.DATABASE).exists():
        raise PublishError(NOTHING_PUBLISHED)
    return _read(folder / store.DATABASE)


def between(published: Path, first: str | None = None, last: str | None = None) -> pd.DataFrame:
    """Return the rows of the months between two, in whatever order these are given."""
    offer = newest(published)
    start, end = offer.default_months
    low, high = sorted(
        (date.fromisoformat(first) if first else start, date.fromisoformat(last) if last else end)
    )
    months = offer.rows["competencia"]
    chosen = offer.rows[(months >= low) & (months <= high)]
    return chosen.assign(
        data_referencia=offer.as_of,
        versao=offer.version,
        fonte=offer.source,
        licenca=offer.licence,
    )


@lru_cache(maxsize=2)
def _read(file: Path) -> Offer:
    """Read a version; the connection is closed before anything is shown."""
    with reading(file) as con:
        rows = con.execute(QUERY).df()
        as_of, source, licence = con.execute(
            "select data_referencia, fonte, licenca from pub_atualizacao"
        ).fetchall()[0]
    if rows.empty:
        raise PublishError(
            "The published version holds no offer: no schedule has been loaded.\n"
            "Load one with `mapa load export FILE`, then `dbt build` and `mapa publish`."
        )
    rows["competencia"] = pd.to_datetime(rows["competencia"]).dt.date
    return Offer(file.parent.name, as_of, source, licence, rows)
