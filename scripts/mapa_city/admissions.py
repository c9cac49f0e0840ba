"""Who asks to be admitted to a hospital, and when a bed is found.

A story of its own beside that of the ambulatory queue, with draws of its own: urgent requests end
within days, elective ones wait for weeks or months, some from before the simulated days on.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pyarrow as pa

from mapa_city.arrays import DAY, day_number
from mapa_city.city import City

CLINICS = ("CIRURGICO", "CLINICO", "CIRURGICO")
"""Clinic of the bed, by kind of admission."""

_STREAM = 9
_AMBULATORY = 12
"""How many ambulatory requests there are for each admission."""

_BEFORE = 200
"""Days before the start in which the oldest request was made."""

_FATES = ("ALTA", "CANCELADA", "NEGADA", "TROCADA")
_MINUTES = DAY // 60


def admissions(city: City) -> pa.Table:
    """Draw the requests for admission of a city, the first steps of each as instants.

    Columns: person, units, `fate` (what becomes of it: ALTA when a bed is found), `risk` 1 to 4
    (urgent up to 2), `kind` 0 to 2, whether the requester names the clinic, and five instants.
    """
    count = len(city.requests) // _AMBULATORY + 1
    rng = np.random.default_rng([city.parameters.seed, _STREAM])
    executing = np.flatnonzero(city.units["is_executing"].to_numpy(zero_copy_only=False))
    first = np.datetime64(city.start - timedelta(days=_BEFORE), "m")
    length = (day_number(city.until) - day_number(city.start) + _BEFORE) * _MINUTES
    # In their order, so that a later day has the same requests under the same numbers.
    requested = first + np.sort(rng.integers(0, length, count))
    risk = rng.integers(1, 5, count)
    urgent = risk <= 2
    bed = np.where(urgent, rng.exponential(1.5, count), rng.exponential(70, count)) * _MINUTES
    steps = np.cumsum(
        np.column_stack(
            [
                rng.integers(10, np.where(urgent, 480, 14_400), count),
                bed.astype(np.int64) + 60,
                rng.integers(60, 4_320, count),
                rng.integers(1_440, 20_160, count),
            ]
        ),
        axis=1,
    )
    moments = (requested[:, None] + steps).astype("datetime64[ms]")
    return pa.table(
        {
            "person_idx": rng.integers(0, len(city.persons), count),
            "unit_idx": rng.choice(executing, count),
            "origin_idx": rng.choice(executing, count),
            "fate": rng.choice(_FATES, count, p=[0.83, 0.1, 0.05, 0.02]),
            "risk": risk,
            "kind": rng.integers(0, 3, count),
            "names_clinic": rng.random(count) < 0.6,
            "requested_at": requested.astype("datetime64[ms]"),
            "authorised_at": moments[:, 0],
            "reserved_at": moments[:, 1],
            "admitted_at": moments[:, 2],
            "discharged_at": moments[:, 3],
        }
    )
