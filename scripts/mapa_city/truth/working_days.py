"""Working days of the Union, counted one by one; holidays of the nation only."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

FIXED = {(1, 1), (4, 21), (5, 1), (9, 7), (10, 12), (11, 2), (11, 15), (12, 25)}
BLACK_AWARENESS = date(2024, 1, 1), (11, 20)
"""A national holiday since 2024."""


@cache
def easter(year: int) -> date:
    """Return Easter Sunday by the table of Meeus, Jones and Butcher."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 19 * weekday) // 433
    month = (h + weekday - 7 * m + 90) // 25
    return date(year, month, (h + weekday - 7 * m + 33 * month + 19) % 32)


def is_working(day: date) -> bool:
    """Say whether offices are open."""
    since, feast = BLACK_AWARENESS
    feasts = FIXED | ({feast} if day >= since else set())
    return (
        day.weekday() < 5
        and (day.month, day.day) not in feasts
        and day != easter(day.year) - timedelta(days=2)
    )


def moved(day: date) -> date:
    """Return the day, or the next one on which offices are open."""
    while not is_working(day):
        day += timedelta(days=1)
    return day


def working_days(day: date, amount: int) -> date:
    """Return the day so many working days later, or earlier."""
    step = timedelta(days=1 if amount > 0 else -1)
    # The day before an office day is counted from the last one that was open.
    while amount < 0 and not is_working(day):
        day += step
    while amount:
        day += step
        amount -= int(is_working(day)) * (1 if amount > 0 else -1)
    return day


def next_month(day: date) -> date:
    """Return the first day of the month after."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)
