"""Fila, Espera, Faltas: what is published of counts of people, the last month and those before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from mapa.site import text
from mapa.site.page import Page
from mapa.site.release import Release

QUEUE, REGIONS = "pub_fila_por_mes", "pub_fila_regioes_por_mes"
IN_REGIONS = "pub_fila_por_regiao_por_mes"
ABSENCE, IN_UNITS = "pub_absenteismo_procedimentos_por_mes", "pub_oferta_uso_por_mes"
SOURCES = {
    "Fila": (QUEUE, REGIONS, IN_REGIONS),
    "Espera": (QUEUE,),
    "Faltas": (ABSENCE, IN_UNITS),
}
"""Published tables that each page offers."""
REST = "Demais procedimentos"
FLOWS = {
    "qtd_entradas": "Entraram",
    "qtd_voltas": "Voltaram",
    "qtd_agendamentos": "Ganharam data",
    "qtd_saidas_sem_agendamento": "Saíram sem data",
}
WAITING = {"qtd_aguardando": "Aguardavam no fim do mês"}
AGES = {
    "dias_em_fila_p50": "Dias de fila: mediana",
    "dias_em_fila_p90": "Dias de fila: 9 em 10 até",
}
WAITS = {
    "qtd_atendidas": "Foram atendidas",
    "dias_espera_p50": "Dias de espera: mediana",
    "dias_espera_p90": "Dias de espera: 9 em 10 até",
    "dias_espera_media": "Dias de espera: média",
}
OUTCOMES = {
    "qtd_agendamentos_devidos": "Agendamentos devidos",
    "qtd_confirmados": "Atendidos",
    "qtd_faltas": "Faltas",
    "qtd_sem_confirmacao": "Sem confirmação",
}
SHARES = {
    "pct_falta_minimo": "Faltas: ao menos",
    "pct_falta_maximo": "Faltas: no máximo",
    "pct_sem_confirmacao": "Sem confirmação",
}
NAMED = f"""
    select
        t.*, coalesce(p.procedimento_nome, '{REST}') as nome,
        p.procedimento_codigo as codigo, o.codigo as pagina
    from {{table}} as t
    left join pub_dim_procedimentos as p using (procedimento_codigo)
    left join (select distinct procedimento_codigo as codigo from pub_oferta_real_por_mes) as o
        on t.procedimento_codigo = o.codigo
    where t.competencia = (select max(competencia) from {{table}})
    order by {{by}} desc nulls last, nome
"""
BY_REGION = f"""
    select t.*, r.regiao_saude_nome as nome, t.regiao_saude_codigo as codigo
    from {REGIONS} as t
    left join pub_dim_regioes_saude as r using (regiao_saude_codigo)
    order by t.competencia, t.qtd_aguardando desc nulls last, nome
"""
BY_UNIT = f"""
    select
        t.*, t.unidade_executante_cnes as codigo, o.codigo as pagina,
        coalesce(e.unidade_nome, t.unidade_executante_cnes) as nome
    from {IN_UNITS} as t
    left join pub_dim_estabelecimentos as e on t.unidade_executante_cnes = e.unidade_cnes
    left join (select distinct unidade_executante_cnes as codigo from pub_oferta_real_por_mes) as o
        on t.unidade_executante_cnes = o.codigo
    where t.competencia = (select max(competencia) from {IN_UNITS})
    order by t.qtd_agendamentos_devidos desc nulls last, nome
"""
HIDDEN = """
## Como ler

* **–** é uma contagem oculta, ou um tempo ou parcela que depende dela, e nunca zero. Contagens de
  1 a 4 não se publicam, nem outras das quais se pudessem calcular. Zero aparece como 0.
* **Ao menos** é a soma do que não está oculto.
* Só há meses encerrados há um mês. O que se publicou de um mês fica como foi publicado.
* **Demais procedimentos** reúne os que não têm oferta publicada e os que, pelo nome, já diriam de
  que sofre quem os pede.
"""
OF_QUEUE = """
* Contam-se pedidos de consultas e exames, e uma pessoa pode ter vários.
* **Aguardavam** é quantos havia no fim do mês, e não se soma entre meses; as outras colunas são o
  que se passou no mês.
