"""The right answers on the published tables, made from those on the restricted marts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from mapa_city.arrays import day_text, numbers, texts
from mapa_city.city import City
from mapa_city.slots import KINDS, SlotDays
from mapa_city.truth.dimensions import names_of
from mapa_city.truth.disclosure import BY_DAY, KEPT, PROFESSIONALS, Place
from mapa_city.truth.hours import Month
from mapa_city.truth.offer import known_sum, rows
from mapa_city.truth.past import Delivery, diary, movements, withdrawn
from mapa_city.truth.use import limits_per_kind

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

OF_AGENDAS = {"escala_vencendo", "queda_de_oferta", "oferta_desaparecida"}
"""Rules of the alerts that are about an agenda and neither about a person nor about the queue."""


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


def destinations(
    city: City, days: SlotDays, real: Mapping[str, Any], levels: Mapping[Place, str]
) -> dict[str, Any]:
    """Say what became of the slots of each kind, each slot once.

    Args:
        city: the city with the schedules that the slots come from.
        days: slots of each schedule and day.
        real: right answer of `oferta_real_por_mes`.
        levels: how finely leaves may be told.
    """
    holidays = _lost_to_holidays(city, days)
    size = len(real["chave"])
    lines = []
    for line in real["linhas"]:
        row, place = dict(zip(real["colunas"], line[size:], strict=True)), line[:size]
        told = levels[place]
        limits = limits_per_kind(row)
        for kind in KINDS:
            total = row[f"qtd_vagas_total_{kind}"]
            if total == 0:
                continue
            closed = holidays[*place, kind]
            became: dict[str, int | None] = {"feriado": closed or None}
            if total is None:
                became = {"desconhecida": None}
            elif told == KEPT:
                became["nao_divulgada"] = total - closed
            else:
                away = row[f"qtd_vagas_bloqueadas_{kind}"] - closed
                ceiling, agreement = limits[kind]
                became |= {"afastamento": away, "teto": ceiling, "ppi": agreement}
                became = {name: slots or None for name, slots in became.items()}
                became["oferta_real"] = row[f"qtd_oferta_real_{kind}"]
            situation = _situation(date.fromisoformat(place[0]), city.until)
            lines += [
                (*place, kind, name, situation, told, slots)
                for name, slots in became.items()
                if slots is not None or name == "desconhecida"
            ]
    return {
        "chave": [*real["chave"], "vaga_tipo", "vaga_destino"],
        "colunas": ["competencia_situacao", "divulgacao", "qtd_vagas"],
        "linhas": lines,
    }


def _lost_to_holidays(city: City, days: SlotDays) -> Counter[tuple[str, ...]]:
    """Add up by month, central, unit, procedure and kind what holidays block."""
    table = city.schedules
    places = rows(
        texts(table, "central"),
        texts(city.units, "cnes")[numbers(table, "unit_idx")],
        texts(city.procedures, "codigo")[numbers(table, "procedure_idx")],
    )
    lost: Counter[tuple[str, ...]] = Counter()
    blocked = days.blocked[:, 0, :]
    for at, kind in zip(*np.nonzero((blocked > 0) & (days.total > 0)), strict=True):
        month = str(day_text(days.day[at : at + 1])[0])[:8] + "01"
        lost[month, *places[days.schedule[at]], KINDS[kind]] += int(blocked[at, kind])
    return lost


def published_alerts(
    found: Mapping[str, Any], real: Mapping[str, Any], listed: Mapping[str, Any]
) -> dict[str, Any]:
    """Leave out the alerts about one person, and those about who waits or books.

    Args:
        found: right answer of `oferta_alertas`.
        real: right answer of `oferta_real_por_mes`.
        listed: right answer of `pub_dim_procedimentos`.
    """
    total = len(real["chave"]) + real["colunas"].index("qtd_vagas_total")
    offers = {(line[0], line[2], line[3]) for line in real["linhas"] if line[total] != 0}
    codes = {line[0] for line in listed["linhas"]}
    slots: dict[tuple[Any, ...], list[int | None]] = defaultdict(list)
    for rule, severity, unit, procedure, month, _, number in found["linhas"]:
        if rule not in OF_AGENDAS or procedure not in codes:
            continue
        # Somebody else of the unit still offers it: it has not disappeared.
        falls = rule == "oferta_desaparecida" and (month, unit, procedure) in offers
        named = ("queda_de_oferta", "media") if falls else (rule, severity)
        slots[*named, unit, procedure, month].append(number)
    return {
        "chave": found["chave"],
        "colunas": ["qtd_vagas"],
        "linhas": [(*key, known_sum(numbers)) for key, numbers in slots.items()],
    }


def agenda_history(
    city: City, delivered: Sequence[Delivery], real: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Tell the diary and the withdrawals of a city in which nobody is ever away.

    Args:
        city: the finished city.
        delivered: the deliveries.
        real: right answer of `oferta_real_por_mes`.
    """
    present = [
        replace(
            each,
            records=replace(
                each.records,
                leaves_professional=each.records.leaves_professional.slice(0, 0),
                leaves_unit=each.records.leaves_unit.slice(0, 0),
            ),
        )
        for each in delivered
    ]
    moves = list(movements(present))
    written, gone = diary(city, present, moves), withdrawn(city, present, moves, real)
    kind = written["chave"].index("vaga_tipo")
    size = len(gone["chave"])
    kept = [at for at, name in enumerate(gone["colunas"], size) if "afastamento" not in name]
    return {
        "pub_oferta_diario": {
            "chave": written["chave"],
            "colunas": [name.replace("vagas", "programadas") for name in written["colunas"]],
            "linhas": [line for line in written["linhas"] if line[kind] != "todos"],
        },
        "pub_oferta_retiradas_por_mes": {
            "chave": gone["chave"],
            "colunas": [
                gone["colunas"][at - size]
                .replace("vagas", "programadas")
                .replace("pct_", "pct_programadas_")
                for at in kept
            ],
            "linhas": [(*line[:size], *(line[at] for at in kept)) for line in gone["linhas"]],
        },
    }


