"""The right answers on the published tables, made from those on the restricted marts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np

from mapa_city.arrays import day_text, numbers, texts
from mapa_city.city import City
from mapa_city.slots import KINDS, SlotDays
from mapa_city.truth.dimensions import names_of
from mapa_city.truth.disclosure import BY_DAY, KEPT, Place
from mapa_city.truth.offer import rows

OF_LEAVES_BY_DAY = (
    "qtd_vagas_bloqueadas",
    "qtd_vagas_bloqueadas_afastamento_unidade",
    "qtd_vagas_bloqueadas_afastamento_profissional",
    "qtd_vagas_ativas",
)
"""What a day tells of leaves, by itself or by subtraction."""
ALWAYS = {"qtd_vagas_total", "qtd_vagas_bloqueadas_feriado", "qtd_ppi", "qtd_teto"}
"""What a month tells whatever the leaves are; so do the totals of each kind."""
LOST = {
    "feriado": "qtd_vagas_bloqueadas_feriado",
    "afastamento": "qtd_vagas_bloqueadas_afastamento",
    "teto": "qtd_vagas_perdidas_teto",
    "ppi": "qtd_vagas_perdidas_ppi",
}


def published_days(
    city: City, days: SlotDays, by_day: Mapping[str, Any], levels: Mapping[Place, str]
) -> dict[str, Any]:
    """Add the month, and how many schedules do not say how many slots they have.

    Args:
        city: the city with the schedules that the slots come from.
        days: slots of each schedule and day.
        by_day: right answer of `oferta_por_dia`.
        levels: how finely leaves may be told.
    """
    row, kind = np.nonzero(days.total < 0)
    schedule = days.schedule[row]
    unknown = Counter(
        rows(
            day_text(days.day[row]),
            texts(city.units, "cnes")[numbers(city.schedules, "unit_idx")[schedule]],
            texts(city.procedures, "codigo")[numbers(city.schedules, "procedure_idx")[schedule]],
            np.array(KINDS, dtype=object)[kind],
        )
    )
    size = len(by_day["chave"])
    names = [*by_day["chave"], *by_day["colunas"]]
    # All centrals of a unit have one level.
    of_unit = {(month, unit, code): told for (month, _, unit, code), told in levels.items()}
    lines = []
    for line in by_day["linhas"]:
        month = line[0][:8] + "01"
        told = of_unit[month, line[1], line[2]]
        shown = (
            None if name in OF_LEAVES_BY_DAY and told != BY_DAY else value
            for name, value in zip(names, line, strict=True)
        )
        lines.append((*shown, month, unknown[tuple(line[:size])], told))
    return {
        "chave": by_day["chave"],
        "colunas": [
            *by_day["colunas"],
            "competencia",
            "qtd_escalas_sem_quantidade",
            "divulgacao",
        ],
        "linhas": lines,
    }


def published_months(
    city: City,
    real: Mapping[str, Any],
    procedures: Mapping[str, Any],
    levels: Mapping[Place, str],
) -> dict[str, Any]:
    """Add the names that make the rows of the real offer readable, and keep back what tells leaves.

    Args:
        city: the finished city.
        real: right answer of `oferta_real_por_mes`.
        procedures: right answer of `dim_procedimentos`.
        levels: how finely leaves may be told.
    """
    units, names = names_of(city)
    regions = city.territory.region_names
    groups = {line[0]: (line[2], line[3]) for line in procedures["linhas"]}
    size = len(real["chave"])
    lines = []
    for line in real["linhas"]:
        name, region = units[line[2]]
        procedure = line[3]
        told = levels[line[0], line[1], line[2], procedure]
        shown = _shown(dict(zip(real["colunas"], line[size:], strict=True)), told)
        added = (
            _situation(date.fromisoformat(line[0]), city.until),
            *(name, region, regions[region], names[procedure], *groups[procedure]),
            told,
        )
        lines.append((*line[:size], *shown.values(), *added))
    return {
        "chave": real["chave"],
        "colunas": [
            *real["colunas"],
            "qtd_vagas_bloqueadas_afastamento",
            "competencia_situacao",
            "unidade_executante_nome",
            "regiao_saude_codigo",
            "regiao_saude_nome",
            "procedimento_nome",
            "grupo_codigo",
            "grupo_nome",
            "divulgacao",
        ],
        "linhas": lines,
    }


def _shown(month: dict[str, Any], told: str) -> dict[str, Any]:
    """Return the measures of a month with nothing in them that may not be told."""
    leaves = [f"qtd_vagas_bloqueadas_afastamento_{who}" for who in ("unidade", "profissional")]
    parts = [month[name] for name in leaves]
    both = None if None in parts else sum(parts)
    month = {**month, "qtd_vagas_bloqueadas_afastamento": both}
    if told == KEPT:
        return {
            name: value if name in ALWAYS or name.startswith("qtd_vagas_total_") else None
            for name, value in month.items()
        }
    if told != BY_DAY:
        month |= dict.fromkeys(leaves)
        if month["causa_principal"] is not None:
            most = max(month[name] for name in LOST.values())
            first = [cause for cause, name in LOST.items() if month[name] == most]
            cause = first[0] if len(first) == 1 else "empate"
            month["causa_principal"] = cause if most else "nenhuma"
    return month


def _situation(month: date, until: date) -> str:
    """Say whether a month is over, under way or to come at the end of a day."""
    if month > until:
        return "programada"
    tomorrow = until + timedelta(days=1)
    return "em_curso" if tomorrow.replace(day=1) == month else "encerrada"


def described(city: City) -> dict[str, Any]:
    """Say what day the published tables describe."""
    return {
        "chave": ["assunto"],
        "colunas": ["data_referencia", "eh_desatualizado", "eh_sintetico"],
        "linhas": [("oferta", city.until.isoformat(), False, True)],
    }


def explained_per_month(cells: Mapping[str, Any]) -> dict[str, Any]:
    """Count the cells of the report by month and explanation.

    Args:
        cells: right answer of `oferta_reconciliacao`.
    """
    names = [*cells["chave"], *cells["colunas"]]
    month, reason, gap = (
        names.index(name) for name in ("competencia", "explicacao", "qtd_diferenca")
    )
    count: Counter[tuple[str, str]] = Counter()
    slots: dict[tuple[str, str], int | None] = {}
    every: Counter[str] = Counter()
    for line in cells["linhas"]:
        cell = (line[month], line[reason])
        count[cell] += 1
        every[line[month]] += 1
        before = slots.setdefault(cell, None)
        if line[gap] is not None:
            slots[cell] = (before or 0) + abs(line[gap])
    return {
        "chave": ["competencia", "explicacao"],
        "colunas": ["qtd_celulas", "pct_celulas", "qtd_vagas_de_diferenca"],
        "linhas": [
            (*cell, number, 100 * number / every[cell[0]], slots[cell])
            for cell, number in sorted(count.items())
        ],
    }
