"""Fila, Espera, Faltas: what is published of counts of people, month by month, by what it is of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from mapa.site import offers, text, waits
from mapa.site.blocks import Block, Chart, Listing, Part
from mapa.site.cube import ALL, AT_LEAST, MONTH, Cube, Dimension
from mapa.site.page import Page
from mapa.site.release import Release
from mapa.site.sentences import Sentence

QUEUE, REGIONS = waits.QUEUE, "pub_fila_regioes_por_mes"
IN_REGIONS, BY_RISK = "pub_fila_por_regiao_por_mes", "pub_fila_por_risco_por_mes"
ABSENCE, IN_UNITS = "pub_absenteismo_procedimentos_por_mes", "pub_oferta_uso_por_mes"
OFFERED = "pub_oferta_real_por_mes"
REST = "Demais procedimentos"
LAST = "no último mês do período"
LINKS = offers.LINKS
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
    "pct_sem_confirmacao": "Sem confirmação (%)",
}
TOLD = {"ditos_devidos": "", "ditos_faltas": "", "ditos_sem_confirmacao": ""}
"""Outcomes of rows in which none is hidden: what a share may be computed of."""
HIDDEN = """
## Como ler

* **–** é uma contagem oculta, ou que não se publica neste cruzamento, ou um tempo ou parcela que
  depende dela, e nunca zero. Contagens de 1 a 4 não se publicam, nem outras das quais se pudessem
  calcular. Zero aparece como 0.
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
OF_RISK = """
* De um procedimento publica-se quem aguarda também por região de saúde de residência ou por risco,
  e não pelos dois ao mesmo tempo; entradas e saídas, só por procedimento ou só por região.
"""
OF_BALANCE = """
* **Entram para cada 100 que ganham data** conta o mês e os dois anteriores: acima de 100 a fila
  cresce. **Meses para atender a fila** é quanto ela duraria, a esse ritmo, se ninguém mais
  entrasse. **Vagas por semana** são as que em meio ano a levariam ao tamanho compatível com o
  limite de espera. Calculam-se aqui, do que se publica; onde um dos meses está oculto, não se
  dizem.
"""
OF_SHARES = """
* **De cada 100** diz entre que números está a parcela, e não a contagem: onde são poucos, o
  intervalo é mais largo, e com menos de 30 nada se diz.
* **Atendidas até o dia 90**: dos pedidos que entraram nos doze meses até o mês. Quem ainda espera
  não conta como não atendido. O máximo conta como atendidos os agendamentos que ninguém confirmou.
* **Dentro do limite**: do que aguarda no fim do mês, ou do que foi atendido nele. As duas parcelas
  não se somam: quem ainda espera não está entre os atendidos.
"""
OF_ABSENCE = """
* Agendamento sem confirmação não é falta: pode ter sido atendido. Por isso as faltas são um
  intervalo: **ao menos** as que a unidade registrou, **no máximo** essas e as sem confirmação.
* Faltas por unidade são de todos os procedimentos juntos, e por procedimento de todas as unidades:
  no cruzamento, quase tudo estaria oculto.
"""
UNTOLD = (
    "Este cruzamento não se publica: as contagens seriam de poucas pessoas. Tire um dos filtros."
)
FINDING = Sentence("achado", waits.FINDING)
IN_QUEUE = (
    FINDING,
    Sentence(
        "movimento",
        (
            "No mês entraram {ultimo.qtd_entradas|n} pedidos e {ultimo.qtd_agendamentos|n} "
            "ganharam data.",
            "No mês entraram ao menos {ultimo.qtd_entradas_minimo|n} pedidos e ao menos "
            "{ultimo.qtd_agendamentos_minimo|n} ganharam data.",
            "Quantos entraram e quantos ganharam data no mês está oculto em parte ou não se "
            "publica nesta seleção.",
        ),
    ),
    Sentence(
        "mudanca",
        (
            "Um mês antes, em {anterior|meses}, aguardavam {anterior.qtd_aguardando|n}; um ano "
            "antes, em {ano_antes|meses}, {ano_antes.qtd_aguardando|n}.",
            "Um mês antes, em {anterior|meses}, aguardavam {anterior.qtd_aguardando|n}. De um ano "
            "antes a contagem está oculta ou não se publica.",
            "Um ano antes, em {ano_antes|meses}, aguardavam {ano_antes.qtd_aguardando|n}. De um "
            "mês antes a contagem está oculta ou não se publica.",
            "De um mês e de um ano antes a contagem está oculta ou não se publica.",
        ),
    ),
)
SERVED = (
    FINDING,
    Sentence(
        "mudanca",
        (
            "Metade esperou até {anterior.dias_espera_p50|n} dias um mês antes, em "
            "{anterior|meses}, e até {ano_antes.dias_espera_p50|n} um ano antes, em "
            "{ano_antes|meses}.",
            "Um mês antes, em {anterior|meses}, metade esperou até {anterior.dias_espera_p50|n} "
            "dias. De um ano antes não se diz.",
            "Um ano antes, em {ano_antes|meses}, metade esperou até "
            "{ano_antes.dias_espera_p50|n} dias. De um mês antes não se diz.",
            "Quanto se esperou um mês e um ano antes não se diz nesta seleção.",
        ),
    ),
)
MISSED = (
    Sentence(
        "achado",
        (
            "Em {ultimo|meses}, de {ultimo.ditos_devidos|n} agendamentos cujo desfecho se divulga, "
            "entre {ultimo.ditos_faltas / ultimo.ditos_devidos|p} e "
            "{ultimo.ditos_faltas + ultimo.ditos_sem_confirmacao / ultimo.ditos_devidos|p} foram "
            "faltas: de {ultimo.ditos_sem_confirmacao|n} a unidade não disse se a pessoa veio.",
            "De {ultimo|meses} o desfecho dos agendamentos está oculto ou não se publica nesta "
            "seleção, o que não é zero.",
            "O desfecho dos agendamentos não se publica nesta seleção, o que não é zero.",
        ),
    ),
    Sentence(
        "mudanca",
        (
            "As faltas foram ao menos {anterior.ditos_faltas / anterior.ditos_devidos|p} um mês "
            "antes, em {anterior|meses}, e {ano_antes.ditos_faltas / ano_antes.ditos_devidos|p} um "
            "ano antes, em {ano_antes|meses}.",
            "Um mês antes, em {anterior|meses}, as faltas foram ao menos "
            "{anterior.ditos_faltas / anterior.ditos_devidos|p}. De um ano antes não se diz.",
            "Um ano antes, em {ano_antes|meses}, as faltas foram ao menos "
            "{ano_antes.ditos_faltas / ano_antes.ditos_devidos|p}. De um mês antes não se diz.",
            "Quantas foram as faltas um mês e um ano antes não se diz nesta seleção.",
        ),
    ),
)