def hours_of_units(people: Iterable[Month]) -> dict[str, Any]:
    """Add up offered and contracted hours where enough of those compared have schedules.

    Args:
        people: offered and contracted hours of each professional, unit and month.
    """
    units: dict[tuple[str, str], list[Month]] = defaultdict(list)
    for person in people:
        units[person.month.isoformat(), person.unit].append(person)
    lines = []
    for unit, everybody in units.items():
        compared = [
            (person.taken.offered, person.contracted, bool(person.by_procedure))
            for person in everybody
            if person.taken.offered is not None and person.contracted is not None
        ]
        is_told = sum(works for *_, works in compared) >= PROFESSIONALS
        register = everybody[0].register
        told: tuple[Any, ...] = (None,) * 4
        if is_told:
            offered = sum(minutes or 0 for minutes, *_ in compared)
            due = sum(minutes or 0 for _, minutes, _ in compared)
            told = (len(compared), offered / 60, due / 60, 100 * offered / due if due else None)
        known_since = register and register.isoformat()
        lines.append((*unit, known_since, is_told, *told, everybody[0].working_days))
    return {
        "chave": ["competencia", "unidade_executante_cnes"],
        "colunas": [
            "contrato_competencia",
            "eh_divulgada",
            "qtd_profissionais_comparados",
            "horas_ofertadas",
            "horas_contratadas",
            "pct_horas_ofertadas",
            "qtd_dias_uteis",
        ],
        "linhas": lines,
    }


def published_report(
    cells: Mapping[str, Any], explained: Mapping[str, Any], staff: Mapping[Place, set[int]]
) -> dict[str, Any]:
    """Keep back the differences of cells that few professionals serve.

    Args:
        cells: right answer of `oferta_reconciliacao`.
        explained: right answer of `oferta_reconciliacao_por_mes`.
        staff: who has schedules in each month, central, unit and procedure.
    """
    names = [*cells["chave"], *cells["colunas"]]
    people: dict[tuple[str, str], set[int]] = defaultdict(set)
    for line in cells["linhas"]:
        cell = dict(zip(names, line, strict=True))
        if cell["qtd_diferenca"]:
            place = (
                cell["competencia"],
                cell["central_executora_codigo"],
                cell["unidade_executante_cnes"],
                cell["procedimento_codigo"],
            )
            people[cell["competencia"], cell["explicacao"]] |= staff.get(place, set())
    return {
        **explained,
        "linhas": [
            (
                *line[:-1],
                line[-1] if not line[-1] or len(people[line[:2]]) >= PROFESSIONALS else None,
            )
            for line in explained["linhas"]
        ],
    }


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
        "linhas": [
            (subject, city.until.isoformat(), False, True)
            for subject in ("acordo", "fila", "oferta", "proadi")
        ],
    }


def areas(territories: Mapping[str, Any]) -> dict[str, Any]:
    """Leave the health region of each area, of which the people are counted elsewhere.

    Args:
        territories: right answer of `dim_territorio`.
    """
    return {
        "chave": territories["chave"],
        "colunas": territories["colunas"][:1],
        "linhas": [line[:2] for line in territories["linhas"]],
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
