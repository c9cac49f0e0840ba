"""The day on which an extract was seen, corrected by hand when a clock was wrong.

`controle.correcoes` keeps what stood there before, what stands there now, why and since when. So
does `correcoes.json` beside the landed files, for warehouses that are rebuilt from landing alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import click
import duckdb

from mapa import clocks, warehouse
from mapa.landing import Folder
from mapa.load import resume, seen
from mapa.settings import Settings

NOTE = "correcoes.json"
COLUMNS = "janela_fim_antes, janela_fim, marca_antes, marca, motivo, corrigida_em"


@dataclass(frozen=True)
class Correction:
    """One correction of one load; instants of extract and watermark are local to the source."""

    before: datetime | None
    until: datetime
    mark_before: datetime | None
    mark: datetime | None
    reason: str
    made: datetime

    def note(self) -> dict[str, Any]:
        """Return what landing keeps of it."""
        values = self.before, self.until, self.mark_before, self.mark, self.reason, self.made
        return dict(zip(COLUMNS.split(", "), values, strict=True))

    @classmethod
    def of(cls, note: dict[str, Any]) -> Correction:
        """Return what landing kept."""

        def instant(name: str) -> datetime | None:
            return datetime.fromisoformat(note[name]) if note[name] else None

        return cls(
            instant("janela_fim_antes"),
            datetime.fromisoformat(note["janela_fim"]),
            instant("marca_antes"),
            instant("marca"),
            note["motivo"],
            datetime.fromisoformat(note["corrigida_em"]),
        )


def redate(settings: Settings, loads: Iterable[str], day: date, reason: str) -> list[str]:
    """Correct the day of complete loads, and the watermark where one of them moved it.

    Args:
        settings: where the data are.
        loads: names of the loads.
        day: on which their extracts were really seen.
        reason: why, kept for ever.

    Returns:
        A line for each load.

    Raises:
        click.BadParameter: the day has not come, a load is unknown or not complete, or extracts of
            its layout would no longer stand in the order in which they were loaded; nothing is
            changed then.

    """
    seen.refuse_future(day)
    with warehouse.connect(settings.warehouse) as con:
        con.begin()
        rows = _rows(con, [*loads])
        for row in rows:
            _refuse_disorder(con, row, day, [one[0] for one in rows])
        corrected = [_redate(con, row, day, reason) for row in rows]
        con.commit()
        for source, name, _ in corrected:
            folder = Folder(settings.landing, source, name)
            if folder.path.exists():
                folder.note(NOTE, {"correcoes": [c.note() for c in kept(con, folder.path)]})
    return [line for _, _, line in corrected]


def kept(con: duckdb.DuckDBPyConnection, folder: Path) -> list[Correction]:
    """Return the corrections of a load, oldest first, by the warehouse or else by landing."""
    rows = con.execute(
        f"select {COLUMNS} from controle.correcoes where carga_id = $1 order by rowid",
        [folder.name],
    ).fetchall()
    if rows:
        return [Correction(*row) for row in rows]
    return [Correction.of(c) for c in (resume.read_note(folder, NOTE) or {}).get("correcoes", [])]


def restore(con: duckdb.DuckDBPyConnection, load_id: str, corrections: list[Correction]) -> None:
    """Write into a rebuilt warehouse the corrections of a load that only landing has kept."""
    known = con.execute("select 1 from controle.correcoes where carga_id = $1", [load_id])
    if not known.fetchone():
        for correction in corrections:
            _keep(con, load_id, correction)


def _keep(con: duckdb.DuckDBPyConnection, load_id: str, correction: Correction) -> None:
    con.execute(
        f"insert into controle.correcoes (carga_id, {COLUMNS}) values (?, ?, ?, ?, ?, ?, ?)",
        [load_id, *correction.note().values()],
    )


def _rows(con: duckdb.DuckDBPyConnection, names: list[str]) -> list[tuple[Any, ...]]:
    """Return the audit rows of complete loads, oldest first."""
    rows = con.execute(
        "select carga_id, fonte, entidade, coalesce(escopo, ''), ordem, janela_fim "
        "from controle.cargas where list_contains($1, carga_id) and resultado = 'completa' "
        "order by ordem",
        [names],
    ).fetchall()
    if unknown := [name for name in names if name not in {row[0] for row in rows}]:
        raise click.BadParameter(
            f"there is no complete load {unknown[0]}; nothing was changed.\n"
            "Names of loads are listed by\n  mapa status --wide",
            param_hint="LOAD_ID",
        )
    return rows


def _redate(
    con: duckdb.DuckDBPyConnection, row: tuple[Any, ...], day: date, reason: str
) -> tuple[str, str, str]:
    """Correct one load in the open transaction; return source, name, and a line that says so."""
    name, source, *_, before = row
    until = datetime.combine(day, time())
    found = con.execute("select marca from controle.marcas where carga_id = $1", [name]).fetchone()
    mark = found[0] if found else None
    con.execute("update controle.cargas set janela_fim = $1 where carga_id = $2", [until, name])
    con.execute("update controle.marcas set marca = $1 where carga_id = $2", [until, name])
    new = Correction(before, until, mark, until if mark else None, reason, clocks.now())
    _keep(con, name, new)
    was = f"{before:%Y-%m-%d %H:%M}" if before else "unknown"
    moved = f"; read until {mark:%Y-%m-%d %H:%M} before, {day} now" if mark else ""
    return source, name, f"{name}: as of {was} before, seen on {day} now{moved}"


def _refuse_disorder(
    con: duckdb.DuckDBPyConnection, row: tuple[Any, ...], day: date, along: list[str]
) -> None:
    """Refuse a day before that of a load before it, or after that of a later one.

    Loads that get the same day along with it do not count.

    Raises:
        click.BadParameter: names the other load and its day.

    """
    name, _, entity, scope, order, _ = row
    others = con.execute(
        "select carga_id, ordem, janela_fim, iniciada_em from controle.cargas "
        "where entidade = $1 and coalesce(escopo, '') = $2 and resultado = 'completa' "
        "and not list_contains($3, carga_id) order by ordem",
        [entity, scope, along],
    ).fetchall()
    for other, number, until, began in others:
        its_day = (until or seen.local_clock(began)).date()
        if (its_day > day) if number < order else (its_day < day):
            when = "before" if number < order else "after"
            raise click.BadParameter(
                f"load {other} of `{entity}` was loaded {when} {name} and seen on {its_day}; "
                f"nothing was changed.\nVersions are kept in the order in which they were loaded: "
                f"the day of {name} cannot be {day}. If that of {other} is wrong, too, correct it "
                "first, or both at once:\n"
                f"  mapa load redate {other} {name} --seen-on {day} --reason TEXT",
                param_hint="--seen-on",
            )