def _summed(*columns: str) -> str:
    """Write SQL of sums that are null where a part is hidden, each with the sum of what is not."""
    return ", ".join(
        f"case when count(*) = count({c}) then cast(sum({c}) as bigint) end as {c}, "
        f"cast(sum({c}) as bigint) as {c}{AT_LEAST}"
        for c in columns
    )


def _crossed(table: str, part: str) -> str:
    """Write SQL of who waits for a procedure by something else; without a row it is nobody."""
    return f"""
        select m.competencia, p.procedimento_codigo as procedimento, p.{part} as {{name}},
            case when t.competencia is null then 0 else t.qtd_aguardando end as qtd_aguardando
        from (select distinct competencia from {REGIONS}) as m
        cross join (select distinct procedimento_codigo, {part} from {table}) as p
        left join {table} as t using (competencia, procedimento_codigo, {part})
    """


MOVES = (*WAITING, *FLOWS)
SAID = (*(name for name in WAITS if name != "dias_espera_media"), *waits.MEASURES)
"""What the citizen's sentence and its charts are made of, beside who waits."""
QUEUE_ROWS = f"""
    select * from (select competencia, {_summed(*MOVES)} from {REGIONS} group by all)
    left join ({waits.TOGETHER}) using (competencia)
    union all by name
    select competencia, regiao_saude_codigo as regiao, {", ".join(MOVES)} from {REGIONS}
    union all by name
    select competencia, procedimento_codigo as procedimento,
        {", ".join((*MOVES, *AGES, *SAID, *waits.BALANCE))}
    from ({waits.KNOWN})
    union all by name
    select competencia, risco_codigo as risco, {_summed("qtd_aguardando")}
    from {BY_RISK} group by all
    union all by name {_crossed(IN_REGIONS, "regiao_saude_codigo").format(name="regiao")}
    union all by name {_crossed(BY_RISK, "risco_codigo").format(name="risco")}
"""
WAIT_ROWS = f"""
    select * from (select competencia, {_summed("qtd_atendidas")} from {QUEUE} group by all)
    left join (select competencia, {_summed("qtd_aguardando")} from {REGIONS} group by all)
        using (competencia)
    left join ({waits.TOGETHER}) using (competencia)
    union all by name
    select competencia, procedimento_codigo as procedimento,
        {", ".join((*WAITS, *WAITING, *AGES, *waits.MEASURES))}
    from ({waits.KNOWN})
"""
IN_BANDS = ", ".join(
    f"cast(case when count(*) filter (t.faixa_espera = '{code}') = 0 then 0 else "
    f"max(t.qtd_aguardando) filter (t.faixa_espera = '{code}') end as bigint) as {name}"
    for code, name in waits.BANDED.items()
)
BAND_ROWS = f"""
    select m.competencia, {IN_BANDS}
    from (select distinct competencia from {REGIONS}) as m
    left join {waits.BANDS} as t using (competencia)
    group by m.competencia
"""
WHOLLY = f"{' + '.join(OUTCOMES)} is not null"
DITOS = """
    {open} qtd_agendamentos_devidos {close} as ditos_devidos,
    {open} qtd_faltas {close} as ditos_faltas,
    {open} qtd_sem_confirmacao {close} as ditos_sem_confirmacao
"""
TOGETHER = f"""
    {_summed(*OUTCOMES)},
    {DITOS.format(open="cast(sum(", close=f") filter ({WHOLLY}) as bigint)")},
    100.0 * case when count(*) = count(qtd_faltas) then sum(qtd_faltas) end
    / case when count(*) = count(qtd_agendamentos_devidos) then sum(qtd_agendamentos_devidos) end
    as pct_falta_minimo
"""
APART = f"""
    {", ".join((*OUTCOMES, *SHARES))},
    {DITOS.format(open=f"case when {WHOLLY} then", close="end")}
"""
UNIT = "unidade_executante_cnes as unidade"
ABSENCE_ROWS = f"""
    select competencia, {TOGETHER} from {ABSENCE} group by all
    union all by name
    select competencia, procedimento_codigo as procedimento, {APART} from {ABSENCE}
    union all by name
    select competencia, regiao_atendimento_codigo as regiao, {TOGETHER}
    from {IN_UNITS} group by all
    union all by name
    select competencia, {UNIT}, {APART} from {IN_UNITS}
    union all by name
    select competencia, regiao_atendimento_codigo as regiao, {UNIT}, {APART} from {IN_UNITS}
"""