* **Dias de fila** é o que já esperou quem ainda aguarda, e **dias de espera** o que esperou quem
  foi atendido: são medidas diferentes, que não se misturam.
"""
OF_ABSENCE = """
* Agendamento sem confirmação não é falta: pode ter sido atendido. Por isso as faltas são um
  intervalo: **ao menos** as que a unidade registrou, **no máximo** essas e as sem confirmação.
"""


@dataclass(frozen=True)
class Listed:
    """A table of a page.

    Attributes:
        name: its id.
        title: its heading, and caption.
        head: what its rows are.
        columns: measures by column.
        rows: of the published table, with `nome` and, where they have one, `codigo` and `pagina`.
        folder: of the pages that the rows lead to; none: they lead nowhere.
        note: below the heading.

    """

    name: str
    title: str
    head: str
    columns: Mapping[str, str]
    rows: Sequence[Mapping[str, Any]]
    folder: str = ""
    note: str = ""


def pages(release: Release) -> Iterator[Page]:
    """Yield the three pages, unless nothing is published of people."""
    queue = _named(QUEUE, "qtd_aguardando")
    if regions := release.records(BY_REGION):
        tables = _queue(release.records(queue), regions)
        yield _page(release, "Fila", queue_said(regions), tables, OF_QUEUE)
    if found := release.records(queue):
        yield _page(release, "Espera", waits_said(found), _waits(found), OF_QUEUE)
    if absence := release.records(_named(ABSENCE, "qtd_agendamentos_devidos")):
        tables = _absence(absence, release.records(BY_UNIT))
        yield _page(release, "Faltas", absence_said(absence), tables, OF_ABSENCE)


def _named(table: str, by: str) -> str:
    return NAMED.format(table=table, by=by)


def _page(
    release: Release, title: str, said: Sequence[str], tables: Sequence[Listed], reading: str
) -> Page:
    stale = release.query("select eh_desatualizado from pub_atualizacao where assunto = 'fila'")
    return Page(
        f"{title.lower()}.html",
        title,
        template="people.html",
        content={
            "said": said,
            "stale": bool(stale["eh_desatualizado"].any()),
            "tables": tables,
            "sources": SOURCES[title],
            "reading": HIDDEN + reading,
            "written": written,
        },
    )


def written(column: str, value: Any) -> str:
    """Write a measure: a share with one decimal, all others whole; a text as it is.

    Example:
        >>> written("pct_falta_minimo", 12.34), written("qtd_faltas", 1200), written("x", None)
        ('12,3%', '1.200', '–')
    """
    if isinstance(value, str):
        return value
    return text.percent(value, 100) if column.startswith("pct_") else text.number(value)


def at_least(values: Sequence[int | None]) -> str:
    """Write a sum, and that it is only of what is not hidden where something is.

    Example:
        >>> at_least([1000, 5]), at_least([7, None]), at_least([0, None])
        ('1.005', 'ao menos 7', '–')
    """
    known = [value for value in values if value is not None]
    if len(known) == len(values):
        return text.number(sum(known))
    return f"ao menos {text.number(sum(known))}" if any(known) else text.UNKNOWN


def _of(rows: Sequence[Mapping[str, Any]], month: date | None, column: str) -> list[int | None]:
    return [row[column] for row in rows if row["competencia"] == month]


def _before(month: date, back: int) -> date:
    at = 12 * month.year + month.month - 1 - back
    return date(at // 12, at % 12 + 1, 1)


def queue_said(regions: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say how many wait, what came and went, and what it was before."""
    last = max(row["competencia"] for row in regions)

    def told(month: date, name: str) -> str:
        return at_least(_of(regions, month, name))

    said = [
        f"No fim de {text.month(last)}, {told(last, 'qtd_aguardando')} pedidos de consulta ou "
        f"exame aguardavam uma data. No mês entraram {told(last, 'qtd_entradas')} e "
        f"{told(last, 'qtd_agendamentos')} ganharam data."
    ]
    for back, name in ((1, "Um mês antes"), (12, "Um ano antes")):
        month = _before(last, back)
        if _of(regions, month, "qtd_aguardando"):
            said.append(
                f"{name}, em {text.month(month)}, aguardavam {told(month, 'qtd_aguardando')}."
            )
    return said


