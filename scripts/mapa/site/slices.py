"""The offer of each unit or procedure apart: one pass over the cube, for hundreds of pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from mapa.site import offers
from mapa.site.cube import MONTH, Cube, plain
from mapa.site.offers import CAUSES, LOSSES, MEASURES, PARTS
from mapa.site.sentences import Filler, Sentence, Summed, largest

Sums = Mapping[str, float | None]
NOTHING: Sums = dict.fromkeys(MEASURES)
LENGTH = 120
"""Of the longest bar of a table, in units of its drawing."""
COMPARED = ("ultimo", "anterior", "ano_antes")
FINDINGS = (
    *offers.FINDINGS,
    Sentence(
        "limites",
        (
            "De {somado.qtd_vagas_ativas|n} vagas ativas, {somado.qtd_vagas_sem_limite|n} não têm "
            "PPI nem teto informados: delas não se sabe se um limite as retirou.",
            "De quantas vagas ativas faltam PPI e teto não é informado.",
        ),
    ),
)
"""What a page on one unit or procedure says of it."""


@dataclass(frozen=True)
class Slice:
    """What a cube holds of one code of a dimension.

    Attributes:
        cube: the whole.
        code: of the dimension.
        by_month: its sums; a month without any row is not there.
        parts: its sums by another dimension over the months that are added up.
        kinds: the same by kind of slot.

    """

    cube: Cube
    code: str
    by_month: Mapping[date, Sums]
    parts: Mapping[str, Sums]
    kinds: Mapping[str, Sums]

    def sums(self, name: str) -> Sums:
        """Return the sum of each measure over a cut; None where nothing is known."""
        return total(self.by_month.get(month, NOTHING) for month in self.cube.months_of(name))

    def period(self, name: str) -> str:
        """Write the months of a cut."""
        return self.cube.period(name)

    def months(self, name: str) -> list[tuple[date, Sums | None]]:
        """Return the sums of each month of a cut; None for a month without any schedule."""
        return [(month, self.by_month.get(month)) for month in self.cube.months_of(name)]

    def elsewhere(self) -> list[date]:
        """Return the months with schedules that are over and not added up, oldest first."""
        shown = self.cube.months_of("somado")
        return [month for month in self.cube.over if month in self.by_month and month not in shown]

    def ranked(self) -> list[tuple[str, float | None]]:
        """Return all causes with the slots that each took, the largest first."""
        return ranked(self.sums("somado"))

    def changes(self) -> list[tuple[str, list[float | None]]]:
        """Return measures by name in the last month, with two months before and the differences."""
        now, before, year = (self.sums(name) for name in COMPARED)
        return [
            (
                name,
                [now[m], before[m], less(now[m], before[m]), year[m], less(now[m], year[m])],
            )
            for m, name in MEASURES.items()
            if m != "qtd_vagas_sem_limite"
        ]

    def partly_told(self) -> bool:
        """Return whether a compared month has slots that are not disclosed."""
        return any(self.sums(name)["qtd_vagas_nao_divulgadas"] for name in COMPARED)


def said(cube: Summed) -> dict[str, str]:
    """Return what the sentences say of a cube or a part of it, by name."""
    filler = Filler(cube, {"causas": CAUSES})
    return {sentence.name: filler.fill(sentence.texts) for sentence in FINDINGS}


def slices(cube: Cube, key: str, inner: str) -> Iterator[Slice]:
    """Yield each code of a dimension that has an offer, with its sums by another dimension."""
    months = _by(cube.rows, [key, MONTH])
    parts, kinds = (_by(cube.cut("somado"), [key, other]) for other in (inner, "tipo"))
    for code in cube.dimension(key).labels:
        yield Slice(cube, code, months[code], parts.get(code, {}), kinds.get(code, {}))


def grouped(
    cube: Cube, found: Iterable[Slice], by: str, of: Mapping[str, Mapping[str, Any]]
) -> list[tuple[str, list[Slice]]]:
    """Return each code of a wider dimension that has slices with them, in the order of both."""
    groups: dict[str, list[Slice]] = {code: [] for code in cube.dimension(by).labels}
    for one in found:
        groups[of[one.code][by]].append(one)
    return [(code, inner) for code, inner in groups.items() if inner]


def total(sums: Iterable[Sums]) -> Sums:
    """Add sums up; None where nothing is known."""
    found = list(sums)
    known = {m: [each[m] for each in found if each[m] is not None] for m in MEASURES}
    return {m: sum(v for v in values if v is not None) if values else None
            for m, values in known.items()}  # fmt: skip


def less(value: float | None, other: float | None) -> float | None:
    """Return a difference, of two known numbers only."""
    return None if value is None or other is None else value - other


def lost(sums: Sums) -> float | None:
    """Return the slots that are told as lost, to whatever cause."""
    whole, untold, real = (sums[measure] for measure in LOSSES)
    return None if whole is None or untold is None or real is None else whole - untold - real


def told(sums: Sums) -> float | None:
    """Return the slots of which it is told whether they could be booked."""
    whole, untold = sums["qtd_vagas_total"], sums["qtd_vagas_nao_divulgadas"]
    return less(whole, untold)


def ranked(sums: Sums) -> list[tuple[str, float | None]]:
    """Return all causes with the slots that each took, the largest first."""
    found = [(name, sums[measure]) for measure, name in CAUSES.items()]
    return sorted(found, key=lambda cause: -1 if cause[1] is None else cause[1], reverse=True)


def main_cause(sums: Sums) -> str | None:
    """Return the name of what took most slots; None when it is not known."""
    return largest(sums, CAUSES)


def largest_first(parts: Mapping[str, Sums]) -> list[tuple[str, Sums]]:
    """Return codes and sums, most slots first."""
    return sorted(parts.items(), key=lambda part: (-(part[1]["qtd_vagas_total"] or 0), part[0]))


def longest(rows: Iterable[Sums | None]) -> float:
    """Return the largest total, to which bars are drawn; at least one."""
    return max((row["qtd_vagas_total"] or 0 for row in rows if row), default=0) or 1


def longest_of(found: Iterable[Slice]) -> float:
    """Return the largest total of some slices over the months that are added up."""
    return longest(one.sums("somado") for one in found)


def bar(sums: Sums, most: float) -> list[tuple[float, float, str]]:
    """Return the parts of a bar that has something: where each begins, its length, its fill."""
    at = 0.0
    drawn = []
    for part in PARTS:
        if value := sums[part.measure]:
            drawn.append((round(LENGTH * at / most, 1), round(LENGTH * value / most, 1), part.fill))
            at += value
    return drawn


def _by(rows: pd.DataFrame, keys: Sequence[str]) -> dict[str, dict[Any, Sums]]:
    """Add rows up by two columns; each first code has the sums of its second ones."""
    found: dict[str, dict[Any, Sums]] = {}
    sums = rows.groupby(list(keys), sort=True)[list(MEASURES)].sum(min_count=1)
    for (code, other), *values in sums.itertuples(name=None):
        named = zip(MEASURES, values, strict=True)
        found.setdefault(code, {})[other] = {name: plain(value) for name, value in named}
    return found
