"""The right explanation of every cell in which SISREG's report and the city's offer may differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np

from mapa_city.arrays import month_start, texts
from mapa_city.city import City
from mapa_city.report import (
    LIMITS,
    MEASURES,
    WAYS,
    Pictures,
    Place,
    Report,
    Values,
    build,
    places,
    ppi_of,
    slot_measures,
    smallest,
)
from mapa_city.slots import KINDS
from mapa_city.truth.offer import agreed_limits
from mapa_city.truth.past import Delivery, Row

HYPOTHESES = ("ppi_nao_repartida", "limite_nao_informado", *WAYS[1:])
"""In the order in which they are tried."""

Real = dict[tuple[str, str, str], int | None]


def reconcile(city: City, seen: Sequence[Delivery], real: dict[str, Any]) -> dict[str, Any]:
    """Compare the report of the city with its offer, cell by cell.

    Args:
        city: the city.
        seen: what was delivered to us.
        real: the right answers on the real offer per month.

    """
    ceilings = agreed_limits(city)[1]
    pictures = Pictures(city, seen)
    report = build(city, pictures, ceilings)
    judge = _Judge(city, pictures, report, ceilings, _real_by_place(real))
    return {
        "chave": [
            "competencia",
            "central_executora_codigo",
            "unidade_executante_cnes",
            "procedimento_codigo",
            "agenda_tipo",
            "medida",
        ],
        "colunas": ["explicacao", "qtd_mapa", "qtd_sisreg", "qtd_diferenca", "data_extracao"],
        "linhas": [line for place in places(pictures, report) for line in judge.lines(place)],
    }


def _real_by_place(real: dict[str, Any]) -> Real:
    position = len(real["chave"]) + real["colunas"].index("qtd_oferta_real")
    return {(row[0], row[2], row[3]): row[position] for row in real["linhas"]}


class _Judge:
    """Says of each cell what explains it."""

    def __init__(
        self,
        city: City,
        pictures: Pictures,
        report: Report,
        ceilings: dict[tuple[int, str, int], int],
        real: Real,
    ) -> None:
        self.city, self.pictures, self.report = city, pictures, report
        self.ceilings, self.real, self.ppi = ceilings, real, ppi_of(city)
        self.codes = texts(city.procedures, "codigo").tolist()
        self.units = texts(city.units, "cnes").tolist()
        self.changes = list(_changes(pictures.seen))
        # The measures that a report has in some row at all.
        self.asked = {
            (month, procedure, agenda, name)
            for (month, procedure, _, agenda), values in report.rows.items()
            for name, value in values.items()
            if value is not None
        }

    def lines(self, place: Place) -> list[tuple[Any, ...]]:
        """Return the lines of one place."""
        month, procedure, unit, agenda = place
        said = self.report.rows.get(place)
        supposed = self._suppositions(place, said)
        ours = supposed["mapa"]
        competencia = str(month_start(np.array([month])).astype("datetime64[D]")[0])
        key = (competencia, self.city.territory.central, unit, self.codes[procedure], agenda)
        found: list[tuple[Any, ...]] = []
        for name in MEASURES:
            want, got = ours[name], said[name] if said else None
            if (month, procedure, agenda, name) not in self.asked or (want is None and got is None):
                continue
            why = self._explanation(place, name, said, supposed)
            difference = None if want is None or got is None else want - got
            made = self.report.made[month, procedure].isoformat()
            found.append((*key, name, why, want, got, difference, made))
        return found

    def _suppositions(self, place: Place, said: Values | None) -> dict[str, Values]:
        """Return the measures as we have them and under each hypothesis."""
        month, procedure, unit, agenda = place
        own: Values = dict(self.ppi.get((month, procedure), dict.fromkeys(LIMITS[:3])))
        own["teto"] = self.ceilings.get((month, unit, procedure))
        offers = {way: self.pictures.offers(way, agenda).get(place[:3]) for way in WAYS}
        slots = {way: slot_measures(offer) for way, offer in offers.items()}
        ours = slots["mapa"] | own
        active = ours["ativa_geral"]
        alone = smallest(active, own["ppi_total"], own["teto"])
        competencia = str(month_start(np.array([month])).astype("datetime64[D]")[0])
        shared = self.real.get((competencia, unit, self.codes[procedure]))
        mine = shared if agenda == "todas" and shared is not None and active is not None else alone
        found = {"mapa": ours | {"oferta_real": mine}}
        found["ppi_nao_repartida"] = ours | {"oferta_real": alone}
        more = {
            name: own[name] if own[name] is not None or not said else said[name] for name in LIMITS
        }
        found["limite_nao_informado"] = (
            ours | more | {"oferta_real": smallest(active, more["ppi_total"], more["teto"])}
        )
        for way in WAYS[1:]:
            supposed = slots[way]["ativa_geral"]
            real = mine if supposed == active else smallest(supposed, own["ppi_total"], own["teto"])
            found[way] = slots[way] | own | {"oferta_real": real}
        return found

    def _explanation(
        self, place: Place, name: str, said: Values | None, supposed: dict[str, Values]
    ) -> str:
        """Return the first explanation that holds, in the declared order."""
        ours, theirs = supposed["mapa"][name], said[name] if said else None
        has = place[:3] in self.pictures.offers("mapa", place[3])
        slots = name not in LIMITS
        parts = _from_parts(said, name) if said else None
        only_local = not self.pictures.offers("agenda_local", place[3]).get(place[:3])
        tried = (
            ("agenda_local", not said and only_local),
            ("nao_informado_no_relatorio", said and theirs is None),
            ("igual", theirs is not None and ours == theirs),
            *((h, theirs is not None and supposed[h][name] == theirs) for h in HYPOTHESES),
            ("decorre_de_outra", said and has and ours is not None and theirs == parts),
            ("escala_alterada_depois", slots and self._changed(place)),
            ("so_no_mapa", not said),
            ("so_no_relatorio", slots and not has),
            ("desconhecido_no_mapa", ours is None),
        )
        return next((why for why, holds in tried if holds), "nao_explicada")

    def _changed(self, place: Place) -> bool:
        """Say whether a schedule of the place and month changed after the report was made."""
        month, procedure, unit, _ = place
        first, end = (_day(int(month_start(np.array([m]))[0])) for m in (month, month + 1))
        made = self.report.made[month, procedure]
        return any(
            day > made
            and row["procedure_idx"] == procedure
            and self.units[row["unit_idx"]] == unit
            and row["valid_from"] is not None
            and row["valid_from"] < end
            and (row["valid_to"] is None or row["valid_to"] >= first)
            for day, row in self.changes
        )


def _day(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=number)


def _changes(seen: Sequence[Delivery]) -> Iterator[tuple[date, Row]]:
    """Yield each schedule with the days on which it was changed or was seen to have gone."""
    before: list[Row] = []
    for delivery in seen:
        rows = delivery.records.schedules.to_pylist()
        now = {row["record"] for row in rows}
        yield from ((row["changed_at"].date(), row) for row in rows)
        yield from ((_day(delivery.seen), row) for row in before if row["record"] not in now)
        before = rows


def _from_parts(said: Values, name: str) -> int | None:
    """Return what the other numbers of the row make of a number."""
    part, _, kind = name.partition("_")
    if name == "oferta_real":
        return smallest(said["ativa_geral"], said["ppi_total"], said["teto"])
    addends: tuple[int | None, ...]
    if name == "ppi_total":
        addends = (said["ppi_local"], said["ppi_pactuada"])
    elif part == "ativa":
        total, blocked = said[f"total_{kind}"], said[f"bloqueada_{kind}"]
        addends = (total, None if blocked is None else -blocked)
    elif kind == "geral":
        addends = tuple(said[f"{part}_{one}"] for one in KINDS)
    else:
        return None
    known = [n for n in addends if n is not None]
    return sum(known) if len(known) == len(addends) else None
