"""The judge of the whole project: what the indicators must say about a simulated city.

Every answer is computed from what happened in the city, never from the records that the city hands
out and never by the project's SQL. Columns have the names of the marts; nothing is rounded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from mapa_city.arrays import day_number
from mapa_city.city import City
from mapa_city.slots import FATES, fates
from mapa_city.truth.alerts import alerts
from mapa_city.truth.bands import balance_per_month, bands_per_month, limits_per_month
from mapa_city.truth.chances import chances_per_month
from mapa_city.truth.dimensions import (
    calendar_days,
    establishments,
    health_regions,
    procedures,
    territories,
)
from mapa_city.truth.disclosure import disclosure, listed, staff
from mapa_city.truth.fates import fates_of_lines
from mapa_city.truth.hours import hours_per_month, months, shares_per_month
from mapa_city.truth.offer import per_day, per_month
from mapa_city.truth.order import order_per_month
from mapa_city.truth.past import deliveries, diary, in_force, movements, withdrawn
from mapa_city.truth.people import counts_of_people
from mapa_city.truth.plans import estimates_per_month, plans_per_month
from mapa_city.truth.programme import answers_of
from mapa_city.truth.published import (
    agenda_history,
    areas,
    described,
    destinations,
    explained_per_month,
    hours_of_units,
    published_alerts,
    published_days,
    published_months,
    published_report,
)
from mapa_city.truth.queue import (
    absence_per_month,
    calendar,
    history,
    homes_per_month,
    queue_per_month,
    waits_per_month,
)
from mapa_city.truth.report import reconcile
from mapa_city.truth.seen import know
from mapa_city.truth.territory import known_places, offer_per_territory
from mapa_city.truth.use import funnel_per_month, offer_per_kind


def compute(
    city: City, delivered: Sequence[date] = (), read: Sequence[date] = ()
) -> dict[str, Any]:
    """Compute the right answers as of the end of the last simulated day.

    Args:
        city: the finished city.
        delivered: days whose records of the offer were delivered; by default the last day's only.
        read: days as of whose end the API was read; by default the last day only.

    Returns:
        Parameters, counts and one entry per mart: key columns, other columns, rows (key first).
    """
    seen = deliveries(city, delivered or (city.until,))
    dated, days = in_force(city, seen, day_number(city.until))
    moves = list(movements(seen))
    known = know(city, read)
    past, when = history(city, known), calendar(city)
    real, queue = per_month(dated, days), queue_per_month(city, known, past, when)
    balance = balance_per_month(queue, city, known, past, when)
    hours = months(dated, days)
    by_day, report = per_day(dated, days), reconcile(city, seen, real)
    named_areas = territories(city.territory)
    named = procedures(city, known, dated)
    levels, offered = disclosure(dated, days), {line[3] for line in real["linhas"]}
    both = {"oferta_real_por_mes": real, "fila_por_mes": queue}
    explained = explained_per_month(report)
    alarms = alerts(city, known, (dated, days), both, hours)
    agendas = agenda_history(city, seen, real)
    offered |= {line[3] for line in agendas["pub_oferta_diario"]["linhas"]}
    on_offer = listed(named, offered)
    of_people = {
        "oferta_funil_por_mes": funnel_per_month(city, known, real),
        "fila_por_mes": queue,
        "espera_por_mes": waits_per_month(city, known, past, when),
        "fila_por_faixa_por_mes": bands_per_month(city, known, past, when),
        "espera_limites_por_mes": limits_per_month(city, known, past, when),
        "espera_probabilidade_por_mes": chances_per_month(city, known, past),
        "absenteismo_por_mes": absence_per_month(city, known),
        "absenteismo_por_residencia_por_mes": homes_per_month(city, known),
        "dim_estabelecimentos": establishments(city, known, dated),
        "pub_dim_procedimentos": on_offer,
    }
    return {
        "parametros": {
            "pessoas": city.parameters.people,
            "dias": city.parameters.days,
            "semente": city.parameters.seed,
            "ate": city.parameters.until.isoformat(),
        },
        "data_referencia": city.until.isoformat(),
        "contagens": _counts(city),
        "oferta_por_dia": by_day,
        "oferta_real_por_mes": real,
        "oferta_real_por_tipo_por_mes": offer_per_kind(real),
        "oferta_reconciliacao": report,
        "oferta_reconciliacao_por_mes": explained,
        "oferta_alertas": alarms,
        "oferta_horas_por_mes": hours_per_month(hours),
        "oferta_esperada_por_mes": shares_per_month(hours),
        "oferta_por_territorio_por_mes": offer_per_territory(dated, days, both),
        "qualidade_territorio": known_places(city, known),
        "oferta_diario": diary(city, seen, moves),
        "oferta_retiradas_por_mes": withdrawn(city, seen, moves, real),
        "fila_ordem_por_mes": order_per_month(city, known, past),
        "fila_equilibrio_por_mes": balance,
        "fila_planejamento_por_mes": plans_per_month(queue, balance, real),
        "espera_estimativa_por_mes": estimates_per_month(city, known, past, when),
        "qualidade_escalas": fates_of_lines(seen, city.until),
        "dim_calendario": calendar_days(city, known, dated, days),
        "dim_procedimentos": named,
        "dim_territorio": named_areas,
        **answers_of(city, real),
        "pub_oferta_por_dia": published_days(dated, days, by_day, levels),
        "pub_oferta_real_por_mes": published_months(city, real, named, levels),
        "pub_oferta_causas_por_mes": destinations(dated, days, real, levels),
        **agendas,
        "pub_oferta_horas_por_mes": hours_of_units(hours),
        "pub_oferta_reconciliacao_por_mes": published_report(report, explained, staff(dated, days)),
        "pub_oferta_alertas": published_alerts(alarms, real, on_offer),
        "pub_dim_territorio": areas(named_areas),
        "pub_dim_regioes_saude": health_regions(city.territory),
        **of_people,
        **counts_of_people(city.until, of_people),
        "pub_atualizacao": described(city),
    }


def write(
    city: City, path: Path, delivered: Sequence[date] = (), read: Sequence[date] = ()
) -> None:
    """Write the right answers as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(compute(city, delivered, read)))


