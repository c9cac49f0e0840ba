"""The right answers on the fate of each line of the schedule files that was kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from mapa_city.slots import HORIZON
from mapa_city.truth.past import Delivery, Row

EPOCH = date(1970, 1, 1)
SLOTS = ("first_slots", "return_slots", "reserve_slots")
_EVER = date(1, 1, 1)


@dataclass
class _Version:
    """The lines of one record from a delivery on, and in which deliveries they stand."""

    lines: frozenset[tuple[Any, ...]]
    there: list[int]
    ends: int | None = None


def fates_of_lines(delivered: Sequence[Delivery], until: date) -> dict[str, Any]:
    """Count the lines of the schedule files by fate and status.

    What a delivery says of a record is kept when it is not what the one before said of it, all its
    lines together; a line that stands twice is kept once.

    Args:
        delivered: the deliveries, oldest first.
        until: reference day.
    """
    seen = [EPOCH + timedelta(days=delivery.seen) for delivery in delivered]
    told: dict[int, list[_Version]] = {}
    rows: dict[tuple[Any, ...], Row] = {}
    for number, delivery in enumerate(delivered):
        records: dict[int, set[tuple[Any, ...]]] = {}
        for row in delivery.records.schedules.to_pylist():
            line = tuple(row.values())
            rows[line] = row
            records.setdefault(row["record"], set()).add(line)
        for record, lines in records.items():
            versions = told.setdefault(record, [])
            if versions and versions[-1].lines == lines:
                versions[-1].there.append(number)
                continue
            if versions:
                versions[-1].ends = number
            versions.append(_Version(frozenset(lines), [number]))
    count: Counter[tuple[str, str]] = Counter()
    unknown: Counter[tuple[str, str]] = Counter()
    for versions in told.values():
        for version in versions:
            for row in (rows[line] for line in version.lines):
                first = version is versions[0]
                cell = (_fate_of(row, version, first, seen, until), row["status"])
                count[cell] += 1
                unknown[cell] += any(row[name] is None for name in SLOTS)
    return {
        "chave": ["motivo", "situacao"],
        "colunas": ["qtd_linhas", "qtd_linhas_sem_quantidade"],
        "linhas": [(*cell, count[cell], unknown[cell]) for cell in sorted(count)],
    }


def _fate_of(row: Row, version: _Version, first: bool, seen: Sequence[date], until: date) -> str:
    """Name the fate of a line by the last stretch in which its version held, or was gone."""
    ends = len(seen) if version.ends is None else version.ends
    last = version.there[-1]
    if last + 1 < ends:
        return "desaparecida"
    begin = last
    while begin - 1 in version.there:
        begin -= 1
    since = _EVER if first and begin == version.there[0] else seen[begin]
    return _fate(row, since, None if version.ends is None else seen[ends], until)


def _fate(row: Row, since: date, replaced: date | None, until: date) -> str:
    """Name what becomes of a line that holds from a day on, until another replaces it."""
    start, end = row["valid_from"], row["valid_to"]
    if row["status"] in ("EXCLUIDA", "INATIVA"):
        return {"EXCLUIDA": "excluida", "INATIVA": "inativa"}[row["status"]]
    if start is None:
        return "sem_vigencia_inicial"
    if end is not None and end < start:
        return "vigencia_invertida"
    if row["weekday"] is None:
        return "dia_semana_invalido"
    horizon = until + timedelta(days=HORIZON)
    days = _days(row["weekday"], max(start, since), min(end or until, horizon))
    if any(replaced is None or day < replaced for day in days):
        return "expandida"
    return "versao_anterior" if days else "sem_data_no_periodo"


def _days(weekday: int, first: date, last: date) -> list[date]:
    """List the days of a period that fall on a weekday."""
    length = (last - first).days + 1
    days = (first + timedelta(days=number) for number in range(length))
    return [day for day in days if day.isoweekday() == weekday]
