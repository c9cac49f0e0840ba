"""Where those are due who live in each health region: in their own, in another, or nobody knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mapa.site import text
from mapa.site.release import NothingToShowError, Release

TABLE = "pub_absenteismo_por_residencia_por_mes"
NOWHERE, ELSEWHERE = "nao_identificada", "fora_do_territorio"
QUERY = f"""
    select
        t.regiao_residencia_codigo as casa,
        r.regiao_saude_nome as nome,
        t.regiao_atendimento_codigo as destino,
        d.regiao_saude_nome as destino_nome,
        cast(sum(t.qtd_agendamentos_devidos) as bigint) as qtd,
        count(*) = count(t.qtd_agendamentos_devidos) as eh_inteira
    from {TABLE} as t
    left join pub_dim_regioes_saude as r on t.regiao_residencia_codigo = r.regiao_saude_codigo
    left join pub_dim_regioes_saude as d on t.regiao_atendimento_codigo = d.regiao_saude_codigo
    group by all
    order by max(r.populacao_regiao_saude) is null, nome, destino_nome
"""
MONTHS = f"select distinct competencia from {TABLE} order by 1"


@dataclass(frozen=True)
class Count:
    """A sum of counts of people, and whether none of them is hidden."""

    value: int
    whole: bool

    def __str__(self) -> str:
        """Write it: what is known in part is told as such, what is all hidden is no zero.

        Example:
            >>> str(Count(1200, True)), str(Count(7, False)), str(Count(0, False))
            ('1.200', 'ao menos 7', '–')
        """
        if self.whole:
            return text.number(self.value)
        return f"ao menos {text.number(self.value)}" if self.value else text.UNKNOWN


@dataclass(frozen=True)
class Home:
    """One region of residence: how many were due where.

    Attributes:
        code: of the region.
        name: of the region.
        own: due in units of the region itself.
        other: in units of other regions.
        unknown: where nobody knows the region of the unit, or of the people.
        most: name of the other region with most of them, and how many; None: none is shown.

    """

    code: str
    name: str
    own: Count
    other: Count
    unknown: Count
    most: tuple[str, Count] | None

    @property
    def due(self) -> Count:
        """Return all of them."""
        return _sum([self.own, self.other, self.unknown])

    @property
    def is_of_the_territory(self) -> bool:
        """Tell whether the region is one of those that have units of their own."""
        return self.code not in {NOWHERE, ELSEWHERE}

    @property
    def outside(self) -> str:
        """Write the share in other regions of what is shown."""
        return text.percent(self.other.value, self.due.value)


@dataclass(frozen=True)
class Flows:
    """What all regions show.

    Attributes:
        period: the months, written.
        homes: regions of residence, those of the territory first.

    """

    period: str
    homes: tuple[Home, ...]

    @property
    def most(self) -> int:
        """Return the largest sum, to which bars are drawn."""
        return max(home.due.value for home in self.homes)

    @property
    def said(self) -> str:
        """Say how many were due outside their region, where most, and what is not known."""
        own = [home for home in self.homes if home.is_of_the_territory and home.due.value]
        if not own:
            return "Onde são atendidos os moradores de cada região está oculto, o que não é zero."
        due, other = sum(h.due.value for h in own), sum(h.other.value for h in own)
        farthest = max(own, key=lambda home: home.other.value / home.due.value)
        everybody = sum(home.due.value for home in self.homes)
        lost = sum(home.due.value for home in self.homes if home.code == NOWHERE)
        return (
            f"De {self.period}, dos agendamentos devidos que se divulgam, {text.number(due)} eram "
            f"de moradores das regiões de saúde, e {text.number(other)} "
            f"({text.percent(other, due)}) deles em unidade de outra região. De "
            f"{text.number(farthest.due.value)} de moradores de {farthest.name}, "
            f"{text.number(farthest.other.value)} ({farthest.outside}) eram fora dela. De "
            f"{text.percent(lost, everybody)} de todos não se sabe onde a pessoa mora."
        )


def flows(release: Release) -> Flows | None:
    """Return where people are due, in all published months together; None: not published."""
    try:
        rows, months = release.records(QUERY), release.records(MONTHS)
    except NothingToShowError:
        return None
    if not rows:
        return None
    codes = dict.fromkeys(row["casa"] for row in rows)
    homes = tuple(_home([row for row in rows if row["casa"] == code]) for code in codes)
    return Flows(text.period([row["competencia"] for row in months]), homes)


def _home(rows: Sequence[dict[str, Any]]) -> Home:
    code, name = rows[0]["casa"], rows[0]["nome"]
    counts = {row["destino"]: Count(row["qtd"] or 0, bool(row["eh_inteira"])) for row in rows}
    names = {row["destino"]: row["destino_nome"] for row in rows}
    others = {to: count for to, count in counts.items() if to not in {code, NOWHERE}}
    most = max(others, key=lambda to: others[to].value, default=None)
    nobody = Count(0, whole=True)
    # Of whom nobody knows the home, nobody knows whether it is elsewhere.
    lost = code == NOWHERE
    return Home(
        code,
        name,
        own=nobody if lost else counts.get(code, nobody),
        other=nobody if lost else _sum(list(others.values())),
        unknown=_sum(list(counts.values())) if lost else counts.get(NOWHERE, nobody),
        most=(names[most], others[most]) if most and others[most].value else None,
    )


def _sum(counts: Sequence[Count]) -> Count:
    return Count(sum(count.value for count in counts), all(count.whole for count in counts))
