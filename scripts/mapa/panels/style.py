"""How numbers, months and limits look and are called on the panels, in Brazilian Portuguese."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

MONTHS = ("jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez")


@dataclass(frozen=True)
class Part:
    """A part of the total offer: its measure, its name and its colour."""

    measure: str
    name: str
    colour: str
    pattern: str = ""


# Okabe and Ito's colours, told apart with any colour vision; what is lost also bears a pattern.
# The parts of each bar add up to the total: the real offer, and each cause that takes slots of it.
# Blocks are greys and limits colours; what takes a slot first stands last, at the top of the bar.
PARTS = (
    Part("qtd_oferta_real", "Oferta real", "#0072B2"),
    Part("qtd_vagas_perdidas_ppi", "Perdida por PPI", "#CC79A7", "\\"),
    Part("qtd_vagas_perdidas_teto", "Perdida por teto", "#E69F00", "/"),
    Part("qtd_vagas_bloqueadas_afastamento", "Bloqueada: afastamento", "#5E5E5E", "."),
    Part("qtd_vagas_bloqueadas_feriado", "Bloqueada: feriado", "#BDBDBD", "x"),
    Part("qtd_vagas_nao_divulgadas", "Não divulgada", "#F2F2F2", "-"),
)
CAUSES = {
    "qtd_vagas_bloqueadas_feriado": "Feriado",
    "qtd_vagas_bloqueadas_afastamento": "Afastamento",
    "qtd_vagas_perdidas_teto": "Teto da unidade",
    "qtd_vagas_perdidas_ppi": "PPI da central",
}
"""What takes slots, by measure, in the order in which a slot with several causes is counted."""
LIMITS = {
    "escala": ("Nenhum limite atingido", "#0072B2"),
    "teto": ("Teto da unidade", "#E69F00"),
    "ppi": ("PPI da central", "#CC79A7"),
    "nao_informado": ("PPI e teto não informados", "#E3E3E3"),
}


def number(value: float) -> str:
    """Write a count with dots between the thousands.

    Example:
        >>> number(1234567)
        '1.234.567'
    """
    return f"{value:,.0f}".replace(",", ".")


def percent(part: float, whole: float) -> str:
    """Write a share with one decimal; a dash when there is no whole.

    Example:
        >>> percent(1, 8)
        '12,5%'
    """
    return f"{100 * part / whole:.1f}%".replace(".", ",") if whole else "–"


def month_label(month: date) -> str:
    """Write a month as on the axes.

    Example:
        >>> month_label(date(2026, 6, 1))
        'jun/26'
    """
    return f"{MONTHS[month.month - 1]}/{month:%y}"


def period(months: Iterable[date]) -> str:
    """Write the months that a sum covers: the first and the last, or the only one.

    Example:
        >>> period([date(2026, 5, 1), date(2026, 6, 1)])
        'mai/26 a jun/26'
    """
    first, last = min(found := list(months)), max(found)
    return month_label(first) if first == last else f"{month_label(first)} a {month_label(last)}"


def day(value: date) -> str:
    """Write a day the Brazilian way."""
    return f"{value:%d/%m/%Y}"


def shortened(text: str, length: int) -> str:
    """Cut a long name so that a chart keeps its room."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
