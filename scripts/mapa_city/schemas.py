"""Columns of the city's tables: the one place that says what each part of the city looks like.

Columns named `…_idx` are row numbers of another table. Times are naive local clock. Minutes of
day run from 0 to 1440. A null is unknown; it is never a zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from mapa_city.arrays import MISSING

_TEXT = pa.string()
_INT = pa.int32()
_DAY = pa.date32()
_TIME = pa.timestamp("ms")
_FLAG = pa.bool_()

PROCEDURES = pa.schema(
    {
        "codigo": _TEXT,
        "nome": _TEXT,
        "grupo_codigo": _TEXT,
        "grupo_nome": _TEXT,
        "sigtap": _TEXT,  # null: group rows, and a few others
        "tipo": _TEXT,  # consulta, exame, grupo
    }
)

UNITS = pa.schema(
    {
        "cnes": _TEXT,
        "nome": _TEXT,
        "ra": _INT,  # 1..35
        "regiao_saude": _TEXT,  # where it really is
        "bairro": _TEXT,
        "bairro_tells": _FLAG,  # whether the text lets a stranger know the region
        "is_executing": _FLAG,
        "is_requesting": _FLAG,
    }
)

# One row per professional and unit: the same CPF may stand in two units.
PROFESSIONALS = pa.schema({"cpf": _TEXT, "nome": _TEXT, "cbo": _TEXT, "unit_idx": _INT})

SCHEDULES = pa.schema(
    {
        "codigo": _TEXT,
        "central": _TEXT,  # for which the unit executes it
        "professional_idx": _INT,
        "unit_idx": _INT,
        "procedure_idx": _INT,
        "weekday": _INT,  # ISO 1..7; null: the file says none of the seven
        "first_slots": _INT,
        "return_slots": _INT,
        "reserve_slots": _INT,
        "minutes_first": _INT,
        "minutes_return": _INT,
        "minutes_reserve": _INT,
        "valid_from": _DAY,
        "valid_to": _DAY,
        "start_minute": _INT,
        "end_minute": _INT,
        "auto_split": _FLAG,
        "local_agenda": _FLAG,
        "status": _TEXT,  # ATIVA, INATIVA, EXPIRADA, EXCLUIDA
        "created_at": _TIME,
        "changed_at": _TIME,
        "activated_at": _TIME,
    }
)

LEAVES_PROFESSIONAL = pa.schema(
    {
        "codigo": _TEXT,
        "professional_idx": _INT,
        "unit_idx": _INT,  # null: every unit in which the same CPF works
        "procedure_idx": _INT,  # null: every procedure
        "start_date": _DAY,
        "start_minute": _INT,
        "end_date": _DAY,
        "end_minute": _INT,
        "motive": _TEXT,
    }
)

LEAVES_UNIT = pa.schema(
    {
        "codigo": _TEXT,
        "unit_idx": _INT,
        "start_date": _DAY,
        "start_minute": _INT,
        "end_date": _DAY,
        "end_minute": _INT,
        "motive": _TEXT,
    }
)

HOLIDAYS = pa.schema(
    {
        "date": _DAY,
        "name": _TEXT,
        "scope": _TEXT,  # whose holiday it is, as typed; nenhuma: no holiday after all
        "unit_idx": _INT,  # null: all units
        "listed": _FLAG,  # whether the operator's table has it
    }
)

PPI = pa.schema(
    {
        "competencia": _DAY,
        "requesting_central": _TEXT,
        "executing_central": _TEXT,
        "procedure_idx": _INT,
        "quantity": _INT,
    }
)

CEILINGS = pa.schema(
    {"competencia": _DAY, "unit_idx": _INT, "procedure_idx": _INT, "quantity": _INT}
)

QUOTAS = pa.schema(
    {
        "competencia": _DAY,
        "unit_idx": _INT,
        "procedure_idx": _INT,
        "kind": _TEXT,  # LOCAL, PACTUADA
        "quantity": _INT,
    }
)

# One row per contract and month; a CPF without schedules stands in no other table of the offer.
CONTRACTS = pa.schema(
    {
        "competencia": _DAY,
        "cpf": _TEXT,
        "unit_idx": _INT,
        "cbo": _TEXT,
        "bond": _TEXT,
        "weekly_hours": _INT,  # null: the register does not say
    }
)

PERSONS = pa.schema(
    {
        "name": _TEXT,
        "mother": _TEXT,
        "birth_date": _DAY,
        "sex": _TEXT,  # M, F
        "race": _TEXT,  # CadSUS 01..05, 99
        "cpf": _TEXT,
        "death_date": _DAY,
        "death_known": _TEXT,  # what the register knows of it: day, month, nothing
        "city_ibge6": _TEXT,
        "bairro": _TEXT,  # empty text: the address has none
        "ra": _INT,  # 1..35, where the address really is; 0: outside the district
        "bairro_tells": _FLAG,  # whether the text lets a stranger know the region
        "moved_at": _DAY,  # first day at the new address
        "new_bairro": _TEXT,
        "new_ra": _INT,
        "new_bairro_tells": _FLAG,
        "new_city_ibge6": _TEXT,
        "cep": _TEXT,
        "household": _INT,  # row of the person whose family it is; her own: she has none here
    }
)

CARDS = pa.schema({"person_idx": _INT, "cns": _TEXT, "kind": _TEXT, "is_main": _FLAG})

REQUESTS = pa.schema(
    {
        "codigo": _TEXT,
        "person_idx": _INT,
        "card_idx": _INT,
        "procedure_idx": _INT,
        "extra_procedure_idx": pa.list_(_INT),
        "risk": _INT,  # 1..4; null: not classified
        "regulation": _TEXT,  # R, F
        "slot_kind": _INT,  # 1 first visit, 2 return
        "unit_idx": _INT,
        "professional_cpf": _TEXT,
        "professional_name": _TEXT,
        "cid": _TEXT,
        "requested_at": _TIME,
        "desired_date": _DAY,
        "bairro": _TEXT,
        "ra": _INT,
        "bairro_tells": _FLAG,
        "city_ibge6": _TEXT,
        "lagging": _FLAG,  # once booked, its queue document is not refreshed any more
        "undated": _FLAG,  # typed in as a booking, without the date of the request
        "central": _TEXT,  # that regulates it
        "reachable": _FLAG,  # whether it has a telephone number that can be one
    }
)

# What each request says of who asks, in the order of REQUESTS; never changed afterwards.
IDENTITIES = pa.schema(
    {
        "cns": _TEXT,  # null: none was typed
        "cpf": _TEXT,
        "name": _TEXT,
        "mother": _TEXT,  # null: not told
        "birth_date": _DAY,
        "slip": _TEXT,  # what is wrong with the numbers, of mapa_city.slips.SLIPS; null: nothing
        "known_before": _FLAG,  # an earlier request carried the person's own card
    }
)

# What a request says from an instant on, before that as in REQUESTS; the whole state each time.
CHANGES = pa.schema(
    {
        "request_idx": _INT,
        "at": _TIME,
        "procedure_idx": _INT,
        "risk": _INT,
        "bairro": _TEXT,
        "ra": _INT,
        "bairro_tells": _FLAG,
        "city_ibge6": _TEXT,
    }
)

# When the source does not have a request; null: it never comes back.
ABSENCES = pa.schema({"request_idx": _INT, "gone_at": _TIME, "back_at": _TIME})

EVENTS = pa.schema({"request_idx": _INT, "at": _TIME, "kind": _TEXT, "actor_profile": _TEXT})

BOOKINGS = pa.schema(
    {
        "request_idx": _INT,
        "codigo": _TEXT,
        "procedure_idx": _INT,
        "schedule_idx": _INT,
        "appointment_at": _TIME,
        "slot_kind": _INT,  # 0 first visit, 1 return, 2 reserve
        "approved_at": _TIME,
        "outcome": _TEXT,  # confirmada, falta, sem_confirmacao, cancelada, futura
    }
)


def table(schema: pa.Schema, columns: Mapping[str, Any]) -> pa.Table:
    """Make a table of exactly the columns of `schema`, in its order and types.

    Arrays of integers stand for numbers, days or seconds as the type asks, `MISSING` for null.

    Raises:
        KeyError: when a column of the schema is missing.
    """
    arrays = [_array(columns[field.name], field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    """Bring one column to its Arrow type."""
    if isinstance(values, pa.Array):
        return values.cast(kind)
    if pa.types.is_date(kind):
        return pa.array(values.view("datetime64[D]"), type=kind)
    if pa.types.is_timestamp(kind):
        return pa.array(values.view("datetime64[s]"), type=kind)
    if pa.types.is_integer(kind):
        return pa.array(values, type=kind, mask=values == MISSING)
    return pa.array(values, type=kind)
