"""A table that a page adds up: its dimensions, its measures, and what the browser gets of it.

A page is a cube and blocks. The browser adds the same cube up after each choice, by the same rules
(`assets/site.js`); a test holds the two together, number by number.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd

from mapa.site import text

MONTH = "competencia"
"""The dimension that every cube with a period has."""
OVER = "encerrada"
"""Situation of a month that is over; only such months are added up and compared."""
CUTS = ("somado", "previsto", "tudo", "ultimo", "anterior", "ano_antes")
"""Parts of a cube that sentences speak of; see `Cube.cut`."""
ALL = ""
"""Code of the rows that tell all codes of a dimension together, in a cube that has them."""
AT_LEAST = "_minimo"
"""End of the name of a measure that tells what is known of another one, where not all of it is."""
WHOLE, MOST = 400_000, 3_000_000
"""Bytes of rows that a page still carries whole, and of a file of them when it does not."""


@dataclass(frozen=True)
class Dimension:
    """One thing by which a cube is added up, and by which a page may be filtered.

    Attributes:
        name: column of its codes, and the word that stands for it in addresses.
        label: what people read.
        labels: what each code is called; codes in the order in which they are offered.
        within: dimension that narrows the choice of this one.

    """

    name: str
    label: str
    labels: Mapping[str, str]
    within: str | None = None


@dataclass(frozen=True)
class Rows:
    """Rows of a cube for the browser.

    Attributes:
        name: that tells them from the other parts of a cube; empty for all.
        rows: the places of their codes, by dimension.
        measures: their counts, by measure.

    """

    name: str
    rows: Mapping[str, list[int]]
    measures: Mapping[str, list[float | None]]

    @property
    def content(self) -> dict[str, Any]:
        """Return what the browser gets: of each measure all up to the last row that knows it."""
        return {
            "rows": self.rows,
            "measures": {name: column[: _known(column)] for name, column in self.measures.items()},
        }

    @property
    def months(self) -> list[int]:
        """Return the places of the months that they are of."""
        return sorted(set(self.rows[MONTH]))

    def called(self, name: str) -> Rows:
        """Return them under another name."""
        return replace(self, name=name)

    def cut(self, first: int, last: int) -> Rows:
        """Return some of them, from the first to before the last."""
        rows = {name: column[first:last] for name, column in self.rows.items()}
        return Rows(self.name, rows, {n: column[first:last] for n, column in self.measures.items()})

    def fitting(self) -> Iterator[Rows]:
        """Yield them halved, until each part is small enough for a file."""
        length = len(self.rows[MONTH])
        if len(dumped(self.content)) <= MOST or length == 1:
            yield self
        else:
            yield from self.cut(0, length // 2).fitting()
            yield from self.cut(length // 2, length).fitting()


@dataclass(frozen=True)
class Cube:
    """Rows of codes and counts.

    Attributes:
        rows: a column for each dimension, `MONTH` as dates, and one for each measure; null is a
            count that is not known or not disclosed.
        dimensions: those of `rows`, without the month.
        measures: what the counts are called.
        over: the months that are over, oldest first.
        ahead: the others: under way or to come.
        whole: whether all months are shown until some are chosen, and not the last twelve.
        told: whether each row is told by itself and none may be added up: what all codes of a
            dimension make together is a row of its own, with the code `ALL`.
        shown: first and last month that are shown until some are chosen, where that is not its own.

    """

    rows: pd.DataFrame
    dimensions: tuple[Dimension, ...]
    measures: Mapping[str, str]
    over: tuple[date, ...]
    ahead: tuple[date, ...] = ()
    whole: bool = False
    told: bool = False
    shown: tuple[date, date] | None = None

    @property
    def default(self) -> tuple[date, date]:
        """Return the last twelve months that are over, or what there is of them."""
        if self.shown:
            return self.shown
        if self.whole:
            return self.months[0], self.months[-1]
        months = self.over or self.ahead
        return months[-12:][0], months[-1]

    @property
    def months(self) -> tuple[date, ...]:
        """Return all months, oldest first."""
        return (*self.over, *self.ahead)

    def only(self, *names: str) -> Cube:
        """Return the cube added up to some of its dimensions, which lie in no other of them."""
        kept = tuple(one for one in self.dimensions if one.name in names)
        keys = [MONTH, *names]
        sums = self.rows.groupby(keys, sort=False)[list(self.measures)].sum(min_count=1)
        return replace(self, rows=sums.reset_index(), dimensions=kept)

    def cut(self, name: str, period: tuple[date, date] | None = None) -> pd.DataFrame:
        """Return the rows of one of `CUTS`, of a period or the default one.

        `somado` is what sums are made of: the months of the period that are over or, without any,
        all of it; `tudo` is the whole period. `ultimo` is its last month that is over, `anterior`
        the one before it and `ano_antes` the same one a year before, whether in the period or not.
        `previsto` are all months under way or to come, whatever the period.
        """
        return self.rows[self.rows[MONTH].isin(self.months_of(name, period))]

    def _apart(self, rows: pd.DataFrame, keys: Sequence[str] = ()) -> pd.DataFrame:
        """Return the rows of single codes of some dimensions, and of all codes of the others."""
        for dimension in self.dimensions if self.told else ():
            of_all = rows[dimension.name] == ALL
            rows = rows[~of_all if dimension.name in keys else of_all]
        return rows

    def months_of(self, name: str, period: tuple[date, date] | None = None) -> list[date]:
        """Return the months of a cut, oldest first."""
        period = period or self.default
        chosen = [month for month in self.months if period[0] <= month <= period[1]]
        over = [month for month in chosen if month in self.over]
        if name == "tudo":
            return chosen
        if name == "previsto":
            return list(self.ahead)
        if name == "somado":
            return over or chosen
        if not over:
            return []
        last = over[-1]
        before = {
            "ultimo": last,
            "anterior": date(last.year - (last.month == 1), (last.month - 2) % 12 + 1, 1),
            "ano_antes": date(last.year - 1, last.month, 1),
        }[name]
        return [before] if before in self.over else []

    def sums(self, name: str) -> dict[str, float | None]:
        """Return the sum of each measure over a cut; None where nothing is known."""
        return added(self._apart(self.cut(name)), self.measures)

    def period(self, name: str) -> str:
        """Write the months of a cut."""
        return text.period(self.months_of(name))

    def by(self, name: str, keys: Sequence[str]) -> list[dict[str, Any]]:
        """Return the sums of a cut by some dimensions, in the order of the codes."""
        rows = self._apart(self.cut(name), keys)
        if rows.empty:
            return []
        groups = rows.groupby(list(keys), sort=False, observed=True)
        sums = groups[list(self.measures)].sum(min_count=1).reset_index()
        found = [
            {key: row[key] for key in keys} | {m: plain(row[m]) for m in self.measures}
            for row in sums.to_dict(orient="records")
        ]
        return sorted(found, key=lambda row: [self.place(key, row[key]) for key in keys])

    def place(self, key: str, code: Any) -> int:
        """Return where a code stands among those of its dimension."""
        if key == MONTH:
            return self.months.index(code)
        return list(self.dimension(key).labels).index(code)

    def label(self, key: str, code: Any) -> str:
        """Return what a code of a dimension is called."""
        return text.month(code) if key == MONTH else self.dimension(key).labels[code]

    def dimension(self, name: str) -> Dimension:
        """Return one dimension."""
        return next(dimension for dimension in self.dimensions if dimension.name == name)

    def for_the_browser(self) -> dict[str, Any]:
        """Describe the cube without its rows, which come in `parts`."""
        return {
            "months": [str(month)[:7] for month in self.months],
            "over": len(self.over),
            "period": [str(month)[:7] for month in self.default],
            "dimensions": [self._offered(dimension) for dimension in self.dimensions],
            "labels": dict(self.measures),
            "told": self.told,
        }

    def parts(self) -> list[Rows]:
        """Return the rows as numbers: together when they are few, else some for each year."""
        single = sum(self.rows[one.name] != ALL for one in self.dimensions) if self.told else 0
        rows = self.rows.assign(year=[month.year for month in self.rows[MONTH]], single=single)
        # What is of many single codes knows little, and comes last, where it need not be sent.
        everything = self._coded(rows.sort_values(["single", MONTH], kind="stable"))
        if len(dumped(everything.content)) <= WHOLE:
            return [everything]
        rows = rows.sort_values(["year", "single", MONTH], kind="stable")
        everything, years = self._coded(rows), rows["year"].tolist()
        return [
            part.called(f"{year}_{at}")
            for year in sorted(set(years))
            for at, part in enumerate(
                everything.cut(years.index(year), bisect_right(years, year)).fitting(), 1
            )
        ]

    def _coded(self, rows: pd.DataFrame) -> Rows:
        """Return rows as places of codes and numbers."""
        codes: dict[str, Sequence[Any]] = {MONTH: self.months}
        codes |= {dimension.name: list(dimension.labels) for dimension in self.dimensions}
        places = {name: {code: at for at, code in enumerate(all_)} for name, all_ in codes.items()}
        return Rows(
            name="",
            rows={name: [at[code] for code in rows[name]] for name, at in places.items()},
            measures={name: numbers(rows[name]) for name in self.measures},
        )

    def _offered(self, dimension: Dimension) -> dict[str, Any]:
        """Describe a dimension, and for each code the codes of the wider one it stands with."""
        described: dict[str, Any] = {
            "name": dimension.name,
            "label": dimension.label,
            "codes": list(dimension.labels),
            "labels": list(dimension.labels.values()),
        }
        if dimension.within:
            wider = list(self.dimension(dimension.within).labels)
            pairs = self.rows[[dimension.name, dimension.within]].drop_duplicates()
            held = {code: wider.index(of) for code, of in pairs.itertuples(index=False)}
            described |= {
                "within": dimension.within,
                "of": [held.get(code, -1) for code in dimension.labels],
            }
        return described


def plain(value: Any) -> float | None:
    """Return a number of a table as Python's own, whole where it is; None where it is unknown."""
    if pd.isna(value):
        return None
    return int(value) if value == int(value) else round(float(value), 6)


