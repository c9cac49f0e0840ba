"""What the panels read: the published file, and nothing else.

A version never changes, so what was read once is kept by the version's real path: a new version
has another path and is read at the next refresh, without a restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from mapa.errors import PublishError
from mapa.panels.style import CAUSES, month_label
from mapa.publish import store
from mapa.publish.contents import reading

NOTHING_PUBLISHED = (
    "Nothing has been published yet, so there is nothing to show.\n"
    "Run `make demo` for a synthetic city, or `mapa publish` after a green `dbt build`."
)
MEASURES = (
    "qtd_vagas_total",
    "qtd_vagas_bloqueadas_feriado",
    "qtd_vagas_bloqueadas_afastamento",
    "qtd_vagas_bloqueadas",
    "qtd_vagas_ativas",
    "qtd_vagas_perdidas_teto",
    "qtd_vagas_perdidas_ppi",
    "qtd_oferta_real",
    "qtd_vagas_nao_divulgadas",
)
"""Of a row whose leaves may not be told only total, holidays and what is not told are known."""
KEPT_BACK = """
    case
        when qtd_vagas_total is null then null
        when divulgacao = 'nao_divulgada' then qtd_vagas_total - qtd_vagas_bloqueadas_feriado
        else 0
    end
"""
"""Slots of which it is not told what became of them, so that the parts of every sum add up."""
CLOSED = "encerrada"
"""Situation of a month that is over; only such months are added up and compared."""
QUERY = f"""
    select
        competencia,
        coalesce(regiao_saude_nome, 'Não identificada') as regiao,
        coalesce(unidade_executante_nome, 'Sem nome no cadastro')
            || ' (' || unidade_executante_cnes || ')' as unidade,
        coalesce(procedimento_nome, 'Sem nome no cadastro')
            || ' (' || procedimento_codigo || ')' as procedimento,
        competencia_situacao as situacao,
        limite_vinculante,
        {", ".join(MEASURES[:-1])},
        {KEPT_BACK} as {MEASURES[-1]}
    from pub_oferta_real_por_mes
    order by competencia
"""


@dataclass(frozen=True)
class Offer:
    """One published version, as the page shows it."""

    version: str
    as_of: date
    stale: bool
    source: str
    synthetic: bool | None
    licence: str
    rows: pd.DataFrame

    @property
    def months(self) -> list[date]:
        """Return the months that have an offer, oldest first."""
        return sorted(self.rows["competencia"].unique())

    @property
    def default_months(self) -> tuple[date, date]:
        """Return the last twelve months that are over, or what there is of them."""
        over = self.rows.loc[self.rows["situacao"] == CLOSED, "competencia"]
        past = sorted(over.unique()) or self.months
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
        eh_desatualizado=offer.stale,
        versao=offer.version,
        fonte=offer.source,
        eh_sintetico=offer.synthetic,
        licenca=offer.licence,
    )


def closed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the months that are over: what is added up."""
    return rows[rows["situacao"] == CLOSED]


def planned(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the other months: under way or to come, they are never added to these."""
    return rows[rows["situacao"] != CLOSED]


def counted(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what sums are made of: the months that are over or, without any, the planned ones."""
    over = closed(rows)
    return planned(rows) if over.empty else over


@dataclass(frozen=True)
class Cause:
    """What took slots: its place, which those that took as many share, its name and the slots."""

    place: int
    name: str
    slots: int


def causes(measures: Mapping[str, float]) -> list[Cause]:
    """Rank what took slots, most first; they add up to what is told, less the real offer, exactly.

    Causes that took none are left out. `measures` are sums by the names of `MEASURES`.
    """
    taken = [
        (int(measures[measure]), name) for measure, name in CAUSES.items() if measures[measure] > 0
    ]
    return [
        Cause(1 + sum(other > slots for other, _ in taken), name, slots)
        for slots, name in sorted(taken, key=lambda cause: -cause[0])
    ]


def told(sums: Mapping[str, Any]) -> Any:
    """Return the slots of which it is told what became of them: the total less what is kept back.

    `sums` are numbers or columns by the names of `MEASURES`.
    """
    return sums["qtd_vagas_total"] - sums["qtd_vagas_nao_divulgadas"]


def main_cause(measures: Mapping[str, float]) -> str:
    """Name what took most slots; several names when these took as many."""
    first = [cause.name for cause in causes(measures) if cause.place == 1]
    return " e ".join(first) + (" (empate)" if len(first) > 1 else "") if first else "Nenhuma"


@lru_cache(maxsize=2)
def _read(file: Path) -> Offer:
    """Read a version; the connection is closed before anything is shown."""
    try:
        with reading(file) as con:
            facts = con.execute(
                "select data_referencia, eh_desatualizado, fonte, eh_sintetico, licenca "
                "from pub_atualizacao where assunto = 'oferta'"
            ).fetchone()
            rows = con.execute(QUERY).df() if facts else pd.DataFrame()
    except (duckdb.BinderException, duckdb.CatalogException):
        raise PublishError(
            "The published version was made by an older program and has other columns.\n"
            "Run `dbt build`, then `mapa publish`."
        ) from None
    if facts is None or rows.empty:
        raise PublishError(
            "The published version holds no offer: no schedule has been loaded.\n"
            "Load one with `mapa load export FILE`, then `dbt build` and `mapa publish`."
        )
    rows["competencia"] = pd.to_datetime(rows["competencia"]).dt.date
    as_of, stale, source, synthetic, licence = facts
    return Offer(file.parent.name, as_of, stale, source, synthetic, licence, rows)