def _queue(
    queue: Sequence[Mapping[str, Any]], regions: Sequence[Mapping[str, Any]]
) -> list[Listed]:
    last = max(row["competencia"] for row in regions)
    now = [row for row in regions if row["competencia"] == last]
    columns = WAITING | FLOWS
    months = sorted({row["competencia"] for row in regions}, reverse=True)
    by_month = [
        {"nome": text.month(month)}
        | {name: at_least(_of(regions, month, name)) for name in columns}
        for month in months
    ]
    title = text.month(last)
    return [
        Listed("meses", "Mês a mês", "Mês", columns, by_month),
        Listed(
            "regioes",
            f"Por região de saúde de residência, {title}",
            "Região de saúde",
            columns,
            now,
        ),
        Listed(
            "procedimentos",
            f"Por procedimento, {title}",
            "Procedimento",
            columns | AGES,
            queue,
            "procedimentos",
        ),
    ]


def waits_said(queue: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say how long those seen had waited, and those in the longest queue still wait."""
    month = text.month(queue[0]["competencia"])
    known = [row for row in queue if row["dias_espera_p90"] is not None]
    said = []
    if not known:
        said.append(
            f"Em {month} nenhum procedimento teve casos bastantes para se dizer quanto esperou "
            "quem foi atendido."
        )
    else:
        most = max(known, key=lambda row: row["qtd_atendidas"])
        said.append(
            f"Em {month}, no procedimento com mais atendidos, {most['nome']}, {_spread(most)}."
        )
        slow = max(known, key=lambda row: row["dias_espera_p90"])
        if slow is not most:
            said.append(f"A espera mais longa foi a de {slow['nome']}: {_spread(slow)}.")
    aged = [row for row in queue if row["dias_em_fila_p50"] is not None]
    if aged:
        row = max(aged, key=lambda row: row["qtd_aguardando"])
        said.append(
            f"Dos {text.number(row['qtd_aguardando'])} pedidos que ainda aguardavam {row['nome']}, "
            f"metade esperava há mais de {text.number(row['dias_em_fila_p50'])} dias."
        )
    return said


def _spread(row: Mapping[str, Any]) -> str:
    half, most = (text.number(row[f"dias_espera_{name}"]) for name in ("p50", "p90"))
    return f"metade esperou até {half} dias e nove em dez até {most}"


def _waits(queue: Sequence[Mapping[str, Any]]) -> list[Listed]:
    month = text.month(queue[0]["competencia"])
    shown = sorted(queue, key=lambda row: (-(row["qtd_atendidas"] or 0), row["nome"]))
    return [
        Listed(
            "procedimentos",
            f"Quem foi atendido e quem ainda aguarda, {month}",
            "Procedimento",
            WAITS | WAITING | AGES,
            shown,
            "procedimentos",
        )
    ]


def absence_said(absence: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say between which shares the absences lie, of the procedures whose outcomes are told."""
    month = text.month(absence[0]["competencia"])
    told = [row for row in absence if all(row[name] is not None for name in OUTCOMES)]
    if not told:
        return [f"De {month} nenhum desfecho de agendamento pode ser divulgado."]
    due, missed, silent = (
        sum(row[name] for row in told)
        for name in ("qtd_agendamentos_devidos", "qtd_faltas", "qtd_sem_confirmacao")
    )
    return [
        f"Em {month}, de {text.number(due)} agendamentos cujo desfecho se divulga, entre "
        f"{text.percent(missed, due)} e {text.percent(missed + silent, due)} foram faltas: de "
        f"{text.number(silent)} a unidade não disse se a pessoa veio."
    ]


def _absence(
    absence: Sequence[Mapping[str, Any]], units: Sequence[Mapping[str, Any]]
) -> list[Listed]:
    month = text.month(absence[0]["competencia"])
    columns = OUTCOMES | SHARES
    return [
        Listed(
            "procedimentos",
            f"Por procedimento, {month}",
            "Procedimento",
            columns,
            absence,
            "procedimentos",
        ),
        Listed(
            "unidades",
            f"Por unidade, {month}",
            "Unidade",
            columns,
            units,
            "unidades",
        ),
    ]
