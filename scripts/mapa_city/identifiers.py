"""Synthetic CPF and CNS: right check digits over low serial numbers, so that none is a person's."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from mapa_city.arrays import Ints, digits

DEFINITIVE_PREFIXES = (1, 2)
"""Families built over an 11-digit PIS; 7, 8 and 9 satisfy the universal rule alone."""


def cpf(serials: Ints) -> pa.Array:
    """Return the CPF whose first nine digits are the serial."""
    base = _split(serials, 9)
    tenth = _cpf_digit(base, 10)
    eleventh = _cpf_digit(np.vstack([base, tenth]), 11)
    return digits(serials * 100 + tenth * 10 + eleventh, 11)


def cns(prefixes: Ints, serials: Ints) -> pa.Array:
    """Return the CNS of a prefix (1, 2, 7, 9 or 898) and a serial below 10^10.

    Prefixes 1 and 2 follow the rule of the PIS, the others the universal rule.
    """
    by_pis = np.isin(prefixes, DEFINITIVE_PREFIXES)
    length = np.where(prefixes >= 100, 3, 1)
    free = np.where(by_pis, 10_000, 100)
    base = prefixes * 10 ** (15 - length) + serials * free
    total = (_split(base, 15) * np.arange(15, 0, -1)[:, None]).sum(axis=0)
    digit = -total % 11
    # A check digit of 10 cannot be written: one more in the place before it makes it 8.
    carried = digit == 10
    return digits(base + np.where(carried, 10 + 8, digit), 15)


def _split(values: Ints, width: int) -> Ints:
    """Return the decimal digits as rows, most significant first."""
    return values[None, :] // 10 ** np.arange(width - 1, -1, -1)[:, None] % 10


def _cpf_digit(rows: Ints, heaviest: int) -> Ints:
    """Return the next check digit of a CPF."""
    weights = np.arange(heaviest, 1, -1)[:, None]
    rest: Ints = (rows * weights).sum(axis=0) % 11
    return np.where(rest < 2, 0, 11 - rest)
