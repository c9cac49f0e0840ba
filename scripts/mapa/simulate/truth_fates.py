"""The right answers on the fate of each line of the schedule files that was kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from mapa.simulate.slots import HORIZON
from mapa.simulate.truth_past import Delivery, Key, Row, key_of

EPOCH = date(1970, 1, 1)
SLOTS = ("first_slots", "return_slots", "reserve_slots")
_EVER = date(1, 1, 1)


def fates_of_lines(delivered: Sequence[Delivery], until: date) -> dict[str, Any]:
    """Count the lines of the schedule files by fate and status; a repeated one is kept once.

    Args:
        delivered: the deliveries, oldest first.
        until: reference day.
    """
    seen = [EPOCH + timedelta(days=delivery.seen) for delivery in delivered]
    records: list[dict[Key, list[tuple[Any, ...]]]] = []
    lines: dict[tuple[Key, tuple[Any, ...]], Row] = {}
    for delivery in delivered:
        told: dict[Key, list[tuple[Any, ...]]] = {}
        for row in delivery.records.schedules.to_pylist():
            record, line = key_of("schedules", row), tuple(row.values())
            told.setdefault(record, []).append(line)
            lines[record, line] = row
        records.append(told)
    count: Counter[tuple[str, str]] = Counter()
    unknown: Counter[tuple[str, str]] = Counter()
    for (record, line), row in lines.items():
        there = [line in told.get(record, ()) for told in records]
        last = max(number for number, present in enumerate(there) if present)
        begin = last
        while begin and there[begin - 1]:
            begin -= 1
        first = not any(record in told for told in records[:begin])
        later = last + 1 < len(records)
        if later and record not in records[last + 1]:
            fate = "desaparecida"
        else:
            fate = _fate(
                row, _EVER if first else seen[begin], seen[last + 1] if later else None, until
            )
        cell = (fate, row["status"])
        count[cell] += 1
        unknown[cell] += any(row[name] is None for name in SLOTS)
    return {
        "chave": ["motivo", "situacao"],
        "colunas": ["qtd_linhas", "qtd_linhas_sem_quantidade"],
        "linhas": [(*cell, count[cell], unknown[cell]) for cell in sorted(count)],
    }


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
