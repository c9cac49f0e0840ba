"""The right answers on the offer by territory: who offers, for how many, and who may use it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from mapa_city.arrays import (
    Ints,
    Texts,
    day_text,
    month_number,
    month_start,
    numbers,
    texts,
)
from mapa_city.city import City
from mapa_city.slots import SlotDays
from mapa_city.territory import UNIDENTIFIED, Territory
from mapa_city.truth.offer import known_sum
from mapa_city.truth.seen import Known

Pair = tuple[str, str]
"""Month and group of procedures."""


@dataclass(frozen=True)
class _Slots:
    """Active slots of a region: all, by agenda, and those of the whole network; None is unknown."""

    active: int | None
    local: int | None
    wide: int | None
    network: int | None


def offer_per_territory(
    city: City, days: SlotDays, marts: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Relate the offer of each health region to its people and to who waits there.

    Args:
        city: the finished city.
        days: slots of each schedule and day.
        marts: right answers of `fila_por_mes` and `oferta_real_por_mes`.
    """
    active, real = _active(city, days), _real(city, marts["oferta_real_por_mes"])
    waiting, known = _waiting(marts["fila_por_mes"])
    codes = list(city.territory.region_names)
    lines = []
    for pair in sorted({key[0] for key in active} | {key[0] for key in waiting}):
        network = _sum([active[pair, r, False] for r in codes if (pair, r, False) in active])
        for region in codes:
            queue = waiting.get((pair, region), 0) if pair[0] in known else None
            local, wide = (
                [active[pair, region, flag]] if (pair, region, flag) in active else []
                for flag in (True, False)
            )
            slots = _Slots(_sum(local + wide), _sum(local), _sum(wide), network)
            measures = _line(city.territory, region, slots, real.get((pair, region)), queue)
            lines.append((pair[0], region, pair[1], *measures))
    return {
        "chave": ["competencia", "regiao_saude_codigo", "grupo_codigo"],
        "colunas": [
            "populacao",
            "populacao_ano",
            "qtd_aguardando_inicio",
            "qtd_unidades",
            "qtd_vagas_ativas",
            "qtd_vagas_ativas_agenda_local",
            "qtd_vagas_ativas_agenda_de_rede",
            "qtd_oferta_real",
            "pct_agenda_local",
            "qtd_oferta_real_por_mil_habitantes",
            "qtd_vagas_acessiveis_por_mil_habitantes",
            "qtd_oferta_real_por_pedido_aguardando",
            "indice_concentracao",
        ],
        "linhas": lines,
    }


def _regions(city: City) -> Texts:
    """Return the health region of each unit, where the registers write an address that tells it."""
    tells = np.array(city.units["bairro_tells"].to_pylist())
    return np.where(tells, texts(city.units, "regiao_saude"), UNIDENTIFIED)


def known_places(city: City, known: Known) -> dict[str, Any]:
    """Count the requests and the units, and those whose address tells the region."""
    cells = known.cells
    last = np.r_[cells.request[1:] != cells.request[:-1], True]
    told = cells.region[last] < len(city.territory.regions)
    met = np.unique(np.r_[_met(city.schedules), _met(city.requests)])
    placed = np.array(city.units["bairro_tells"].to_pylist())[met]
    return {
        "chave": ["assunto"],
        "colunas": ["qtd", "qtd_com_area"],
        "linhas": [
            ("residencia", len(told), int(told.sum())),
            ("unidade", len(met), int(placed.sum())),
        ],
    }


def _met(table: pa.Table) -> Ints:
    """Return the units that a table names."""
    return np.unique(numbers(table, "unit_idx"))


def _sum(parts: list[list[int | None]]) -> int | None:
    """Add up what is known of all the parts; no part at all is zero."""
    return known_sum([value for part in parts for value in part]) if parts else 0


def _line(
    territory: Territory,
    region: str,
    slots: _Slots,
    units: dict[str, list[int | None]] | None,
    queue: int | None,
) -> tuple[Any, ...]:
    """Write the measures of one region, month and group."""
    people = territory.population.get(region)
    offers = [known_sum(values) for values in (units or {}).values()]
    real = known_sum(offers) if units else 0
    accessible = None
    if people and slots.local is not None and slots.network is not None:
        everybody = sum(territory.population.values())
        accessible = 1000 * slots.local / people + 1000 * slots.network / everybody
    squares = sum(offer * offer for offer in offers if offer is not None)
    unclear = slots.local is None or slots.wide is None
    both = None if unclear else known_sum([slots.local, slots.wide])
    return (
        people,
        territory.census if people else None,
        queue,
        sum(1 for offer in offers if offer),
        slots.active,
        slots.local,
        slots.wide,
        real,
        _ratio(100, slots.local, both),
        _ratio(1000, real, people),
        accessible,
        _ratio(1, real, queue),
        _ratio(1, squares, None if real is None else real * real),
    )


def _ratio(times: int, part: int | None, whole: int | None) -> float | None:
    """Divide; None when either is unknown or there is nothing to divide by."""
    return None if part is None or not whole else times * part / whole


def _active(city: City, days: SlotDays) -> dict[tuple[Pair, str, bool], list[int | None]]:
    """Collect the active slots of each month, group and region, those of local agendas apart."""
    month = day_text(month_start(month_number(days.day))).tolist()
    codes = texts(city.procedures, "codigo")[numbers(city.schedules, "procedure_idx")]
    region = _regions(city)[numbers(city.schedules, "unit_idx")]
    local = city.schedules["local_agenda"].to_pylist()
    slots: dict[tuple[Pair, str, bool], list[int | None]] = defaultdict(list)
    triples = zip(
        *(days.schedule.tolist(), month, days.total.tolist(), days.active.tolist()), strict=True
    )
    for which, competencia, total, active in triples:
        pair = (competencia, codes[which][:4] + "000")
        for offered, free in zip(total, active, strict=True):
            if offered:
                value = free if offered > 0 else None
                slots[pair, region[which], local[which]].append(value)
    return dict(slots)


def _rows(mart: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """Return the rows of a right answer by name of column."""
    names = [*mart["chave"], *mart["colunas"]]
    return (dict(zip(names, values, strict=True)) for values in mart["linhas"])


def _real(
    city: City, mart: Mapping[str, Any]
) -> dict[tuple[Pair, str], dict[str, list[int | None]]]:
    """Collect the real offers of each month, group and region, by unit."""
    region = dict(zip(texts(city.units, "cnes"), _regions(city), strict=True))
    real: dict[tuple[Pair, str], dict[str, list[int | None]]] = {}
    for row in _rows(mart):
        unit = row["unidade_executante_cnes"]
        pair = (row["competencia"], row["procedimento_codigo"][:4] + "000")
        units = real.setdefault((pair, region[unit]), {})
        units.setdefault(unit, []).append(row["qtd_oferta_real"])
    return real


def _waiting(mart: Mapping[str, Any]) -> tuple[dict[tuple[Pair, str], int], set[str]]:
    """Count who waits at the start of each month, and list the months in which it is known."""
    waiting: dict[tuple[Pair, str], int] = defaultdict(int)
    known = set()
    for row in _rows(mart):
        known.add(row["competencia"])
        pair = (row["competencia"], row["procedimento_codigo"][:4] + "000")
        if row["qtd_estoque_inicial"]:
            waiting[pair, row["regiao_saude_codigo"]] += row["qtd_estoque_inicial"]
    return dict(waiting), known