def _known(column: Sequence[float | None]) -> int:
    """Return how many numbers there are up to the last that is known."""
    return next((at for at in range(len(column), 0, -1) if column[at - 1] is not None), 0)


def numbers(values: pd.Series) -> list[float | None]:
    """Return the numbers of a column as `plain` does."""
    found = values.astype("float64").tolist()
    return [None if v != v else int(v) if v == int(v) else round(v, 6) for v in found]  # noqa: PLR0124


def known(row: Mapping[str, Any], measure: str) -> float | None:
    """Return a measure of a row, or what is known of it."""
    value: float | None = row[measure]
    return row.get(f"{measure}{AT_LEAST}") if value is None else value


def said(row: Mapping[str, Any], measure: str) -> str:
    """Write a measure of a row, a share with one decimal; of what is known in part, its sum.

    Example:
        >>> said({"qtd": None, "qtd_minimo": 7}, "qtd"), said({"pct_x": 12.34}, "pct_x")
        ('ao menos 7', '12,3%')
    """
    value, part = row[measure], known(row, measure)
    if value is None and part:
        return f"ao menos {text.number(part)}"
    return text.percent(value, 100) if measure.startswith("pct_") else text.number(value)


def added(rows: pd.DataFrame, measures: Iterable[str]) -> dict[str, float | None]:
    """Add measures up; None where no row knows one."""
    sums = rows[list(measures)].sum(min_count=1)
    return {str(name): plain(value) for name, value in sums.items()}


def dumped(content: Any) -> str:
    """Write data as short as JSON gets."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def script(call: str, content: Any) -> str:
    """Write a call of our module with a JSON argument, harmless in a classic script."""
    data = dumped(content)
    # Nothing in it may look like a tag, and a line separator ends a line in old engines.
    for sign in ("<", "\u2028", "\u2029"):
        data = data.replace(sign, f"\\u{ord(sign):04x}")
    return f"{call}({data});\n"
