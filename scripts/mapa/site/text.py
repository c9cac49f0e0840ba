"""How numbers, months and names read, in Brazilian Portuguese."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

MONTHS = ("jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez")
UNKNOWN = "–"
"""What stands for a number that is not known or not disclosed; never a zero."""

UNTOLD = "não informado"
"""What stands for a fact that nobody told."""


def number(value: float | None) -> str:
    """Write a count with dots between the thousands.

    Example:
        >>> number(1234567), number(-5), number(None)
        ('1.234.567', '−5', '–')
    """
    if value is None:
        return UNKNOWN
    # A half upwards, as the page in the browser does.
    whole = int(abs(value) + 0.5)
    return ("−" if value < 0 and whole else "") + f"{whole:,}".replace(",", ".")


def signed(value: float | None) -> str:
    """Write a difference with its sign.

    Example:
        >>> signed(1234), signed(0), signed(-2)
        ('+1.234', '0', '−2')
    """
    return f"+{number(value)}" if value is not None and value > 0 else number(value)


def percent(part: float | None, whole: float | None) -> str:
    """Write a share with one decimal; a dash when it is not known or there is no whole.

    Example:
        >>> percent(1, 8)
        '12,5%'
    """
    if part is None or not whole:
        return UNKNOWN
    # In tenths of a per cent, a half upwards, as the page in the browser does.
    tenths = int(abs(1000 * part / whole) + 0.5)
    sign = "−" if part * whole < 0 and tenths else ""
    return f"{sign}{number(tenths // 10)},{tenths % 10}%"


def month(value: date) -> str:
    """Write a month as on the axes.

    Example:
        >>> month(date(2026, 6, 1))
        'jun/26'
    """
    return f"{MONTHS[value.month - 1]}/{value:%y}"


def period(months: Iterable[date]) -> str:
    """Write the months that a sum covers: the first and the last, or the only one.

    Example:
        >>> period([date(2026, 5, 1), date(2026, 6, 1)])
        'mai/26 a jun/26'
    """
    found = sorted(months)
    if not found:
        return UNKNOWN
    first, last = found[0], found[-1]
    return month(first) if first == last else f"{month(first)} a {month(last)}"


def day(value: date) -> str:
    """Write a day the Brazilian way."""
    return f"{value:%d/%m/%Y}"


def per_thousand(part: float | None, people: float | None) -> str:
    """Write how many there are for each thousand people, with one decimal.

    Example:
        >>> per_thousand(72, 336024), per_thousand(None, 10)
        ('0,2', '–')
    """
    if part is None or not people:
        return UNKNOWN
    tenths = int(10000 * part / people + 0.5)
    return f"{number(tenths // 10)},{tenths % 10}"
