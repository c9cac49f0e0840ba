"""Small array tools that the parts of the city share.

Days are counted from 1970-01-01, instants in whole seconds from its midnight, both as 64-bit
integers in the local clock. `MISSING` marks an unknown in such an array; Arrow tables carry nulls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]
Flags = npt.NDArray[np.bool_]

MISSING = int(np.iinfo(np.int64).min)
DAY = 86_400
FAR = 10**6
"""A day that never comes."""


@dataclass(frozen=True)
class Span:
    """First and last simulated day, as day numbers."""

    start: int
    until: int


def day_number(day: date) -> int:
    """Count the days from 1970-01-01 to `day`."""
    return (day - date(1970, 1, 1)).days


def month_number(days: Ints) -> Ints:
    """Count the months from January 1970 to each day."""
    return days.view("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def month_start(months: Ints) -> Ints:
    """Return the first day of each month number."""
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def iso_weekday(days: Ints) -> Ints:
    """Return 1 (Monday) to 7 (Sunday); 1970-01-01 was a Thursday."""
    return (days + 3) % 7 + 1


def numbers(table: pa.Table, name: str) -> Ints:
    """Return a column of integers, dates or times as 64-bit integers, nulls as `MISSING`."""
    values = table[name].combine_chunks()
    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.timestamp("s"))
    elif pa.types.is_date(values.type):
        values = values.cast(pa.int32())
    filled = pc.fill_null(values.cast(pa.int64()), MISSING)
    return np.asarray(filled.to_numpy(zero_copy_only=False), dtype=np.int64)


def texts(table: pa.Table, name: str) -> Texts:
    """Return a column of texts."""
    return np.array(table[name].to_pylist(), dtype=object)


def day_text(days: Ints) -> Texts:
    """Write each day as YYYY-MM-DD."""
    return np.datetime_as_string(days.view("datetime64[D]")).astype(object)


def codes(table: pa.Table, name: str) -> Ints:
    """Give each distinct text of a column a number; null is -1."""
    encoded = table[name].combine_chunks().dictionary_encode().indices
    filled = pc.fill_null(encoded.cast(pa.int64()), -1)
    return np.asarray(filled.to_numpy(zero_copy_only=False), dtype=np.int64)


def matches(table: pa.Table, name: str, values: Sequence[str]) -> Flags:
    """Tell which rows carry one of the texts; null is none of them."""
    found = pc.is_in(table[name].combine_chunks(), value_set=pa.array(values, pa.string()))
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.bool_)


def pick(values: Sequence[str | None], index: Ints) -> pa.Array:
    """Return the text at each index; a negative index gives null."""
    where = pa.array(index, type=pa.int64(), mask=index < 0)
    return pa.array(values, pa.string()).take(where)


def digits(values: Ints, width: int) -> pa.Array:
    """Write each number as text of `width` digits with leading zeros."""
    return pc.utf8_lpad(pa.array(values, pa.int64()).cast(pa.string()), width=width, padding="0")


def joined(*parts: pa.Array | str) -> pa.Array:
    """Join texts row by row with one blank between them."""
    return pc.binary_join_element_wise(*parts, " ")


def expand(start: Ints, count: Ints) -> tuple[Ints, Ints]:
    """Unroll runs `start, start + 1, …` of `count` numbers; return owner and number of each."""
    owner = np.repeat(np.arange(len(count)), count)
    first = np.cumsum(count) - count
    return owner, np.arange(len(owner)) - first[owner] + start[owner]


def rank_within(groups: Ints) -> Ints:
    """Count the members of each run of equal values of a sorted array, from 0."""
    if len(groups) == 0:
        return np.zeros(0, dtype=np.int64)
    begins = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    lengths = np.diff(np.r_[begins, len(groups)])
    rank: Ints = np.arange(len(groups)) - np.repeat(begins, lengths)
    return rank


def weighted(rng: np.random.Generator, weights: Floats, size: int) -> Ints:
    """Draw `size` indices in proportion to `weights`."""
    edges = np.cumsum(weights)
    chosen: Ints = np.searchsorted(edges, rng.random(size) * edges[-1], side="right")
    return chosen


def whole(rng: np.random.Generator, values: Floats) -> Ints:
    """Round at random so that the expected value stays: 2.3 becomes 3 three times in ten."""
    rounded: Ints = np.floor(values + rng.random(len(values))).astype(np.int64)
    return rounded


def unless(missing: Flags, values: npt.NDArray[Any]) -> Texts:
    """Return plain Python values with None where they are missing."""
    result = values.astype(object)
    result[missing] = None
    return result