def pages(release: Release) -> Iterator[Page]:
    """Yield the three pages, unless nothing is published of people."""
    if not release.query(f"select 1 from {REGIONS} limit 1").empty:
        yield _queue(release)
    if not release.query(f"select 1 from {QUEUE} limit 1").empty:
        yield _waits(release)
    if not release.query(f"select 1 from {ABSENCE} limit 1").empty:
        yield _absence(release)


def _queue(release: Release) -> Page:
    measures = WAITING | FLOWS | AGES
    dimensions = (_procedures(release), _regions(release, "residência"), _risks(release))
    now: dict[str, Any] = {"cut": "ultimo", "order": ("qtd_aguardando",)}
    silent = dict.fromkeys(SAID, "")
    bands = _cube(release, BAND_ROWS, waits.BAND_NAMES, ())
    page = _page(
        release,
        "Fila",
        (QUEUE, REGIONS, IN_REGIONS, BY_RISK, waits.BANDS),
        _cube(release, QUEUE_ROWS, silent | measures | waits.BALANCE, dimensions),
        (
            *IN_QUEUE,
            _series("serie", "Quem aguardava no fim de cada mês", "qtd_aguardando", "Aguardavam"),
            Chart("faixas", "Há quanto tempo aguardavam", waits.BAND_PARTS, by=MONTH, cut="tudo",
                  shape="columns", unit="Pedidos", of="faixas",
                  note="De todos os procedimentos juntos; de um só, seriam poucos em cada faixa."),
            _series("entradas", "Quem entrou em cada mês", "qtd_entradas", "Entraram"),
            Listing("meses", "Mês a mês", (MONTH,), tuple(WAITING | FLOWS), cut="tudo"),
            Listing("riscos", f"Por risco, {LAST}", ("risco",), tuple(WAITING), cut="ultimo"),
            Listing("regioes", f"Por região de saúde de residência, {LAST}", ("regiao",),
                    tuple(WAITING | FLOWS), **now),
            Listing("procedimentos", f"Por procedimento, {LAST}", ("procedimento",),
                    tuple(measures | waits.BALANCE), links=LINKS,
                    unlinked=_unlinked(release, dimensions[0]), **now),
        ),
        reading=HIDDEN + OF_QUEUE + OF_RISK + OF_BALANCE,
        sheets=("20", "24", "25", "26", "28", "29", "32", "37", "39", "44"),
    )  # fmt: skip
    return replace(page, others={"faixas": bands})


