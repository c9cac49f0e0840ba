"""The right answers on who misses appointments, who travels to them, and who waits longer."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from statistics import median
from typing import Any

import numpy as np

from mapa_city.arrays import DAY, day_text, month_number, month_start, numbers, texts
from mapa_city.city import City
from mapa_city.territory import OUTSIDE, UNIDENTIFIED
from mapa_city.truth.bands import wait_band
from mapa_city.truth.doubts import UNTOLD, sexes_and_races
from mapa_city.truth.queue import (
    FEWEST,
    LONGEST_WAIT,
    Calendar,
    History,
    due_bookings,
    served,
    waiting_at,
)
from mapa_city.truth.seen import Known

_NOTICES = (
    *((7, "aviso_ate_7"), (15, "aviso_8_a_15"), (30, "aviso_16_a_30")),
    *((60, "aviso_31_a_60"), (10**6, "aviso_acima_de_60")),
)
_KINDS = ("primeira_vez", "retorno", "reserva")
_OUTCOMES = ("confirmada", "falta", "sem_confirmacao")


def _unit_regions(city: City) -> list[str]:
    """Return the health region that the address of each unit lets one know."""
    told = zip(*(city.units[n].to_pylist() for n in ("regiao_saude", "bairro_tells")), strict=True)
    return [region if tells else UNIDENTIFIED for region, tells in told]


def _travel(home: str, unit: str) -> str:
    if home == OUTSIDE:
        return "de_fora_do_territorio"
    if UNIDENTIFIED in (home, unit):
        return UNTOLD
    return "mesma_regiao" if home == unit else "outra_regiao"


def _months(days: Any) -> list[str]:
    names: list[str] = day_text(month_start(month_number(days))).tolist()
    return names


def absence_by_class(city: City, known: Known) -> dict[str, Any]:
    """Count what came of the appointments due by wait, notice, travel and kind of slot."""
    appointment, owed, unit = due_bookings(city, known)
    rows = np.flatnonzero(owed)
    request = numbers(city.bookings, "request_idx")[rows]
    asked = (numbers(city.requests, "requested_at") // DAY)[request]
    undated = city.requests["undated"].to_numpy()[request]
    made = numbers(city.bookings, "approved_at")[rows] // DAY
    home = known.cells.region[known.cells.at(request, (appointment[rows] + 1) * DAY - 1)]
    codes, places = list(city.territory.region_names), _unit_regions(city)
    outcome = texts(city.bookings, "outcome")[rows].tolist()
    kind = numbers(city.bookings, "slot_kind")[rows].tolist()
    found = defaultdict[tuple[str, str, str], Counter[str]](Counter)
    for i, month in enumerate(_months(appointment[rows])):
        wait, notice = int(appointment[rows[i]] - asked[i]), int(appointment[rows[i]] - made[i])
        classes = {
            "faixa_espera": UNTOLD if undated[i] or wait < 0 else wait_band(wait),
            "antecedencia": next(name for most, name in _NOTICES if notice <= most),
            "deslocamento": _travel(codes[home[i]], places[unit[rows[i]]]),
            "vaga_tipo": _KINDS[kind[i]],
        }
        for place in classes.items():
            found[month, *place][outcome[i]] += 1
    lines = []
    for key, count in sorted(found.items()):
        came, missed, silent = (count[name] for name in _OUTCOMES)
        all_due = came + missed + silent
        lines.append(
            (
                *(*key, all_due, came, missed, silent),
                100 * missed / (came + missed) if came + missed else None,
                *(100 * part / all_due for part in (missed, missed + silent, silent)),
            )
        )
    return {
        "chave": ["competencia", "dimensao", "classe"],
        "colunas": [
            *("qtd_agendamentos_devidos", "qtd_confirmados", "qtd_faltas", "qtd_sem_confirmacao"),
            *("pct_falta_desfecho_conhecido", "pct_falta_minimo", "pct_falta_maximo"),
            "pct_sem_confirmacao",
        ],
        "linhas": lines,
    }


def travel_per_month(city: City, known: Known) -> dict[str, Any]:
    """Count who was seen outside the region in which they live."""
    booking, _, appointment, cell = served(city, known)
    units = numbers(city.schedules, "unit_idx")[numbers(city.bookings, "schedule_idx")][booking]
    codes, places = list(city.territory.region_names), _unit_regions(city)
    code = texts(city.procedures, "codigo").tolist()
    found = defaultdict[tuple[str, str, str], Counter[str]](Counter)
    for i, month in enumerate(_months(appointment)):
        home = codes[known.cells.region[cell[i]]]
        key = (month, code[known.cells.procedure[cell[i]]], home)
        found[key][_travel(home, places[units[i]])] += 1
    lines = []
    for place, count in sorted(found.items()):
        near, far = count["mesma_regiao"], count["outra_regiao"]
        parts = (near, far, count["de_fora_do_territorio"], count[UNTOLD])
        share = 100 * far / (near + far) if near + far else None
        lines.append((*place, sum(parts), *parts, share))
    return {
        "chave": ["competencia", "procedimento_codigo", "regiao_residencia_codigo"],
        "colunas": [
            *("qtd_atendimentos", "qtd_na_propria_regiao", "qtd_fora_da_propria_regiao"),
            *("qtd_de_quem_mora_fora", "qtd_de_deslocamento_desconhecido"),
            "pct_fora_da_propria_regiao",
        ],
        "linhas": lines,
    }


def gaps_per_month(city: City, known: Known, past: History, when: Calendar) -> dict[str, Any]:
    """Tell by how much regions, sexes and races wait longer than others for the same thing."""
    asked = numbers(city.requests, "requested_at") // DAY
    undated = city.requests["undated"].to_numpy()
    waits = defaultdict[tuple[str, str], list[tuple[int, int, int]]](list)
    for month, end in zip(when.names().tolist(), when.ends, strict=True):
        for row in waiting_at(past, end).tolist():
            r = int(past.request[row])
            waits[month, "aguardando"].append((r, int(past.cell[row]), end - int(asked[r])))
    _, request, appointment, cell = served(city, known)
    for i, month in enumerate(_months(appointment)):
        r = int(request[i])
        if not undated[r]:
            days = int(appointment[i] - asked[r])
            waits[month, "atendido"].append((r, int(cell[i]), days))
    lines = []
    for key, found in sorted(waits.items()):
        for name, classes in _beyond(city, known, found).items():
            told = {one: _interval(sorted(days)) for one, days in classes.items()}
            least = min((t[0] for t in told.values() if t[0] is not None), default=0.0)
            for one, numbers_of in sorted(told.items()):
                middle = numbers_of[0]
                over = None if middle is None else middle - least
                lines.append((*key, name, one, len(classes[one]), *numbers_of, over))
    return {
        "chave": ["competencia", "espera_situacao", "dimensao", "classe"],
        "colunas": [
            *("qtd_esperas", "dias_de_diferenca"),
            *("dias_de_diferenca_minimo", "dias_de_diferenca_maximo", "dias_alem_da_menor"),
        ],
        "linhas": lines,
    }


def _beyond(
    city: City, known: Known, found: list[tuple[int, int, int]]
) -> dict[str, dict[str, list[float]]]:
    """Return what each class waited beyond the median of the same procedure and risk."""
    sex, race = sexes_and_races(city, known)
    codes = list(city.territory.region_names)
    alike = defaultdict[tuple[int, int], list[tuple[int, int, int]]](list)
    for request, cell, days in found:
        if 0 <= days <= LONGEST_WAIT:
            kind = (int(known.cells.procedure[cell]), int(known.cells.risk[cell]))
            alike[kind].append((request, cell, days))
    classes: dict[str, dict[str, list[float]]] = {
        name: defaultdict(list) for name in ("regiao", "sexo", "raca_cor")
    }
    for group in alike.values():
        usual = median(days for _, _, days in group)
        for request, cell, days in group:
            classes["regiao"][codes[known.cells.region[cell]]].append(days - usual)
            classes["sexo"][sex[request]].append(days - usual)
            classes["raca_cor"][race[request]].append(days - usual)
    return classes


def _interval(days: list[float]) -> tuple[float | None, float | None, float | None]:
    """Return the median of sorted days and the two of them between which it lies, 95 in 100."""
    n = len(days)
    if n < FEWEST:
        return None, None, None
    reach = 1.96 * math.sqrt(n)
    low, high = math.floor((n - reach) / 2), math.ceil((n + reach) / 2) + 1
    return float(median(days)), float(days[max(low, 1) - 1]), float(days[min(high, n) - 1])
