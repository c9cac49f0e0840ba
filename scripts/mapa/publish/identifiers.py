"""The search for a person's number in what is about to be published.

The exact rule. A value is refused when it holds a CPF (11 digits) or a CNS (15 digits) whose
check digits are right:

* in text (and in anything else that is not a number, as its text): digits in a row, or groups of
  digits divided by one or two characters that are neither letter nor digit, as in
  `000.000.001-91`; every run of whole groups that has 11 or 15 digits together is tried;
* in a number: its whole part, written without sign. From 9 digits on it is also tried as a CPF
  that has lost its leading zeros; smaller numbers are counts.

Eleven equal digits pass the check digits but are no CPF by the registry's own rule. A number that
stands inside a longer row of digits is not looked for: any long code would hold one by chance.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

from validate_docbr import CNS, CPF

CPF_DIGITS, CNS_DIGITS = 11, 15
SMALLEST_SUSPECT = 10**8
GROUPS = re.compile(r"\d+(?:[\W_]{1,2}\d+)*")
DIGITS = re.compile(r"\d+")


def identifier_in(value: object) -> str | None:
    """Return 'CPF' or 'CNS' when the value holds a valid one.

    Example:
        >>> identifier_in("titular 000.000.001-91")
        'CPF'
    """
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _in_number(value)
    return _in_text(str(value))


def _in_number(value: float | Decimal) -> str | None:
    """Try the whole part of a number."""
    whole = abs(int(value)) if math.isfinite(value) else 0
    if whole < SMALLEST_SUSPECT:
        return None
    digits = str(whole)
    return _kind(digits if len(digits) > CPF_DIGITS else digits.zfill(CPF_DIGITS))


def _in_text(text: str) -> str | None:
    """Try every run of whole groups of digits."""
    for chain in GROUPS.findall(text):
        groups = ["".join(str(int(d)) for d in group) for group in DIGITS.findall(chain)]
        for first in range(len(groups)):
            digits = ""
            for group in groups[first:]:
                digits += group
                if len(digits) > CNS_DIGITS:
                    break
                if kind := _kind(digits):
                    return kind
    return None


def _kind(digits: str) -> str | None:
    """Return which identifier these digits are, if any."""
    if len(digits) == CPF_DIGITS and CPF().validate(digits):
        return "CPF"
    if len(digits) == CNS_DIGITS and CNS().validate(digits):
        return "CNS"
    return None
