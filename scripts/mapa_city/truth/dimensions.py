"""The right answers on the dimensions: days, units, procedures and regions of the city."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mapa_city.arrays import DAY, numbers, texts
from mapa_city.city import City
from mapa_city.offer import easter
from mapa_city.slots import HORIZON, WORKED, SlotDays
from mapa_city.territory import Territory
from mapa_city.truth.seen import Known

EPOCH = date(1970, 1, 1)
WEEKDAYS = ("SEG", "TER", "QUA", "QUI", "SEX", "SAB", "DOM")
LAW = {
    (1, 1): "Confraternização Universal",
    (4, 21): "Tiradentes",
    (5, 1): "Dia Mundial do Trabalho",
    (9, 7): "Independência do Brasil",
    (10, 12): "Nossa Senhora Aparecida",
    (11, 2): "Finados",
    (11, 15): "Proclamação da República",
    (12, 25): "Natal",
}
"""Holidays of the nation on a fixed day, in the years a city lives in."""

GOOD_FRIDAY = "Paixão de Cristo"
BLACK_AWARENESS = (11, 20), 2024, "Dia Nacional de Zumbi e da Consciência Negra"
UNTOLD = "nao_identificada"
"""Region of a unit whose address does not tell it."""
TYPES = {True: "05", False: "02"}
"""Type of an executing unit in the register, and of another."""


def calendar_days(city: City, known: Known, dated: City, days: SlotDays) -> dict[str, Any]:
    """Say of each day whether it is a holiday of all units, and a working day.

    Args:
        city: the finished city.
        known: what the readings showed.
        dated: the city with the schedules that the slots come from.
        days: slots of each schedule and day.
    """
    # A request typed in as a booking has no date for anybody to see.
    told = city.requests.filter(
        pc.and_not(pa.array(known.seen), city.requests["undated"].combine_chunks())
    )
    begins = [numbers(told, "requested_at") // DAY, days.day]
    first = date((EPOCH + timedelta(days=int(min(b.min() for b in begins)))).year, 1, 1)
    last = city.until + timedelta(days=HORIZON)
    listed, worked = _operators_word(dated)
    lines = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        name = None if day in worked else listed.get(day) or _by_law(city.territory, day)
        weekday = day.isoweekday()
        lines.append(
            (
                day.isoformat(), day.replace(day=1).isoformat(), day.year, day.month, weekday,
                WEEKDAYS[weekday - 1], name is not None, name, name is None and weekday < 6,
            )
        )  # fmt: skip
    return {
        "chave": ["data"],
        "colunas": [
            "competencia", "ano", "mes", "dia_semana_numero", "dia_semana_sigla", "eh_feriado",
            "feriado_descricao", "eh_dia_util",
        ],
        "linhas": lines,
    }  # fmt: skip


def _operators_word(city: City) -> tuple[dict[date, str], set[date]]:
    """Return the name of each listed holiday of all units, and the days that are none after all."""
    named: dict[date, list[tuple[bool, str]]] = defaultdict(list)
    worked = set()
    for row in city.holidays.to_pylist():
        if row["unit_idx"] is not None or not row["listed"]:
            continue
        if row["scope"] == WORKED:
            worked.add(row["date"])
        else:
            # The nation's goes before the territory's.
            named[row["date"]].append((row["scope"] != "nacional", row["name"]))
    return {day: min(names)[1] for day, names in named.items()}, worked


def _by_law(territory: Territory, day: date) -> str | None:
    """Name the holiday that the law fixes on a day, if any."""
    when, since, name = BLACK_AWARENESS
    if (day.month, day.day) == when and day.year >= since:
        return name
    if day == EPOCH + timedelta(days=easter(day.year) - 2):
        return GOOD_FRIDAY
    own = {(feast.month, feast.day): feast.law for feast in territory.feasts}
    return LAW.get((day.month, day.day)) or own.get((day.month, day.day))


def establishments(city: City, known: Known, dated: City) -> dict[str, Any]:
    """Describe each unit that executes or requests."""
    executing = set(numbers(dated.schedules, "unit_idx").tolist())
    requesting = set(numbers(_seen(city, known), "unit_idx").tolist())
    units = city.units.to_pylist()
    return {
        "chave": ["unidade_cnes"],
        "colunas": [
            "unidade_nome", "tipo_codigo", "area_numero", "regiao_saude_codigo",
            "eh_executante", "eh_solicitante", "tem_cadastro_cnes",
        ],
        "linhas": [
            (
                unit["cnes"], unit["nome"], TYPES[unit["is_executing"]], *_place(unit),
                row in executing, row in requesting, True,
            )
            for row, unit in enumerate(units)
            if row in executing | requesting
        ],
    }  # fmt: skip


def _place(unit: dict[str, Any]) -> tuple[int | None, str]:
    """Return the regions of a unit as far as its address tells them."""
    return (unit["ra"], unit["regiao_saude"]) if unit["bairro_tells"] else (None, UNTOLD)


def _seen(city: City, known: Known) -> pa.Table:
    """Return the requests that some reading showed; nobody knows of the others."""
    return city.requests.filter(pa.array(known.seen))


def procedures(city: City, known: Known, dated: City) -> dict[str, Any]:
    """Describe each procedure that is offered, asked for or limited, and the groups of requests."""
    rows = city.procedures.to_pylist()
    requests = _seen(city, known)
    asked = set(numbers(requests, "procedure_idx").tolist())
    extra = {row for some in requests["extra_procedure_idx"].to_pylist() for row in some or ()}
    named = asked | extra | set(numbers(dated.schedules, "procedure_idx").tolist())
    limited = {
        row
        for table in (city.ppi, city.ceilings)
        for row in numbers(table, "procedure_idx").tolist()
    }
    # A limit names no procedure: it has only the code.
    told: dict[str, tuple[str | None, str | None]] = {
        rows[row]["codigo"]: (None, None) for row in limited
    }
    told |= {rows[row]["grupo_codigo"]: (rows[row]["grupo_nome"], None) for row in asked}
    told |= {rows[row]["codigo"]: (rows[row]["nome"], rows[row]["sigtap"]) for row in named}
    lines = []
    for code, (name, sigtap) in told.items():
        group = code[:4] + "000"
        lines.append((code, name, group, told.get(group, (None,))[0], sigtap, code == group))
    return {
        "chave": ["procedimento_codigo"],
        "colunas": [
            "procedimento_nome", "grupo_codigo", "grupo_nome", "sigtap_codigo", "eh_grupo",
        ],
        "linhas": lines,
    }  # fmt: skip


def territories(territory: Territory) -> dict[str, Any]:
    """Say to which health region each area belongs, and how many live there."""
    people = territory.population
    return {
        "chave": ["area_numero"],
        "colunas": ["regiao_saude_codigo", "populacao_regiao_saude", "populacao_ano"],
        "linhas": [
            (str(number), area.region, people[area.region], territory.census)
            for number, area in enumerate(territory.areas, start=1)
        ],
    }


def health_regions(territory: Territory) -> dict[str, Any]:
    """Name the health regions and say how many live in each; nobody is counted outside them."""
    people = territory.population
    return {
        "chave": ["regiao_saude_codigo"],
        "colunas": ["regiao_saude_nome", "populacao_regiao_saude", "populacao_ano"],
        "linhas": [
            (code, name, people.get(code), territory.census if code in people else None)
            for code, name in territory.region_names.items()
        ],
    }


def names_of(city: City) -> tuple[dict[str, tuple[str, str]], dict[str, str]]:
    """Return name and health region of each unit, and the name of each procedure."""
    units = {unit["cnes"]: (unit["nome"], _place(unit)[1]) for unit in city.units.to_pylist()}
    codes, names = (texts(city.procedures, name).tolist() for name in ("codigo", "nome"))
    return units, dict(zip(codes, names, strict=True))