def _counts(city: City) -> dict[str, Any]:
    """Count what the city is made of; schedules also by status and by what becomes of them."""
    status = city.schedules["status"].to_pylist()
    fate = [FATES[i] for i in fates(city.schedules, day_number(city.until)).tolist()]
    by_fate: dict[str, Counter[str]] = {name: Counter() for name in FATES}
    for reason, situation in zip(fate, status, strict=True):
        by_fate[reason][situation] += 1
    return {
        "escalas": city.schedules.num_rows,
        "escalas_por_situacao": _tally(city.schedules, "status"),
        "escalas_por_motivo": {reason: dict(count) for reason, count in by_fate.items() if count},
        "afastamentos_profissional": city.leaves_professional.num_rows,
        "afastamentos_unidade": city.leaves_unit.num_rows,
        "feriados": city.holidays.num_rows,
        "ppi": city.ppi.num_rows,
        "tetos": city.ceilings.num_rows,
        "cotas": city.quotas.num_rows,
        "contratos": city.contracts.num_rows,
        "unidades": city.units.num_rows,
        "procedimentos": city.procedures.num_rows,
        "profissionais": city.professionals.num_rows,
        "pessoas": city.persons.num_rows,
        "cartoes": city.cards.num_rows,
        "solicitacoes": city.requests.num_rows,
        "marcacoes": city.bookings.num_rows,
        "marcacoes_por_desfecho": _tally(city.bookings, "outcome"),
        "eventos": city.events.num_rows,
        "eventos_por_tipo": _tally(city.events, "kind"),
    }


def _tally(table: pa.Table, column: str) -> dict[str, int]:
    """Count the rows per text of a column, in alphabetical order."""
    counts = table[column].value_counts().to_pylist()
    return {row["values"]: row["counts"] for row in sorted(counts, key=lambda row: row["values"])}
