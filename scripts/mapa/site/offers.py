"""The offer as a cube, and the names of places and things that other cubes share."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import pandas as pd

from mapa.site.blocks import Part, Step
from mapa.site.cube import MONTH, Cube, Dimension
from mapa.site.release import NothingToShowError, Release
from mapa.site.sentences import Sentence

MEASURES = {
    "qtd_vagas_total": "Oferta total",
    "qtd_vagas_bloqueadas_feriado": "Bloqueada: feriado",
    "qtd_vagas_bloqueadas_afastamento": "Bloqueada: afastamento",
    "qtd_vagas_nao_divulgadas": "Não divulgada",
    "qtd_vagas_ativas": "Ativa",
    "qtd_vagas_perdidas_teto": "Perdida por teto",
    "qtd_vagas_perdidas_ppi": "Perdida por PPI",
    "qtd_oferta_real": "Oferta real",
    "qtd_vagas_sem_limite": "Ativa sem limite informado",
}
PARTS = (
    Part("qtd_oferta_real", "Oferta real", "#0072B2"),
    Part("qtd_vagas_perdidas_ppi", "Perdida por PPI", "url(#p-ppi)"),
    Part("qtd_vagas_perdidas_teto", "Perdida por teto", "url(#p-teto)"),
    Part("qtd_vagas_bloqueadas_afastamento", "Bloqueada: afastamento", "url(#p-afastamento)"),
    Part("qtd_vagas_bloqueadas_feriado", "Bloqueada: feriado", "url(#p-feriado)"),
    Part("qtd_vagas_nao_divulgadas", "Não divulgada", "url(#p-nao-divulgada)"),
)
"""The parts of each bar add up to the total; what takes a slot first stands last."""
STEPS = (
    Step("qtd_vagas_total", "Oferta total", "#1351B4", "level"),
    Step("qtd_vagas_bloqueadas_feriado", "− Feriado", "url(#p-feriado)"),
    Step("qtd_vagas_bloqueadas_afastamento", "− Afastamento", "url(#p-afastamento)"),
    Step("qtd_vagas_nao_divulgadas", "− Não divulgada", "url(#p-nao-divulgada)"),
    Step("qtd_vagas_ativas", "= Ativa", "#56B4E9", "level"),
    Step("qtd_vagas_perdidas_teto", "− Teto da unidade", "url(#p-teto)"),
    Step("qtd_vagas_perdidas_ppi", "− PPI da central", "url(#p-ppi)"),
    Step("qtd_oferta_real", "= Oferta real", "#0072B2", "level"),
)
CAUSES = {
    "qtd_vagas_bloqueadas_feriado": "feriado",
    "qtd_vagas_bloqueadas_afastamento": "afastamento",
    "qtd_vagas_perdidas_teto": "teto da unidade",
    "qtd_vagas_perdidas_ppi": "PPI da central",
}
"""What takes slots, by measure, in the order in which a slot with several causes counts."""
LOSSES = ("qtd_vagas_total", "qtd_vagas_nao_divulgadas", "qtd_oferta_real")
"""The first less the others: what is told as lost."""
FINDINGS = (
    Sentence(
        "achado",
        (
            "Em {somado|meses} foram programadas {somado.qtd_vagas_total|n} vagas. Das "
            "{somado.qtd_vagas_total - somado.qtd_vagas_nao_divulgadas|n} cujo destino é "
            "divulgado, {somado.qtd_oferta_real|n} "
            "({somado.qtd_oferta_real / "
            "somado.qtd_vagas_total - somado.qtd_vagas_nao_divulgadas|p}) "
            "puderam de fato ser marcadas. O que mais retirou vagas: {somado.causas|maior}.",
            "Em {somado|meses} foram programadas {somado.qtd_vagas_total|n} vagas; quantas puderam "
            "ser marcadas não é divulgado.",
            "Em {somado|meses} não há vagas programadas conhecidas.",
            "Não há vagas programadas conhecidas.",
        ),
    ),
    Sentence(
        "mudanca",
        (
            "Em {ultimo|meses} a oferta real foi de {ultimo.qtd_oferta_real|n} vagas: "
            "{ultimo.qtd_oferta_real - anterior.qtd_oferta_real|s} em relação a {anterior|meses} e "
            "{ultimo.qtd_oferta_real - ano_antes.qtd_oferta_real|s} em relação a "
            "{ano_antes|meses}.",
            "Em {ultimo|meses} a oferta real foi de {ultimo.qtd_oferta_real|n} vagas: "
            "{ultimo.qtd_oferta_real - anterior.qtd_oferta_real|s} em relação a {anterior|meses}. "
            "Do mesmo mês do ano anterior não há oferta real conhecida.",
            "Em {ultimo|meses} a oferta real foi de {ultimo.qtd_oferta_real|n} vagas: "
            "{ultimo.qtd_oferta_real - ano_antes.qtd_oferta_real|s} em relação a "
            "{ano_antes|meses}. Do mês anterior não há oferta real conhecida.",
            "Em {ultimo|meses} a oferta real foi de {ultimo.qtd_oferta_real|n} vagas. Do mês "
            "anterior e do mesmo mês do ano anterior não há oferta real conhecida.",
            "Em {ultimo|meses} foram programadas {ultimo.qtd_vagas_total|n} vagas; quantas puderam "
            "ser marcadas não é divulgado.",
            "Em {ultimo|meses} não há vagas programadas conhecidas.",
            "O que mudou não é informado: não há mês encerrado nesta seleção.",
        ),
    ),
    Sentence(
        "programada",
        (
            "À parte, {previsto|meses} (mês em curso ou por vir) têm {previsto.qtd_vagas_total|n} "
            "vagas programadas; os limites de "
            "{previsto.qtd_vagas_sem_limite / previsto.qtd_vagas_ativas|p} das que estão ativas "
            "ainda não foram informados.",
            "À parte, {previsto|meses} (mês em curso ou por vir) têm {previsto.qtd_vagas_total|n} "
            "vagas programadas.",
            "Para {previsto|meses} ainda não há vagas programadas conhecidas.",
            "A oferta programada não é informada: não há mês em curso ou por vir nestes dados.",
        ),
    ),
)
"""What every page on the offer says first: the finding, what changed, what is planned."""
LINKS = {"unidade": "unidades/{}.html", "procedimento": "procedimentos/{}.html"}
"""Pages of what a table names."""
DERIVED = {
    "Não divulgada": "Vagas que existem e de que não se divulga o destino, porque diria quem "
    "faltou.",
    "Ativa sem limite informado": "Vagas ativas de que não se informou PPI nem teto.",
    "Perdida": "Oferta total menos a não divulgada e a real: o que feriado, afastamento, teto e "
    "PPI retiraram.",
    "Do que é divulgado": "Por cento das vagas de que se divulga o destino.",
    "O que mais retirou": "A causa que mais vagas retirou; vazio quando não é conhecida.",
    "Oferta real por mil habitantes": "Oferta real que se divulga, por mil habitantes da região.",
    "Habitantes": "População da região no ano que a página diz.",
    "Unidades": "Unidades com vagas programadas no período.",
    "Procedimentos": "Procedimentos com vagas programadas no período.",
}
"""What the headings of tables mean that are no column of the published table."""
NOWHERE = "nao_identificada"
NO_NAME = "Sem nome no cadastro"
UNIT = f"""
    coalesce(e.regiao_saude_codigo, '{NOWHERE}') as regiao,
    coalesce(r.regiao_saude_nome, 'Não identificada') as regiao_nome,
    coalesce(cast(e.area_numero as varchar), '{NOWHERE}') as area,
    coalesce(t.area_nome, 'Não identificada') as area_nome,
    coalesce(o.unidade_executante_cnes, '{NOWHERE}') as unidade,
    coalesce(e.unidade_nome, case when o.unidade_executante_cnes is null
        then 'De nenhuma unidade' else '{NO_NAME}' end) as unidade_nome
