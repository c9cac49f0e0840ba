"""The city's tables as SISREG documents and CadSUS records, at the end of a given day.

`build` writes one DuckDB file that the server then only reads. Everything is made by DuckDB from
whole columns, with the statements in `sql/`; there is never a Python object per document. A
document shows what had happened by the end of `as_of` and nothing later.

The known defects of the source are put in here, by a hash of the request number and the seed, so
that a document keeps its defects from one day to the next and two runs give the same bytes:
the false `Z` is added when a page is rendered, cancellations are shown three hours early, flags are
now numbers and now texts like "1.0", codes lose leading zeros, missing values are spelled in many
ways, statuses carry trailing blanks. No defect hides a fact: what a careful reader needs for the
right numbers can always be recovered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa

from mapa_city.admissions import admissions
from mapa_city.city import City
from mapa_city.sql import sql

LOCAL = ZoneInfo("America/Sao_Paulo")
# Beyond the limit DuckDB sorts on disk beside the store, so a large city fits a small machine. No
# order is relied upon but that of `order by`.
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "storage_compatibility_version": "latest",
    "memory_limit": "3GB",
    "preserve_insertion_order": "false",
    # The indices are wide: a second thread would cost half as much again.
    "threads": 1,
}

SITUATIONS = {
    "solicitada": "PENDENTE",
    "devolvida": "DEVOLVIDA",
    "reenviada": "REENVIADA",
    "agendada": "AGENDADA",
    "negada": "NEGADA",
    "cancelada": "CANCELADA",
    "cancelamento_agendamento": "CANCELADA",
    "reaberta": "PENDENTE",
    "confirmada": "CONFIRMADA",
    "falta": "FALTA",
}
"""Kind of event to `laudo[].situacao`; a booking made by a regulator is AUTORIZADA instead.

A look by the regulator leaves no entry: it is the flag `st_visualizado_regulador`. Nor does a
correction of what is asked for.
"""

PROFILES = {
    "SOLICITANTE": "1",
    "REGULADOR": "2",
    "EXECUTANTE": "4",
    "COORDENADOR": "17",
}
"""Profile of an actor to its code in SISREG; the automatic waiting list has none."""

STATEMENTS = ("macros", "preparation", "solicitacao", "marcacao", "hospitalar", "registered")
"""What makes a store, in this order."""


def clock(as_of: date) -> datetime:
    """Return the instant at which the sources stand: five past midnight after `as_of`."""
    return datetime.combine(as_of + timedelta(days=1), time(0, 5), tzinfo=LOCAL)


@dataclass(frozen=True)
class Habits:
    """What a mirror does otherwise than that of the Federal District.

    Attributes:
        centrals: codes of the regulating centrals among which the requests are shared out; none
            given, the city's own; those that one of them has stay with it.
        changed: what the indices call the instant of change.
        cleaned: whether the registry of persons has been cleaned: a third of its records is
            inactivated, half of them not found any more, the others without any number; a third of
            those with CPF has it instead of all cards; a third stands merged in a new record, half
            of them without CPF and with the main card alone.

    """

    centrals: tuple[str, ...] = ()
    changed: str = "data_atualizacao"
    cleaned: bool = False

    def put_on(self, con: duckdb.DuckDBPyConnection) -> None:
        """Let the documents of a store show them; a request has one central in all indices."""
        for table in ("solicitacao", "marcacao", "hospitalar"):
            if self.centrals:
                con.execute(
                    f"update {table} set codigo_central_reguladora = list_extract($1, cast(1 + "
                    "hash(cast(codigo_solicitacao as varchar)) % len($1)::ubigint as bigint)) "
                    "where not list_contains($1, codigo_central_reguladora)",
                    [list(self.centrals)],
                )
            if self.changed != "data_atualizacao":
                con.execute(f"alter table {table} rename data_atualizacao to {self.changed}")

        if self.cleaned:
            con.execute(CLEANING)


CLEANING = """
delete from registered where master % 6 = 0;
update registered set cpf = null, cards = [] where master % 6 = 3;
update registered set cards = [] where master % 3 = 1 and cpf is not null;
update registered set cpf = null, cards = cards[:1] where master % 6 = 5;
update registered set master = master + 2000000 where master % 3 = 2;
"""
USUAL = Habits()


def build(
    city: City,
    path: Path,
    as_of: date | None = None,
    *,
    extra_field: bool = True,
    habits: Habits = USUAL,
) -> None:
    """Write the document store of the city.

    Args:
        city: the finished city.
        path: DuckDB file to make; an older one is replaced.
        as_of: last day whose events are shown; default: the city's last day.
        extra_field: whether a few documents carry a field that no manual names.
        habits: what its mirror does otherwise than others.

    """
    day = as_of or city.until
    path.unlink(missing_ok=True)
    con = duckdb.connect(str(path), config=CONFIG)
    try:
        register(con, city)
        asked = admissions(city)
        closing = np.datetime64(day + timedelta(days=1), "ms")
        made = asked["requested_at"].to_numpy() < closing
        number(con, "city_admissions", asked.filter(pa.array(made)))
        # DuckDB binds no parameters in statements that create; session variables reach everywhere.
        con.execute("set variable seed = ?", [city.parameters.seed])
        con.execute("set variable extra_field = ?", [extra_field])
        con.execute("set variable closing = ?", [datetime.combine(day + timedelta(days=1), time())])
        con.execute(
            "set variable written_at = ?", [clock(day).astimezone(UTC).replace(tzinfo=None)]
        )
        for name in STATEMENTS:
            con.execute(sql("doors", name))
        habits.put_on(con)
        con.execute("create table clock as select ? as instant", [clock(day).isoformat()])
    finally:
        con.close()


def register(con: duckdb.DuckDBPyConnection, city: City) -> None:
    """Make the city's tables known to a connection as `city_*`, each with its row number `idx`.

    Session variables say where it lies.
    """
    for field in fields(city):
        table = getattr(city, field.name)
        if isinstance(table, pa.Table):
            number(con, f"city_{field.name}", table)
    territory = city.territory
    for name, value in {
        "central": territory.central,
        "municipality": territory.seat.code,
        "municipality_name": territory.seat.name,
        "state": territory.seat.state,
        "state_number": territory.seat.code[:2],
        "neighbour": territory.neighbours[0].code,
    }.items():
        con.execute(f"set variable {name} = ?", [value])
    known = territory.municipalities
    named: dict[str, Sequence[str] | str] = {m.code: (m.name, m.state) for m in known}
    con.register("city_municipalities", _rows(("ibge6", "name", "uf"), named))
    con.register("city_situations", _rows(("kind", "situation"), SITUATIONS))
    con.register("city_profiles", _rows(("profile", "code"), PROFILES))


def number(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """Make a table known to a connection, with its row number `idx`."""
    con.register(name, table.append_column("idx", pa.array(np.arange(len(table)), pa.int32())))


def _rows(names: tuple[str, ...], mapping: Mapping[str, Sequence[str] | str]) -> pa.Table:
    rows = [(k, *v) if isinstance(v, tuple) else (k, v) for k, v in mapping.items()]
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
