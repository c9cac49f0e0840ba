"""What a citizen asks of a queue: how many wait, how long those seen waited, and the chance.

Everything is read off published tables, where counts are hidden and shares lie between two numbers;
nothing is told that these do not tell. Pages of many procedures and pages of one say it alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any

from mapa.site import text
from mapa.site.blocks import Part
from mapa.site.cube import AT_LEAST
from mapa.site.release import NothingToShowError, Release

QUEUE, BANDS = "pub_fila_por_mes", "pub_fila_por_faixa_por_mes"
LIMITS, CHANCES = "pub_espera_limites_por_mes", "pub_espera_probabilidade_por_mes"
DAY = 90
"""The day of which sentences speak."""
TOLD = {
    "limite_dias": "Limite de espera, em dias",
    "fila_limite_de": "Na fila, dentro do limite: ao menos",
    "fila_limite_ate": "Na fila, dentro do limite: no máximo",
    "atendidas_limite_de": "Atendidas dentro do limite: ao menos",
    "atendidas_limite_ate": "Atendidas dentro do limite: no máximo",
    "chance_de": f"Dos que entram, atendidos até o dia {DAY}: ao menos",
    "chance_ate": f"Dos que entram, atendidos até o dia {DAY}: no máximo",
}
"""Shares within which somebody's part lies, and the limit that they are of."""
SPLIT = {
    "fila_limite_folga": "Na fila, entre o mínimo e o máximo",
    "fila_limite_alem": "Na fila, além do limite: ao menos",
    "chance_folga": "Atendidas até o dia 90 ou não: entre o mínimo e o máximo",
    "chance_outras": "Terminam de outro modo até o dia 90",
    "chance_aberto": "Seguem esperando no dia 90: ao menos",
}
"""What is left of a hundred beside the shares, so that bars add up."""
BALANCE = {
    "entradas_por_100_agendamentos": "Entram para cada 100 que ganham data, no trimestre",
    "meses_para_atender": "Meses para atender a fila",
    "vagas_semana_alivio": "Vagas por semana que levariam a fila ao alvo em meio ano",
}
"""What is computed here from published counts, each of them shown (indicators 28, 29 and 32)."""
MEANINGS = {
    **{
        f"fila_limite_{end}": f"Parte da fila que aguarda há no máximo o limite: {what}."
        for end, what in (("de", "ao menos"), ("ate", "no máximo"))
    },
    **{
        f"atendidas_limite_{end}": f"Parte dos atendidos que esperou no máximo o limite: {what}."
        for end, what in (("de", "ao menos"), ("ate", "no máximo"))
    },
    **{
        f"chance_{end}": "Parte dos que entraram nos doze meses até este que é atendida até o dia "
        f"{DAY}: {what}."
        for end, what in (("de", "ao menos"), ("ate", "no máximo"))
    },
    "entradas_por_100_agendamentos": "Entradas do mês e dos dois anteriores para cada 100 pedidos "
    "que ganharam data neles. Acima de 100 a fila cresce. Indicador 28.",
    "meses_para_atender": "Meses em que a fila acabaria, ao ritmo do trimestre, se ninguém mais "
    "entrasse. Indicador 29.",
    "vagas_semana_alivio": "Vagas por semana que em meio ano levariam a fila ao tamanho compatível "
    "com o limite. Negativo: sobram. Indicador 32.",
}
"""What the measures above mean, for downloads."""
MEASURES = (*TOLD, *SPLIT)
OF_ALL = (
    "limite_dias", "fila_limite_de", "fila_limite_ate", "fila_limite_folga", "fila_limite_alem",
    "atendidas_limite_de", "atendidas_limite_ate",
)  # fmt: skip
"""Those of them that are told of all procedures together."""
BANDED = {
    code: f"qtd_aguardando_{code}"
    for code in (
        "ate_30", "31_a_60", "61_a_90", "91_a_180", "181_a_365", "366_a_730", "acima_de_730"
    )
}  # fmt: skip
"""Measure of each band of days."""
BAND_PARTS = tuple(
    Part(BANDED[code], name, fill)
    for code, name, fill in (
        ("ate_30", "Até 30 dias", "#FDE8C8"),
        ("31_a_60", "31 a 60", "#FDCC8A"),
        ("61_a_90", "61 a 90", "#FC8D59"),
        ("91_a_180", "91 a 180", "url(#p-teto)"),
        ("181_a_365", "181 a 365", "#B30000"),
        ("366_a_730", "366 a 730", "url(#p-afastamento)"),
        ("acima_de_730", "Mais de 730 dias", "#1A1A1A"),
    )
)
BAND_NAMES = {part.measure: part.name for part in BAND_PARTS}
SHARES = """
    l.limite_dias,
    l.pct_aguardando_no_limite_minimo as fila_limite_de,
    l.pct_aguardando_no_limite_maximo as fila_limite_ate,
    l.pct_aguardando_no_limite_maximo - l.pct_aguardando_no_limite_minimo as fila_limite_folga,
    100 - l.pct_aguardando_no_limite_maximo as fila_limite_alem,
    l.pct_atendidas_no_limite_minimo as atendidas_limite_de,
    l.pct_atendidas_no_limite_maximo as atendidas_limite_ate,
    c.pct_pedidos_atendidos_minimo as chance_de,
    c.pct_pedidos_atendidos_maximo as chance_ate,
    {chances}
"""
PARTS = """
    c.pct_pedidos_atendidos_maximo - c.pct_pedidos_atendidos_minimo as chance_folga,
    c.pct_pedidos_encerrados_maximo - c.pct_pedidos_atendidos_maximo as chance_outras,
    100 - c.pct_pedidos_encerrados_maximo as chance_aberto
"""
"""The parts of a hundred: what ended otherwise is the rest, as wide as the shares themselves."""
KNOWN = f"""
    with trimestres as (
        select
            t.competencia, t.procedimento_codigo, t.qtd_aguardando, l.limite_dias,
            datediff('day', t.competencia - interval 2 month, t.competencia + interval 1 month)
                as dias,
            case when count(t.qtd_entradas) over passado = 3
                then sum(t.qtd_entradas) over passado end as entradas,
            case when count(t.qtd_agendamentos) over passado = 3
                then sum(t.qtd_agendamentos) over passado end as agendamentos
        from {QUEUE} as t
        left join {LIMITS} as l using (competencia, procedimento_codigo)
        where t.procedimento_codigo <> 'demais'
        window passado as (
            partition by t.procedimento_codigo order by t.competencia
            range between interval 2 month preceding and current row
        )
    )
    select
        q.*,
        {SHARES.format(chances=PARTS)},
        100.0 * e.entradas / nullif(e.agendamentos, 0) as entradas_por_100_agendamentos,
        3.0 * e.qtd_aguardando / nullif(e.agendamentos, 0) as meses_para_atender,
        7.0 * e.entradas / e.dias
            + (e.qtd_aguardando - e.entradas * e.limite_dias / (4.0 * e.dias)) / 26
            as vagas_semana_alivio
    from {QUEUE} as q
    left join {LIMITS} as l using (competencia, procedimento_codigo)
    left join {CHANCES} as c
        on q.competencia = c.competencia and q.procedimento_codigo = c.procedimento_codigo
        and c.horizonte_dias = {DAY}
    left join trimestres as e
        on q.competencia = e.competencia and q.procedimento_codigo = e.procedimento_codigo
"""
"""What is published of each procedure and month, side by side."""
TOGETHER = f"""
    select competencia, limite_dias,
        pct_aguardando_no_limite_minimo as fila_limite_de,
        pct_aguardando_no_limite_maximo as fila_limite_ate,
        pct_aguardando_no_limite_maximo - pct_aguardando_no_limite_minimo as fila_limite_folga,
        100 - pct_aguardando_no_limite_maximo as fila_limite_alem,
        pct_atendidas_no_limite_minimo as atendidas_limite_de,
        pct_atendidas_no_limite_maximo as atendidas_limite_ate
    from {LIMITS} where procedimento_codigo = 'todos'
"""
"""What is published of all procedures together."""
_SEEN = (
    "Dos {ultimo.qtd_atendidas|n} atendidos no mês, metade esperou até {ultimo.dias_espera_p50|n} "
    "dias e nove em dez até {ultimo.dias_espera_p90|n}."
)
_CHANCE = (
    "De cada 100 que entraram nos doze meses até então, de {ultimo.chance_de|n} a "
    f"{{ultimo.chance_ate|n}} são atendidos até o dia {DAY}."
)
CLAUSES = (
    (
        "No fim de {ultimo|meses}, {ultimo.qtd_aguardando|n} pedidos de consulta ou exame "
        "aguardavam uma data.",
        f"No fim de {{ultimo|meses}}, ao menos {{ultimo.qtd_aguardando{AT_LEAST}|n}} pedidos de "
        "consulta ou exame aguardavam uma data.",
        "Quantos aguardavam no fim de {ultimo|meses} está oculto ou não se publica nesta seleção, "
        "o que não é zero.",
    ),
    (
        f"{_SEEN} {_CHANCE}",
        f"{_SEEN} A chance de ser atendido até o dia {DAY} não se diz: entraram poucos.",
        f"{_CHANCE} Quanto esperou quem foi atendido não se diz: foram poucos no mês.",
        f"Quanto se espera e a chance de ser atendido até o dia {DAY} só se dizem de um "
        "procedimento, com casos bastantes.",
    ),
    (
        "O limite é de {ultimo.limite_dias|n} dias: de cada 100 que aguardam, de "
        "{ultimo.fila_limite_de|n} a {ultimo.fila_limite_ate|n} estão dentro dele.",
        "Quantos estão dentro do limite de espera não se diz nesta seleção.",
    ),
)
UNTOLD = "Quantos aguardavam não se publica nesta seleção, o que não é zero."
FINDING = (*(" ".join(parts) for parts in product(*CLAUSES)), UNTOLD)
"""The citizen's sentence, from the fullest to the plainest: each clause as far as it is known."""
ENDS = (
    ("chance_de", "Atendidos, ao menos", "#009E73"),
    ("chance_folga", "Talvez atendidos", "url(#p-teto)"),
    ("chance_outras", "Terminaram de outro modo", "url(#p-afastamento)"),
    ("chance_aberto", "Ainda esperavam", "url(#p-nao-divulgada)"),
)
"""What becomes of a hundred by a day: measure, name, fill."""
OF_ENDS = (
    "Dos pedidos que entraram nos doze meses até o último mês mostrado. Talvez atendidos: "
    "agendamentos que ninguém confirmou, e a folga do intervalo. Terminaram de outro modo: "
    "cancelados, negados, faltas e óbitos, com a mesma folga."
)
"""How to read them."""
WITHIN = (
    ("fila_limite_de", "Dentro do limite, ao menos", "#0072B2"),
    ("fila_limite_folga", "Dentro ou além", "url(#p-feriado)"),
    ("fila_limite_alem", "Além do limite, ao menos", "url(#p-teto)"),
)
HORIZONS = f"""
    select c.competencia, c.procedimento_codigo, c.horizonte_dias,
        c.pct_pedidos_atendidos_minimo as chance_de, c.pct_pedidos_atendidos_maximo as chance_ate,
        {PARTS}
    from {CHANCES} as c
    where c.competencia = (select max(competencia) from {QUEUE})
        and c.pct_pedidos_atendidos_minimo is not null
    order by c.horizonte_dias
"""
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Wait:
    """What is published of the queue of one procedure.

    Attributes:
        months: what is told of each month, oldest first.
        horizons: its chances to be seen by each day, of the last month.
        last: the last month that is told of anything.

    """

    months: tuple[Row, ...]
    horizons: tuple[Row, ...]
    last: date

    @property
    def days(self) -> list[tuple[str, int, Row]]:
        """Return the chances, each with its day."""
        return [(f"{row['horizonte_dias']}", row["horizonte_dias"], row) for row in self.horizons]

    @property
    def named(self) -> list[tuple[str, str, Row]]:
        """Return the months, each with its name and code."""
        return named(self.months)

    @property
    def most(self) -> int:
        """Return the longest queue, to which bars are drawn; at least one."""
        return max((row["qtd_aguardando"] or 0 for row in self.months), default=0) or 1

    @property
    def said(self) -> str:
        """Return the citizen's sentence on the last month."""
        row = self.months[-1] if self.months and self.months[-1]["competencia"] == self.last else {}
        return " ".join(clause for clause in _clauses(row, text.month(self.last)) if clause)