"""
PROCEDURE = f"""
    coalesce(p.grupo_codigo, '{NOWHERE}') as grupo,
    coalesce(p.grupo_nome, 'Sem grupo') as grupo_nome,
    coalesce(o.procedimento_codigo, '{NOWHERE}') as procedimento,
    coalesce(p.procedimento_nome, case when o.procedimento_codigo is null
        then 'De nenhum procedimento' else '{NO_NAME}' end) as procedimento_nome
"""
"""Columns by which rows `o` are added up, each with its name."""
WITH_UNIT = """
    left join pub_dim_estabelecimentos as e on o.unidade_executante_cnes = e.unidade_cnes
    left join pub_dim_regioes_saude as r on e.regiao_saude_codigo = r.regiao_saude_codigo
    left join pub_dim_territorio as t on e.area_numero = t.area_numero
"""
WITH_PROCEDURE = """
    left join pub_dim_procedimentos as p on o.procedimento_codigo = p.procedimento_codigo
"""
QUERY = f"""
    with vagas as (
        select
            competencia, central_executora_codigo, unidade_executante_cnes, procedimento_codigo,
            vaga_tipo, competencia_situacao, divulgacao = 'nao_divulgada' as eh_oculta,
            cast(sum(qtd_vagas) as bigint) as total,
            {
    ", ".join(
        f"coalesce(cast(sum(qtd_vagas) filter (vaga_destino = '{fate}') as bigint), 0) as {fate}"
        for fate in ("feriado", "afastamento", "teto", "ppi", "oferta_real", "nao_divulgada")
    )
}
        from pub_oferta_causas_por_mes
        group by all
    )

    select
        o.competencia,
        o.competencia_situacao = 'encerrada' as eh_encerrada,
        {UNIT}, {PROCEDURE},
        o.vaga_tipo as tipo,
        o.total as qtd_vagas_total,
        case when o.total is not null then o.feriado end as qtd_vagas_bloqueadas_feriado,
        case when not o.eh_oculta and o.total is not null then o.afastamento end
            as qtd_vagas_bloqueadas_afastamento,
        -- of what may not be told only total and holidays are known
        case when o.total is not null then o.nao_divulgada end as qtd_vagas_nao_divulgadas,
        case when not o.eh_oculta and o.total is not null then o.teto + o.ppi + o.oferta_real end
            as qtd_vagas_ativas,
        case when not o.eh_oculta and o.total is not null then o.teto end
            as qtd_vagas_perdidas_teto,
        case when not o.eh_oculta and o.total is not null then o.ppi end as qtd_vagas_perdidas_ppi,
        case when not o.eh_oculta and o.total is not null then o.oferta_real end
            as qtd_oferta_real,
        case when not o.eh_oculta and o.total is not null then
            case when m.limite_vinculante = 'nao_informado' then o.teto + o.ppi + o.oferta_real
                else 0 end
        end as qtd_vagas_sem_limite
    from vagas as o
    {WITH_UNIT} {WITH_PROCEDURE}
    left join pub_oferta_real_por_mes as m
        on o.competencia = m.competencia
        and o.central_executora_codigo = m.central_executora_codigo
        and o.unidade_executante_cnes = m.unidade_executante_cnes
        and o.procedimento_codigo = m.procedimento_codigo
