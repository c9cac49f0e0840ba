"""The right answers on who waits for a hospital bed."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np

from mapa_city.admissions import CLINICS, admissions
from mapa_city.arrays import day_number, day_text, month_number, month_start
from mapa_city.city import City
from mapa_city.truth.queue import percentiles, plausible


def beds_per_month(city: City) -> dict[str, Any]:
    """Count requests for admission, admissions and who waits, by character and clinic."""
    until = day_number(city.until)
    lives: dict[tuple[int, str, str], Counter[str]] = defaultdict(Counter)
    waits: dict[tuple[int, str, str, str], list[int]] = defaultdict(list)
    day = {
        name: admissions(city)[name].to_numpy().astype("datetime64[D]").astype(np.int64).tolist()
        for name in ("requested_at", "authorised_at", "reserved_at", "admitted_at")
    }
    last = _month(until)
    for i, one in enumerate(admissions(city).to_pylist()):
        asked = day["requested_at"][i]
        if asked > until:
            continue
        found = one["fate"] == "ALTA"
        says = one["names_clinic"] or (found and day["reserved_at"][i] <= until)
        place = (
            "URGENTE" if one["risk"] <= 2 else "ELETIVA",
            CLINICS[one["kind"]] if says else "nao_informado",
        )
        lives[_month(asked), *place]["asked"] += 1
        end = day["admitted_at" if found else "authorised_at"][i]
        if one["fate"] == "TROCADA" and end <= until:
            for month in range(_month(asked), last + 1):
                lives[month, *place]["unread"] += 1
            continue
        if end <= until:
            lives[_month(end), *place]["admitted" if found else "left"] += 1
            if found:
                waits[_month(end), *place, "admitted"].append(end - asked)
        for month in range(_month(asked), (_month(end) if end <= until else last + 1)):
            lives[month, *place]["waits"] += 1
            closes = min(int(month_start(np.array([month + 1]))[0]) - 1, until)
            waits[month, *place, "waits"].append(closes - asked)
    lines = []
    for (month, character, clinic), count in sorted(lives.items()):
        admitted, still = (
            np.array(waits.get((month, character, clinic, kind), []), dtype=np.int64)
            for kind in ("admitted", "waits")
        )
        names = ("asked", "admitted", "left", "waits", "unread")
        lines.append(
            (
                day_text(month_start(np.array([month]))).tolist()[0],
                *(character, clinic),
                *(count[name] for name in names),
                *percentiles(admitted[plausible(admitted)]),
                *percentiles(still[plausible(still)]),
                int((~plausible(admitted)).sum()),
            )
        )
    return {
        "chave": ["competencia", "carater", "clinica_nome"],
        "colunas": [
            *("qtd_pedidos_de_internacao", "qtd_internacoes", "qtd_saidas_sem_internacao"),
            *("qtd_aguardando_leito", "qtd_internacoes_de_situacao_desconhecida"),
            *("dias_ate_internar_p50", "dias_ate_internar_p90"),
            *("dias_aguardando_leito_p50", "dias_aguardando_leito_p90"),
            "qtd_internacoes_implausiveis",
        ],
        "linhas": lines,
    }


def _month(day: int) -> int:
    return int(month_number(np.array([day]))[0])