def waits(release: Release) -> dict[str, Wait]:
    """Return what is published of the queue of each procedure, by its code."""
    try:
        rows = release.records(f"select * from ({KNOWN}) order by competencia")
    except NothingToShowError:
        return {}
    if not rows:
        return {}
    last = max(row["competencia"] for row in rows)
    months, horizons = _by_procedure(rows), _by_procedure(release.records(HORIZONS))
    return {
        code: Wait(tuple(found), tuple(horizons.get(code, ())), last)
        for code, found in months.items()
    }


def named(rows: Iterable[Row]) -> list[tuple[str, str, Row]]:
    """Return rows of months, each with its name and code."""
    return [(text.month(m), f"{m:%Y-%m}", row) for row in rows for m in [row["competencia"]]]


def _by_procedure(rows: list[dict[str, Any]]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["procedimento_codigo"], []).append(row)
    return found


def _clauses(row: Row, month: str) -> Iterator[str]:
    def n(name: str) -> str:
        return text.number(row[name])

    def known(*names: str) -> bool:
        return all(row.get(name) is not None for name in names)

    yield (
        f"No fim de {month}, nenhum pedido deste procedimento aguardava uma data."
        if row.get("qtd_aguardando") == 0
        else f"No fim de {month}, {n('qtd_aguardando')} pedidos deste procedimento aguardavam uma "
        "data."
        if known("qtd_aguardando")
        else f"Quantos aguardavam este procedimento no fim de {month} está oculto, porque seriam "
        "poucos ou os diriam: não é zero."
        if row
        else f"De {month} nada se publica da fila deste procedimento."
    )
    if not row:
        return
    yield (
        f"Dos {n('qtd_atendidas')} atendidos no mês, metade esperou até {n('dias_espera_p50')} "
        f"dias e nove em dez até {n('dias_espera_p90')}."
        if known("qtd_atendidas", "dias_espera_p50", "dias_espera_p90")
        else "Quanto esperou quem foi atendido não se diz: foram poucos no mês."
    )
    yield (
        f"De cada 100 que entraram nos doze meses até então, de {n('chance_de')} a "
        f"{n('chance_ate')} são atendidos até o dia {DAY}."
        if known("chance_de")
        else f"A chance de ser atendido até o dia {DAY} não se diz: entraram poucos."
    )
    yield (
        f"O limite é de {n('limite_dias')} dias: de cada 100 que aguardam, de "
        f"{n('fila_limite_de')} a {n('fila_limite_ate')} estão dentro dele."
        if known("limite_dias", "fila_limite_de")
        else f"O limite é de {n('limite_dias')} dias; quantos dos que aguardam estão dentro dele "
        "não se diz: são poucos."
        if known("limite_dias")
        else "Quantos estão dentro do limite de espera não se diz."
    )
