"""Clocks that disagree, found before anything that they stamp is believed.

Three clocks say when: ours, the source's (`Date` of its answers), and those of earlier loads, as
`controle.cargas` keeps them. Whose is wrong nobody can tell from here, so a load is refused when
two of them are further apart than MAPA_MAX_CLOCK_HOURS, with both times. A simulated city lives in
a time of its own: its answers and the instants that it describes are not compared.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb

from mapa.errors import ConfigError
from mapa.settings import Settings


def now() -> datetime:
    """Return this machine's clock, in UTC and naive."""
    return datetime.now(UTC).replace(tzinfo=None)


def ahead(theirs: datetime) -> timedelta:
    """Return how far a clock (with zone) is ahead of ours."""
    return theirs - now().replace(tzinfo=UTC)


def refuse_source(host: str, theirs: datetime, most: timedelta) -> None:
    """Refuse a source whose clock (with zone) is not ours.

    Raises:
        ConfigError: names both times.

    """
    if abs(ahead(theirs)) > most:
        raise ConfigError(
            f"The clock of {host} says {_written(theirs.astimezone(UTC))} and this machine's "
            f"{_written(now())}: they "
            f"may differ by {_hours(most)}; nothing was loaded.\nCompare both with the real time. "
            "Correct this machine's clock, or ask the owner of the source to correct theirs, then "
            "try again."
        )


def refuse_ours(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Refuse to load while a complete load lies in the future: our clock was wrong, then or now.

    A load whose day was corrected is settled.

    Raises:
        ConfigError: names both times, and the command that corrects the day of that load.

    """
    ours, most = now(), timedelta(hours=settings.mapa_max_clock_hours)
    found = con.execute(
        """
        with cargas as (
            select
                carga_id,
                ordem,
                -- `janela_fim` is on the local clock of Brasília.
                greatest(
                    iniciada_em,
                    case
                        when not coalesce(eh_sintetica, false)
                            then (janela_fim at time zone 'America/Sao_Paulo') at time zone 'UTC'
                    end
                ) as instante
            from controle.cargas
            where resultado = 'completa'
                and carga_id not in (select carga_id from controle.correcoes)
        )
        select carga_id, instante from cargas where instante > $1 order by ordem
        """,
        [ours + most],
    ).fetchall()
    if not found:
        return
    (load, instant), more = found[0], len(found) - 1
    raise ConfigError(
        f"This machine's clock says {_written(ours)}, and load {load} is of {_written(instant)}"
        + (f" ({more} more are later than now, too)" if more else "")
        + f": more than {_hours(most)} ahead; nothing was loaded.\n"
        "If this machine's clock is wrong, correct it and try again. If that load was made by a "
        "wrong clock, give it the day on which it was really seen:\n"
        f"  mapa load redate {load} --seen-on AAAA-MM-DD --reason TEXT"
    )


def _written(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"


def _hours(most: timedelta) -> str:
    return f"{most.total_seconds() / 3600:.4g} hours (MAPA_MAX_CLOCK_HOURS)"