def _waits(release: Release) -> Page:
    measures = WAITS | WAITING | AGES | waits.TOLD
    times = (*WAITS, *WAITING, *AGES)
    procedures = _procedures(release)
    linked: dict[str, Any] = {"links": LINKS, "unlinked": _unlinked(release, procedures)}
    return _page(
        release,
        "Espera",
        (QUEUE, waits.LIMITS, waits.CHANCES),
        _cube(release, WAIT_ROWS, measures | waits.SPLIT, (procedures,)),
        (
            *SERVED,
            Chart("chances", f"De cada 100 que entraram, o que foi deles até o dia {waits.DAY}",
                  _parts(waits.ENDS), by="procedimento", cut="ultimo", order=("chance_ate",),
                  top=15, unit="De cada 100",
                  note=f"Primeiro o procedimento com mais chance. {waits.OF_ENDS}"),
            _series("serie", "Quem foi atendido em cada mês", "qtd_atendidas", "Foram atendidas"),
            Chart("mediana", "Dias que metade esperou, de um procedimento",
                  (Part("dias_espera_p50", "Dias de espera: mediana", "#0072B2"),), by=MONTH,
                  cut="tudo", shape="columns", unit="Dias",
                  note="Escolha um procedimento: a mediana de todos juntos misturaria filas."),
            Chart("limite", "De cada 100 na fila, quantos estão dentro do limite de espera",
                  _parts(waits.WITHIN), by=MONTH, cut="tudo", shape="columns", unit="De cada 100",
                  note="O limite é o que valia no mês, de cada procedimento o seu. Entre o mínimo "
                  "e o máximo está a parcela verdadeira."),
            Listing("meses", "Mês a mês", (MONTH,), times, cut="tudo"),
            Listing("meses-parcelas", "De cada 100, mês a mês", (MONTH,), tuple(waits.TOLD),
                    cut="tudo"),
            Listing("procedimentos", f"Quem foi atendido e quem ainda aguarda, {LAST}",
                    ("procedimento",), times, cut="ultimo", order=("qtd_atendidas",), **linked),
            Listing("parcelas", f"De cada 100, {LAST}", ("procedimento",), tuple(waits.TOLD),
                    cut="ultimo", order=("chance_ate",), **linked),
        ),
        reading=HIDDEN + OF_QUEUE + OF_SHARES,
        sheets=("20", "37", "38", "39", "40", "44"),
        said=waits_said(release.records(LATEST)),
    )  # fmt: skip


def _parts(parts: Sequence[tuple[str, str, str]]) -> tuple[Part, ...]:
    return tuple(Part(*part) for part in parts)


def _absence(release: Release) -> Page:
    columns = tuple(OUTCOMES | SHARES)
    now: dict[str, Any] = {"cut": "ultimo", "order": ("qtd_agendamentos_devidos",)}
    dimensions = (_procedures(release), _regions(release, "unidade"), _units(release))
    return _page(
        release,
        "Faltas",
        (ABSENCE, IN_UNITS),
        _cube(release, ABSENCE_ROWS, OUTCOMES | SHARES | TOLD, dimensions),
        (
            *MISSED,
            _series("serie", "Faltas registradas em cada mês", "qtd_faltas", "Faltas"),
            Listing("meses", "Mês a mês", (MONTH,), columns, cut="tudo"),
            Listing("procedimentos", f"Por procedimento, {LAST}", ("procedimento",), columns,
                    links=LINKS, unlinked=_unlinked(release, dimensions[0]), **now),
            Listing("unidades", f"Por unidade, {LAST}", ("unidade",), columns,
                    links=LINKS, unlinked=_unlinked(release, dimensions[2]), **now),
        ),
        reading=HIDDEN + OF_ABSENCE,
        sheets=("47a", "47b", "47c", "48"),
    )  # fmt: skip


