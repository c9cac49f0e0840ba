"""The files that operators export from SISREG and the monthly base of CNES, for the city.

| file | what |
|---|---|
| `SISREG_ESCALAS_AMB_530010_{AAAAMMDD}_{HHMM}.csv` | weekly schedules, 34 columns |
| `afastamento_profissional.csv`, `afastamento_unidade.csv`, `feriado.csv` | what blocks slots |
| `ppi.csv`, `teto.csv`, `cota.csv` | agreements, ceilings, quotas |
| `carga_horaria.csv` | contracted hours of each month, from the manager's base of CNES |
| `SISREG_AGENDAMENTO_{CNES}_{AAAAMM}.csv` | bookings of the busiest unit in the last whole month |
| `SISREG_AGENDAMENTO_{CNES}_{AAAAMM}.txt` | the same of the second busiest one, as TXT |
| `proadi_*.csv` | the register of PROADI-SUS, see `programme` |
| `tbEstabelecimento{AAAAMM}.csv` | establishments, ISO-8859-1, everything in quotes |

The CSV of bookings names its executing unit only in the file name: the seven digits before the
month. A hidden marker beside the files says that they are simulated. Defects are those that the
real files are known for, and none hides a fact.

Each file is a query in `sql/` that names the columns as the header shows them; `seen_*` holds the
records of the offer on the day of the export.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import duckdb

from mapa import synthetic
from mapa_city import past
from mapa_city.city import City
from mapa_city.doors import documents
from mapa_city.doors import programme as register
from mapa_city.programme import programme
from mapa_city.sql import sql

PATTERNS = (
    "SISREG_ESCALAS_AMB_*.csv",
    "SISREG_AGENDAMENTO_*.csv",
    "SISREG_AGENDAMENTO_*.txt",
    "tbEstabelecimento*.csv",
)
NAMED = (
    "afastamento_profissional",
    "afastamento_unidade",
    "feriado",
    "ppi",
    "teto",
    "cota",
    "carga_horaria",
)
"""Files whose names are those of their queries."""


@dataclass(frozen=True)
class _Form:
    """How a file looks besides its columns."""

    encoding: str = "utf-8"
    newline: str = "\n"
    quoted: bool = False
    first_line: str | None = None


@dataclass(frozen=True)
class _Export:
    """One file to write, and the query of its rows."""

    name: str
    query: str
    form: _Form = _Form()


def write(city: City, directory: Path, as_of: date | None = None) -> list[Path]:
    """Write all files, each one whole or not at all, and return their paths.

    The folder is made when it does not exist and rid of the files of an earlier call. `as_of` is
    the day of the export, by default the city's last day; the offer is as its records stood then.
    """
    day = as_of or city.until
    synthetic.mark(directory)
    for pattern in PATTERNS:
        for old in directory.glob(pattern):
            old.unlink()
    con = duckdb.connect()
    try:
        documents.register(con, city)
        records = past.as_of(city, day)
        for name in past.TABLES:
            documents.number(con, f"seen_{name}", getattr(records, name))
        con.execute("set variable seed = ?", [city.parameters.seed])
        con.execute("set variable closing = ?", [datetime.combine(day + timedelta(days=1), time())])
        for name in ("macros", "file_macros"):
            con.execute(sql("doors", name))
        exports = _exports(con, city.territory.central, day)
        written = [_write(con, directory, export) for export in exports]
        return written + register.write(programme(city), directory)
    finally:
        con.close()


def _exports(con: duckdb.DuckDBPyConnection, central: str, day: date) -> Iterator[_Export]:
    stamp = documents.clock(day)
    schedules = sql("doors", "escala")
    yield _Export(f"SISREG_ESCALAS_AMB_{central}_{stamp:%Y%m%d_%H%M}.csv", schedules)
    for name in NAMED:
        yield _Export(f"{name}.csv", sql("doors", name))
    yield from _bookings(con, day)
    form = _Form(encoding="iso-8859-1", quoted=True)
    yield _Export(f"tbEstabelecimento{day:%Y%m}.csv", sql("doors", "estabelecimento"), form)


def _bookings(con: duckdb.DuckDBPyConnection, day: date) -> Iterator[_Export]:
    """Yield the booking files of the two busiest units in the last month that is over."""
    last = (day + timedelta(days=1)).replace(day=1) - timedelta(days=1)
    first = last.replace(day=1)
    con.execute("set variable first_day = ?", [first])
    con.execute("set variable last_day = ?", [last])
    con.execute(sql("doors", "agendamento"))
    busiest = con.execute(
        "select any_value(unit_cnes), any_value(unit_name), count(*) from booked "
        "group by unit_idx order by count(*) desc, unit_idx limit 2"
    ).fetchall()
    for kind, (cnes, name, count) in zip(("csv", "txt"), busiest, strict=False):
        quoted = name.replace('"', '""')
        # Unlike the rows it writes dates with slashes, and an empty line follows.
        head = f'{cnes};"{quoted}";{first:%d/%m/%Y};{last:%d/%m/%Y};{count}\n'
        yield _Export(
            f"SISREG_AGENDAMENTO_{cnes}_{first:%Y%m}.{kind}",
            "select * exclude (unit_idx, unit_cnes, unit_name) from booked "
            f"where unit_cnes = '{cnes}' order by solicitacao",
            _Form(newline="\r\n", first_line=head if kind == "txt" else None),
        )


def _write(con: duckdb.DuckDBPyConnection, directory: Path, export: _Export) -> Path:
    """Write a file beside its place and move it there when it is whole."""
    form = export.form
    path, part = directory / export.name, directory / f".{export.name}.part"
    try:
        header = "false" if form.first_line is not None else "true"
        quoted = ", force_quote *" if form.quoted else ""
        con.execute(
            f"copy ({export.query}) to '{_literal(part)}' "
            f"(format csv, delimiter ';', quote '\"', escape '\"', header {header}{quoted})"
        )
        _reshape(part, form)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _reshape(path: Path, form: _Form) -> None:
    """Give a file that DuckDB wrote its encoding, line ends and first line."""
    if form == _Form():
        return
    text = path.read_text(encoding="utf-8")
    lines: Sequence[str] = [form.first_line, "\n"] if form.first_line is not None else []
    text = "".join([*lines, text]).replace("\n", form.newline)
    path.write_text(text, encoding=form.encoding, newline="")


def _literal(path: Path) -> str:
    return str(path).replace("'", "''")