"""


@lru_cache(maxsize=2)
def offer(release: Release) -> Cube:
    """Return the offer by month, region, area, unit, group, procedure and kind of slot.

    Raises:
        NothingToShowError: no schedule has been loaded, or the offer has never been published.
    """
    rows = release.query(QUERY)
    if rows.empty:
        raise NothingToShowError
    over = rows.loc[rows["eh_encerrada"], MONTH]
    ahead = rows.loc[~rows["eh_encerrada"], MONTH]
    return Cube(
        rows=rows,
        dimensions=(
            *unit_dimensions(rows),
            *procedure_dimensions(rows),
            Dimension("tipo", "Tipo de vaga", codes(release, rows, "tipo", "vaga_tipo")),
        ),
        measures=MEASURES,
        over=tuple(sorted(over.unique())),
        ahead=tuple(sorted(ahead.unique())),
    )


USED = f"""
    with vagas as (
        select
            competencia, unidade_executante_cnes,
            cast(sum(qtd_vagas) filter (vaga_destino = 'oferta_real') as bigint) as oferta_real,
            coalesce(sum(qtd_vagas) filter (vaga_destino = 'nao_divulgada'), 0) = 0 as eh_divulgada
        from pub_oferta_causas_por_mes
        group by all
    ),

    usos as (
        select
            u.competencia, u.unidade_executante_cnes, v.oferta_real,
            u.qtd_agendamentos_devidos as devidas, u.qtd_confirmados as atendidas,
            coalesce(v.eh_divulgada, false)
            and v.oferta_real + u.qtd_agendamentos_devidos + u.qtd_confirmados is not null
            as eh_inteiro
        from pub_oferta_uso_por_mes as u
        left join vagas as v using (competencia, unidade_executante_cnes)
    )

    select
        o.competencia, {UNIT},
        case when o.eh_inteiro then o.oferta_real end as uso_oferta_real,
        case when o.eh_inteiro then o.devidas end as uso_devidas,
        case when o.eh_inteiro then o.devidas - o.atendidas end as uso_sem_atendimento,
        case when o.eh_inteiro then o.atendidas end as uso_atendidas,
        case when o.eh_inteiro then 0 else o.devidas end as uso_fora
    from usos as o
    {WITH_UNIT}