def _page(
    release: Release,
    title: str,
    sources: Sequence[str],
    cube: Cube,
    blocks: tuple[Block, ...],
    **content: Any,
) -> Page:
    stale = release.query("select eh_desatualizado from pub_atualizacao where assunto = 'fila'")
    definitions: dict[str, str] = {}
    for table in sources:
        definitions |= release.described(table)
    definitions |= waits.MEANINGS
    return Page(
        f"{title.lower()}.html",
        title,
        template="people.html",
        content={
            "said": (),
            "stale": bool(stale["eh_desatualizado"].any()),
            "sources": sources,
            "empty": UNTOLD,
            **content,
        },
        cube=cube,
        blocks=blocks,
        filters=("de", "ate", *(dimension.name for dimension in cube.dimensions)),
        definitions=definitions,
    )


def _series(name: str, title: str, measure: str, part: str) -> Chart:
    """Return the months of one count, of all together as far as it is known."""
    parts = (Part(measure, part, "#0072B2"),)
    note = "Cada barra é a contagem do mês; de várias linhas juntas, a soma do que não está oculto."
    return Chart(name, title, parts, by=MONTH, cut="tudo", shape="columns", unit=part, note=note)


def _cube(
    release: Release, query: str, measures: Mapping[str, str], dimensions: tuple[Dimension, ...]
) -> Cube:
    """Return rows that are told one by one; those of all together have the code `ALL`."""
    rows = release.query(query)
    for dimension in dimensions:
        rows[dimension.name] = rows[dimension.name].fillna(ALL)
    partly = [name for name in measures if f"{name}{AT_LEAST}" in rows]
    months = tuple(sorted(rows[MONTH].unique()))
    return Cube(
        rows=rows,
        dimensions=dimensions,
        measures=dict(measures) | {f"{name}{AT_LEAST}": measures[name] for name in partly},
        over=months,
        whole=True,
        told=True,
    )


def _named(rows: pd.DataFrame) -> dict[str, str]:
    """Return what codes are called, in the order in which they come."""
    return dict(rows.itertuples(index=False))


def _procedures(release: Release) -> Dimension:
    found = release.query(
        f"""
        select distinct t.codigo, coalesce(p.procedimento_nome || ' (' || t.codigo || ')', '{REST}')
        from (
            select procedimento_codigo as codigo from {QUEUE}
            union select procedimento_codigo from {ABSENCE}
        ) as t
        left join pub_dim_procedimentos as p on t.codigo = p.procedimento_codigo
        order by p.procedimento_nome is null, 2, 1
        """
    )
    return Dimension("procedimento", "Procedimento", {ALL: "Todos"} | _named(found))


def _regions(release: Release, of: str) -> Dimension:
    found = release.query(
        "select regiao_saude_codigo, regiao_saude_nome from pub_dim_regioes_saude "
        "order by populacao_regiao_saude is null, regiao_saude_nome"
    )
    return Dimension("regiao", f"Região de saúde da {of}", {ALL: "Todas"} | _named(found))


def _risks(release: Release) -> Dimension:
    found = release.query(
        "select codigo, rotulo from pub_codigos where coluna = 'risco_codigo' "
        "order by codigo = 'nao_informado', codigo"
    )
    return Dimension("risco", "Risco", {ALL: "Todos"} | _named(found))


def _units(release: Release) -> Dimension:
    found = release.query(
        f"""
        select distinct t.unidade_executante_cnes, coalesce(e.unidade_nome, '{offers.NO_NAME}')
            || ' (' || t.unidade_executante_cnes || ')'
        from {IN_UNITS} as t
        left join pub_dim_estabelecimentos as e on t.unidade_executante_cnes = e.unidade_cnes
        order by 2
        """
    )
    return Dimension("unidade", "Unidade", {ALL: "Todas"} | _named(found), "regiao")


def _unlinked(release: Release, dimension: Dimension) -> tuple[str, ...]:
    """Return the codes of a dimension that have no page of their own."""
    column = {"procedimento": "procedimento_codigo", "unidade": "unidade_executante_cnes"}
    found = release.query(f"select distinct {column[dimension.name]} from {OFFERED}")
    known = set(found.iloc[:, 0])
    return tuple(code for code in dimension.labels if code not in known)


LATEST = f"""
    select t.*, coalesce(p.procedimento_nome, '{REST}') as nome
    from {QUEUE} as t
    left join pub_dim_procedimentos as p using (procedimento_codigo)
    where t.competencia = (select max(competencia) from {QUEUE})
    order by t.qtd_aguardando desc nulls last, nome
"""


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
