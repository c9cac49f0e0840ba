"""The right answers on who waits, and on which requests of the queue should be looked at."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapa_city.arrays import DAY, MISSING, day_number, numbers, texts
from mapa_city.city import City
from mapa_city.territory import OUTSIDE, UNIDENTIFIED
from mapa_city.truth.identity import people, registered
from mapa_city.truth.queue import Calendar, History, deaths, waiting_at
from mapa_city.truth.seen import Known, regions

UNTOLD = "nao_informado"
_EPOCH = date(1970, 1, 1)
_AGES = ((15, "0_a_14"), (30, "15_a_29"), (45, "30_a_44"), (60, "45_a_59"), (75, "60_a_74"))
_DOUBTS = (
    "qtd_de_falecidos",
    "qtd_de_falecidos_sem_data",
    "qtd_repetidos",
    "qtd_de_quem_saiu_do_territorio",
    "qtd_de_quem_mudou_de_regiao",
    "qtd_sem_identidade",
    "qtd_com_contradicao",
    "qtd_sem_movimento_ha_um_ano",
)


def homes_now(city: City) -> list[str]:
    """Return the health region in which each person lives on the last day."""
    moved = numbers(city.persons, "moved_at")
    at_new = pa.array((moved != MISSING) & (moved <= day_number(city.until)))
    columns = {
        name: pc.if_else(
            at_new,
            city.persons[f"new_{name}"].combine_chunks(),
            city.persons[name].combine_chunks(),
        )
        for name in ("city_ibge6", "ra", "bairro_tells")
    }
    codes = list(city.territory.region_names)
    return [codes[i] for i in regions(city.territory, pa.table(columns)).tolist()]


def sexes_and_races(city: City, known: Known) -> tuple[list[str], list[str]]:
    """Return what the register says of the person of each request; what it does not is untold."""
    who, linked = people(city)[0], registered(city, known)
    sex, race = (city.persons[name].to_pylist() for name in ("sex", "race"))
    told = [p if yes else None for p, yes in zip(who.tolist(), linked.tolist(), strict=True)]
    races = [UNTOLD if p is None or race[p] == "99" else race[p] for p in told]
    return [UNTOLD if p is None else sex[p] for p in told], races


def profiles_per_month(city: City, known: Known, past: History, when: Calendar) -> dict[str, Any]:
    """Count requests and people that wait by sex, age, race and whether they are identified."""
    (person, linked), registry = people(city), registered(city, known)
    sex, race = sexes_and_races(city, known)
    birth = city.persons["birth_date"].to_pylist()
    lines = []
    for month, end in zip(when.names().tolist(), when.ends, strict=True):
        today = _EPOCH + timedelta(days=end)
        classes = defaultdict[tuple[str, str], list[int]](list)
        for request in past.request[waiting_at(past, end)].tolist():
            who = int(person[request])
            classes["sexo", sex[request]].append(who)
            classes["raca_cor", race[request]].append(who)
            band = _age_band(birth[who], today) if registry[request] else UNTOLD
            classes["faixa_etaria", band].append(who)
            named = "com_identidade" if linked[request] else "sem_identidade"
            classes["identidade", named].append(who)
        lines += [
            (month, *place, len(people), len(set(people)))
            for place, people in sorted(classes.items())
        ]
    return {
        "chave": ["competencia", "dimensao", "classe"],
        "colunas": ["qtd_aguardando", "qtd_pessoas_na_fila"],
        "linhas": lines,
    }


def _age_band(birth: date, today: date) -> str:
    if birth > today:
        return UNTOLD
    years = today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
    return next((name for below, name in _AGES if years < below), "75_ou_mais")


def doubts_per_month(city: City, known: Known, past: History, when: Calendar) -> dict[str, Any]:
    """Count of each queue the dead, the repeated, the moved, the nameless and the forgotten.

    A request contradicts itself whose card is of somebody with another CPF; in the city nobody asks
    after dying.
    """
    code = texts(city.procedures, "codigo").tolist()
    lines = []
    for month, queues in _queues(city, known, past, when):
        for procedure, queue in sorted(queues.items()):
            times = Counter(who for who, _ in queue)
            found, first = Counter[str](), set[int]()
            for who, reasons in queue:
                mine = reasons | ({"qtd_repetidos"} if who in first else set())
                first.add(who)
                found.update(mine or {"qtd_sem_ressalva"})
            again = sum(count > 1 for count in times.values())
            counts = (found[name] for name in (*_DOUBTS, "qtd_sem_ressalva"))
            shares = (100 * again / len(times), 100 * found["qtd_de_falecidos"] / len(queue))
            lines.append((month, code[procedure], len(queue), len(times), again, *counts, *shares))
    return {
        "chave": ["competencia", "procedimento_codigo"],
        "colunas": [
            *("qtd_aguardando", "qtd_pessoas_na_fila", "qtd_pessoas_com_repetidos"),
            *(*_DOUBTS, "qtd_sem_ressalva"),
            *("pct_pessoas_com_repetidos", "pct_de_falecidos"),
        ],
        "linhas": lines,
    }


def _queues(
    city: City, known: Known, past: History, when: Calendar
) -> Iterator[tuple[str, dict[int, list[tuple[int, set[str]]]]]]:
    """Yield each month with its queues: person and doubts of each request, the oldest first."""
    (person, linked), registry = people(city), registered(city, known)
    torn = _contradictory(city)
    death, undated = deaths(city)
    now, codes = homes_now(city), list(city.territory.region_names)
    for month, end in zip(when.names().tolist(), when.ends, strict=True):
        queues = defaultdict[int, list[tuple[int, set[str]]]](list)
        # Requests are numbered in the order in which they were made.
        for row in sorted(waiting_at(past, end).tolist(), key=lambda row: past.request[row]):
            request, cell = int(past.request[row]), int(past.cell[row])
            who, told = int(person[request]), bool(registry[request])
            asked, lives = codes[known.cells.region[cell]], now[who] if told else UNIDENTIFIED
            inside = {asked, lives}.isdisjoint({OUTSIDE, UNIDENTIFIED})
            reasons = {
                "qtd_de_falecidos": told and MISSING < death[who] <= end,
                "qtd_de_falecidos_sem_data": told and undated[who],
                "qtd_sem_identidade": not linked[request],
                "qtd_com_contradicao": torn[request],
                "qtd_de_quem_saiu_do_territorio": lives == OUTSIDE != asked,
                "qtd_de_quem_mudou_de_regiao": inside and asked != lives,
                "qtd_sem_movimento_ha_um_ano": end - past.day[row] > 365,
            }
            held = {name for name, holds in reasons.items() if holds}
            queues[int(known.cells.procedure[cell])].append((who, held))
        yield month, queues


def _contradictory(city: City) -> list[bool]:
    """Tell which requests carry a card of somebody whose CPF is another than theirs."""
    owner = dict(
        zip(city.cards["cns"].to_pylist(), numbers(city.cards, "person_idx").tolist(), strict=True)
    )
    cpf = city.persons["cpf"].to_pylist()
    torn = []
    for row in city.identities.select(["cns", "cpf"]).to_pylist():
        holder = owner.get(row["cns"])
        theirs = None if holder is None else cpf[holder]
        torn.append(None not in (theirs, row["cpf"]) and theirs != row["cpf"])
    return torn


def entries_per_municipality(city: City, known: Known, past: History) -> dict[str, Any]:
    """Count who entered the queue by where they lived, as the request said when first seen."""
    request = np.unique(past.request)
    home = dict(enumerate(city.requests["city_ibge6"].to_pylist()))
    first = known.first.tolist()
    for row in (
        city.changes.select(["request_idx", "city_ibge6"])
        .append_column("second", pa.array(numbers(city.changes, "at")))
        .to_pylist()
    ):
        if row["second"] // DAY < first[row["request_idx"]] // DAY:
            home[row["request_idx"]] = row["city_ibge6"]
    asked = city.requests["requested_at"].to_pylist()
    entered = Counter(
        (asked[r].strftime("%Y-%m-01"), home[r] or "nao_identificado") for r in request.tolist()
    )
    months = Counter[str]()
    for (month, _), count in entered.items():
        months[month] += count
    return {
        "chave": ["competencia", "residencia_municipio_ibge"],
        "colunas": ["qtd_entradas", "pct_entradas"],
        "linhas": [(*key, n, 100 * n / months[key[0]]) for key, n in sorted(entered.items())],
    }
