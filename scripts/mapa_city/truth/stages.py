"""The right answers on the stages of a wait, and on what lies with regulators and requesters."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np

from mapa_city.arrays import (
    DAY,
    Ints,
    day_text,
    matches,
    month_number,
    month_start,
    numbers,
    texts,
)
from mapa_city.city import City
from mapa_city.truth.queue import (
    CLOSED,
    MOVED,
    RETURNED,
    SCHEDULED,
    Calendar,
    History,
    due_bookings,
    percentiles,
    plausible,
    waiting_at,
)
from mapa_city.truth.seen import ALWAYS, Known


def _first(past: History, *states: int) -> Ints:
    """Return the first row in which each request came into one of some states by a decision."""
    came = np.isin(past.state, states) & (past.state != past.before) & (past.kind != MOVED)
    came &= (past.state != CLOSED) | (past.kind == "negada")
    rows = np.flatnonzero(came)
    _, first = np.unique(past.request[rows], return_index=True)
    return rows[first]


def stages_per_month(city: City, known: Known, past: History) -> dict[str, Any]:
    """Describe how long the stages took that ended in each month."""
    asked = numbers(city.requests, "requested_at") // DAY
    decided, scheduled = _first(past, RETURNED, SCHEDULED, CLOSED), _first(past, SCHEDULED)
    decision = dict(zip(past.request[decided].tolist(), decided.tolist(), strict=True))
    later = np.array(
        [row for row in scheduled.tolist() if decision[int(past.request[row])] != row],
        dtype=np.int64,
    )
    before = np.array([decision[int(r)] for r in past.request[later]], dtype=np.int64)
    appointment, owed, _ = due_bookings(city, known)
    made = numbers(city.bookings, "approved_at") // DAY
    of = known.cells.procedure
    stages = {
        "ate_a_decisao": (
            past.day[decided],
            of[past.cell[decided]],
            past.day[decided] - asked[past.request[decided]],
        ),
        "da_decisao_ao_agendamento": (
            past.day[later],
            of[past.cell[later]],
            past.day[later] - past.day[before],
        ),
        "do_agendamento_ao_atendimento": (
            appointment[owed],
            numbers(city.bookings, "procedure_idx")[owed],
            (appointment - made)[owed],
        ),
    }
    code = texts(city.procedures, "codigo").tolist()
    lines = []
    for stage, (end, procedure, days) in stages.items():
        spans = defaultdict[tuple[int, int], list[int]](list)
        parts = (month_number(end), procedure, days)
        for month, p, span in zip(*(part.tolist() for part in parts), strict=True):
            spans[month, p].append(span)
        for (month, p), found in sorted(spans.items()):
            all_of_them = np.array(found)
            good = all_of_them[plausible(all_of_them)]
            name = day_text(month_start(np.array([month]))).tolist()[0]
            told = (len(good), *percentiles(good), len(found) - len(good))
            lines.append((name, code[p], stage, *told))
    return {
        "chave": ["competencia", "procedimento_codigo", "etapa"],
        "colunas": [
            *("qtd_etapas", "dias_etapa_p50", "dias_etapa_p90", "qtd_etapas_implausiveis"),
        ],
        "linhas": lines,
    }


def regulation_per_month(city: City, known: Known, past: History, when: Calendar) -> dict[str, Any]:
    """Count what regulators decided first, and what waits for them or for the requesters."""
    regulated = matches(city.requests, "regulation", ["R"])
    unit = texts(city.units, "cnes")[numbers(city.requests, "unit_idx")].tolist()
    code = texts(city.procedures, "codigo")[known.cells.procedure].tolist()
    cells = defaultdict[tuple[str, str, str], Counter[str]](Counter)
    for row in _first(past, RETURNED, SCHEDULED, CLOSED).tolist():
        r = int(past.request[row])
        if regulated[r]:
            month = day_text(month_start(month_number(past.day[row : row + 1]))).tolist()[0]
            found = cells[month, unit[r], code[past.cell[row]]]
            found["qtd_decididas"] += 1
            found["qtd_devolvidas_na_decisao"] += past.state[row] == RETURNED
    for month, end in zip(when.names().tolist(), when.ends, strict=True):
        waiting = waiting_at(past, end)
        waiting = waiting[regulated[past.request[waiting]]]
        request = past.request[waiting]
        looks = known.looks.at(request, np.full(len(waiting), (end + 1) * DAY - 1))
        # What was seen of it first may be from a later day, and looked at since.
        later = (known.looks.since[looks] == ALWAYS) & (known.changed[request] // DAY > end)
        looked = known.looks.looked[looks]
        for row, seen, dark in zip(*map(np.ndarray.tolist, (waiting, looked, later)), strict=True):
            found = cells[month, unit[past.request[row]], code[past.cell[row]]]
            found["qtd_com_o_regulador"] += 1
            found["qtd_de_vista_desconhecida"] += dark
            found["qtd_nao_vistas"] += not (seen or dark)
        for row in past.at(end, RETURNED).tolist():
            cells[month, unit[past.request[row]], code[past.cell[row]]][
                "qtd_devolvidas_pendentes"
            ] += 1
    names = (
        *("qtd_decididas", "qtd_devolvidas_na_decisao", "qtd_devolvidas_pendentes"),
        *("qtd_com_o_regulador", "qtd_nao_vistas", "qtd_de_vista_desconhecida"),
    )
    return {
        "chave": ["competencia", "unidade_solicitante_cnes", "procedimento_codigo"],
        "colunas": [*names, "pct_devolucao", "pct_nao_vistas"],
        "linhas": [
            (
                *key,
                *(int(found[name]) for name in names),
                _share(found["qtd_devolvidas_na_decisao"], found["qtd_decididas"]),
                _share(
                    found["qtd_nao_vistas"],
                    found["qtd_com_o_regulador"] - found["qtd_de_vista_desconhecida"],
                ),
            )
            for key, found in sorted(cells.items())
        ],
    }


def _share(part: int, whole: int) -> float | None:
    return 100 * int(part) / whole if whole else None