"""
"""Real slots beside bookings, where nothing of either is hidden in a month of a unit."""
USE = {
    "uso_oferta_real": "Oferta real",
    "uso_devidas": "Marcadas e não canceladas",
    "uso_sem_atendimento": "Faltas e sem confirmação",
    "uso_atendidas": "Atendidas",
    "uso_fora": "Marcadas em outras unidades e meses",
}


def use(release: Release) -> Cube | None:
    """Return what became of the real offer by month and unit, for the period of the offer.

    None when nothing is published of people.
    """
    try:
        rows = release.query(USED)
    except NothingToShowError:
        return None
    if rows.empty:
        return None
    months = tuple(sorted(rows[MONTH].unique()))
    return Cube(rows, unit_dimensions(rows), USE, over=months, shown=offer(release).default)


def meanings(release: Release) -> dict[str, str]:
    """Return what the headings of tables of the offer mean, for their downloads."""
    described = release.described("pub_oferta_real_por_mes")
    return {name: described[m] for m, name in MEASURES.items() if m in described} | DERIVED


def unit_dimensions(rows: pd.DataFrame) -> tuple[Dimension, ...]:
    """Return region, area and unit."""
    return (
        Dimension("regiao", "Região de saúde", labels(rows, "regiao")),
        Dimension("area", "Região administrativa", labels(rows, "area"), "regiao"),
        Dimension("unidade", "Unidade", labels(rows, "unidade", code=True), "regiao"),
    )


def procedure_dimensions(rows: pd.DataFrame) -> tuple[Dimension, ...]:
    """Return group and procedure."""
    return (
        Dimension("grupo", "Grupo de procedimentos", labels(rows, "grupo")),
        Dimension("procedimento", "Procedimento", labels(rows, "procedimento", code=True), "grupo"),
    )


def labels(rows: pd.DataFrame, name: str, *, code: bool = False) -> dict[str, str]:
    """Return what each code is called, in alphabetical order; with its code where names repeat."""
    pairs = rows[[name, f"{name}_nome"]].drop_duplicates(name)
    found = {
        key: f"{label} ({key})" if code and key != NOWHERE else label
        for key, label in pairs.itertuples(index=False)
    }
    return dict(sorted(found.items(), key=lambda item: (item[0] == NOWHERE, item[1], item[0])))


def codes(release: Release, rows: pd.DataFrame, name: str, column: str) -> dict[str, str]:
    """Return what the codes of a column that occur are called, in the order of their list."""
    listed = release.query(
        "select codigo, rotulo from pub_codigos where coluna = $coluna", coluna=column
    )
    known = dict(listed.itertuples(index=False))
    found: list[Any] = list(rows[name].unique())
    order = [code for code in known if code in found]
    return {code: known.get(code, code) for code in [*order, *sorted(set(found) - set(order))]}


def is_over(month: date, as_of: date) -> bool:
    """Tell whether all days of a month are described."""
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return following - timedelta(days=1) <= as_of


def parted(months: pd.Series, as_of: date) -> tuple[tuple[date, ...], tuple[date, ...]]:
    """Return the months that are over and the others, oldest first."""
    found = sorted(months.unique())
    return (
        tuple(month for month in found if is_over(month, as_of)),
        tuple(month for month in found if not is_over(month, as_of)),
    )
