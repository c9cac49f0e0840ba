"""What became of the bookings of each unit, as far as it is published."""

from __future__ import annotations

from dataclasses import dataclass

from mapa.site import text
from mapa.site.release import NothingToShowError, Release
from mapa.site.waits import Row, named

TABLE = "pub_oferta_uso_por_mes"
BAR = (("qtd_agendamentos_devidos", "Agendamentos devidos", "#0072B2"),)
"""What is drawn: measure, name, fill."""
COUNTS = ("qtd_agendamentos_devidos", "qtd_faltas", "qtd_sem_confirmacao")


@dataclass(frozen=True)
class Use:
    """What is published of the bookings of one unit: its months, oldest first."""

    months: tuple[Row, ...]

    @property
    def named(self) -> list[tuple[str, str, Row]]:
        """Return the months, each with its name and code."""
        return named(self.months)

    @property
    def most(self) -> int:
        """Return the most bookings of a month, to which bars are drawn; at least one."""
        return max(row["qtd_agendamentos_devidos"] or 0 for row in self.months) or 1

    @property
    def said(self) -> str:
        """Return what is known of the last month."""
        row = self.months[-1]
        month = text.month(row["competencia"])
        due, missed, silent = (row[name] for name in COUNTS)
        if due is None:
            return (
                f"Quantos agendamentos a unidade tinha em {month} está oculto, porque seriam "
                "poucos ou os diriam: não é zero."
            )
        said = f"Em {month} a unidade tinha {text.number(due)} agendamentos"
        if missed is None or silent is None or not due:
            return f"{said}; quantos foram faltas está oculto ou não se sabe, o que não é zero."
        low, high = text.percent(missed, due), text.percent(missed + silent, due)
        if not silent:
            return f"{said}; {low} foram faltas."
        return (
            f"{said}; entre {low} e {high} foram faltas: de {text.number(silent)} não se sabe se "
            "a pessoa veio."
        )


def uses(release: Release) -> dict[str, Use]:
    """Return what is published of the bookings of each unit, by its code."""
    try:
        rows = release.records(
            f"select *, unidade_executante_cnes as unidade from {TABLE} order by competencia"
        )
    except NothingToShowError:
        return {}
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["unidade"], []).append(row)
    return {code: Use(tuple(months)) for code, months in found.items()}
