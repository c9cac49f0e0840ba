"""The search for a person's number, and for ways to reach one, in what is about to be published.

The exact rule. A value is refused when it holds a CPF (11 digits) or a CNS (15 digits) whose
check digits are right:

* in text (and in anything else that is not a number, as its text): what cannot be seen is taken
  out (zero-width characters, soft hyphens, marks of direction), and digits of every script, wide,
  raised or circled, are read as digits. Groups of digits with nothing but signs and blanks between
  them are then put together, and every run of whole groups that has 11 or 15 digits is tried. When
  the groups are one or two characters apart, as in `000.000.001-91`, any grouping counts; when
  they are further apart (` / `, a line break and an indent), only a grouping in which people write
  the two numbers, or a regular one: numbers that stand beside each other by chance have neither;
* in a number: its whole part, written without sign. From 9 digits on it is also tried as a CPF
  that has lost its leading zeros; smaller numbers are counts.

Eleven equal digits pass the check digits but are no CPF by the registry's own rule. A number that
stands inside a longer row of digits is not looked for: any long code would hold one by chance.
Words between digits end a run.
"""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import Decimal
from itertools import accumulate

from validate_docbr import CNS, CPF

CPF_DIGITS, CNS_DIGITS = 11, 15
FEWEST_DIGITS = 10
"""Digits of what is looked for: of a telephone number."""
SMALLEST_SUSPECT = 10**8
NUMERALS = r"\p{N}"
"""What DuckDB's regular expressions call everything that may be read as a digit."""
NARROW = 2
"""So many characters between groups of digits leave them one number, however they are grouped."""
CHAIN = re.compile(r"\d+(?:[\W_]+\d+)*", re.ASCII)
GROUP = re.compile(r"([\W_]*)(\d+)", re.ASCII)
BLANKS = re.compile(r"\s+")
CUTS = {CPF_DIGITS: {3, 6, 9}, CNS_DIGITS: {3, 7, 11}}
"""Where people divide the two numbers: 000.000.000-00 and 000 0000 0000 0000."""
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
TELEPHONE = re.compile(
    r"""(?<![\w-])(?:
        (\+\s?55[\s.-]*)?\([1-9]\d\)[\s.-]*(9[\s.-]?)?[2-9]\d{3}[\s.-]?\d{4}
        | \+\s?55[\s.-]*[1-9]\d[\s.-]*(9[\s.-]?)?[2-9]\d{3}[\s.-]?\d{4}
        | [1-9]\d[\s.-]?9[\s.-]?\d{4}[\s.-]?\d{4}
    )(?!\w)""",
    re.VERBOSE,
)
"""With the area in brackets, with the country, or of a mobile; what is shorter may be years."""
UNSEEN = {"Cf", "Mn", "Me"}
FILLERS = "\u115f\u1160\u3164\uffa0"
"""Letters of Hangul that are nothing but blank."""


def identifier_in(value: object) -> str | None:
    """Return 'CPF' or 'CNS' when the value holds a valid one.

    Example:
        >>> identifier_in("titular 000.000.001 - 91")
        'CPF'
    """
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _in_number(value)
    return _in_text(str(value))


def contact_in(text: str) -> str | None:
    """Return which way to reach somebody a text holds, if any.

    Example:
        >>> contact_in("falar com a mãe: (61) 99999-0000")
        'telephone number'
    """
    plain = unicodedata.normalize("NFKC", text)
    if EMAIL.search(plain):
        return "e-mail address"
    return "telephone number" if TELEPHONE.search(plain) else None


def _in_number(value: float | Decimal) -> str | None:
    """Try the whole part of a number."""
    whole = abs(int(value)) if math.isfinite(value) else 0
    if whole < SMALLEST_SUSPECT:
        return None
    digits = str(whole)
    return _kind(digits if len(digits) > CPF_DIGITS else digits.zfill(CPF_DIGITS))


def _in_text(text: str) -> str | None:
    """Try every run of whole groups of digits."""
    for chain in CHAIN.findall(text if text.isascii() else _plain(text)):
        groups = [
            (len(BLANKS.sub(" ", gap)) > NARROW, digits) for gap, digits in GROUP.findall(chain)
        ]
        for first in range(len(groups)):
            if kind := _from_group(groups[first:]):
                return kind
    return None


def _plain(text: str) -> str:
    r"""Write a text with ASCII digits and without what cannot be seen; other letters stay letters.

    Letters beyond ASCII become `x`, so that `[\W_]` in ASCII means a sign in every script.
    """
    return "".join(
        _character(character)
        for character in unicodedata.normalize("NFKC", text)
        if unicodedata.category(character) not in UNSEEN and character not in FILLERS
    )


def _character(character: str) -> str:
    """Write one character as a digit, a letter, a blank or a sign."""
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    if character.isascii():
        return character
    if character.isspace():
        return " "
    return "x" if character.isalnum() else "."


def _from_group(groups: list[tuple[bool, str]]) -> str | None:
    """Try the runs that begin with the first of some groups.

    Args:
        groups: whether the group stands far from the one before it, and its digits.
    """
    sizes: list[int] = []
    digits, spread = "", False
    for position, (far, group) in enumerate(groups):
        digits += group
        sizes.append(len(group))
        spread = spread or (far and position > 0)
        if len(digits) > CNS_DIGITS:
            return None
        kind = _kind(digits)
        if kind and (not spread or _is_usual(sizes, len(digits))):
            return kind
    return None


def _is_usual(sizes: list[int], length: int) -> bool:
    """Say whether a number is divided as people write it, or into equal parts and a rest."""
    is_regular = len(sizes) > 2 and set(sizes[:-1]) == {sizes[0]} and sizes[-1] <= sizes[0]
    return is_regular or set(accumulate(sizes[:-1])) <= CUTS[length]


def _kind(digits: str) -> str | None:
    """Return which identifier these digits are, if any."""
    if len(digits) == CPF_DIGITS and CPF().validate(digits):
        return "CPF"
    if len(digits) == CNS_DIGITS and CNS().validate(digits):
        return "CNS"
    return None
