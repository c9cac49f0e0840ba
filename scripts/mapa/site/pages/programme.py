"""PROADI-SUS: balances, ceilings and deadlines of the register, and which text is revoked."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from mapa.site import text
from mapa.site.page import Page
from mapa.site.release import Release

TERMS, PROJECTS = "pub_proadi_termos_saldo", "pub_proadi_projetos_execucao"
DEADLINES, SIDES = "pub_proadi_prazos_por_objeto", "pub_proadi_prazos_por_responsavel"
TABLES = (TERMS, PROJECTS, DEADLINES, SIDES)
SHOWN = 40
"""Deadlines that are listed one by one."""
BALANCES = f"""
    select distinct
        t.termo_numero, t.entidade_nome, t.valor_isencao_estimada, t.valor_aprovado,
        t.valor_isencao_usufruida, t.valor_executado_apoio, t.valor_executado_assistencial,
        t.valor_executado, t.qtd_exercicios_encerrados, t.data_referencia
    from {TERMS} as t
    where t.periodo = 'total'
    order by all
"""
LIMITS = f"""
    select
        t.proadi_regra_codigo as codigo, r.rotulo as regra, r.descricao, t.termo_numero, t.periodo,
        t.valor_medido, t.valor_limite, t.valor_distancia, t.unidade_codigo, s.rotulo as situacao,
        t.regra_situacao_codigo, t.norma, t.dispositivo, t.base_legal_em_vigor
    from {TERMS} as t
    left join pub_codigos as r on r.coluna = 'proadi_regra' and r.codigo = t.proadi_regra_codigo
    left join pub_codigos as s
        on s.coluna = 'proadi_situacao' and s.codigo = t.regra_situacao_codigo
    where t.regra_situacao_codigo <> 'fora_de_vigor'
    order by cast(substr(t.proadi_regra_codigo, 2) as integer), t.termo_numero, t.periodo
"""
REVOKED = f"""
    select distinct x.codigo, c.rotulo, x.norma, x.dispositivo
    from (
        select proadi_regra_codigo as codigo, 'proadi_regra' as lista, norma, dispositivo
        from {TERMS} where not base_legal_em_vigor and norma is not null
        union
        select proadi_regra_codigo, 'proadi_regra', norma, dispositivo
        from {PROJECTS} where not base_legal_em_vigor and norma is not null
        union
        select prazo_codigo, 'proadi_prazo', norma, string_agg(distinct dispositivo, '; ')
        from {DEADLINES} where not base_legal_em_vigor group by all
    ) as x
    left join pub_codigos as c on c.coluna = x.lista and c.codigo = x.codigo
    order by left(x.codigo, 1) desc, cast(substr(x.codigo, 2) as integer), x.dispositivo
"""
BY_SIDE = f"""
    select
        l.rotulo as lado, p.prazo_codigo as codigo, c.rotulo as prazo, p.norma,
        string_agg(distinct p.dispositivo, '; ') as dispositivo, p.base_legal_em_vigor,
        {
    ", ".join(
        f"count(*) filter (where p.prazo_situacao_codigo = '{code}') as {code}"
        for code in (
            "cumprida",
            "cumprida_com_atraso",
            "em_atraso",
            "no_prazo",
            "antecipada",
            "sem_evento_inicial",
        )
    )
}
    from {DEADLINES} as p
    left join pub_codigos as c on c.coluna = 'proadi_prazo' and c.codigo = p.prazo_codigo
    left join pub_codigos as l
        on l.coluna = 'proadi_responsavel' and l.codigo = p.responsavel_codigo
    where p.prazo_situacao_codigo <> 'fora_de_vigor'
    group by l.rotulo, p.prazo_codigo, c.rotulo, p.norma, p.base_legal_em_vigor
    order by l.rotulo, cast(substr(p.prazo_codigo, 2) as integer), p.norma
"""
LATE = f"""
    select
        p.objeto_tipo, p.objeto_numero, nullif(p.ocorrencia, 'unica') as ocorrencia,
        p.prazo_codigo as codigo, c.rotulo as prazo,
        l.rotulo as lado, p.data_limite, p.data_limite_outra, p.dias_atraso, p.base_legal_em_vigor
    from {DEADLINES} as p
    left join pub_codigos as c on c.coluna = 'proadi_prazo' and c.codigo = p.prazo_codigo
    left join pub_codigos as l
        on l.coluna = 'proadi_responsavel' and l.codigo = p.responsavel_codigo
    where p.prazo_situacao_codigo = 'em_atraso'
    order by p.dias_atraso desc, p.objeto_tipo, p.objeto_numero, p.prazo_codigo, p.ocorrencia
"""
READING = """
## Como ler

* Cada linha diz a **norma** pela qual foi julgada e se ela está em vigor. O que é de texto revogado
  não é calculado aqui: quem opera o banco pode pedir a conta, e a linha continua a dizer que a base
  legal não está em vigor.
* **Sem dado** é não se saber, e não zero: falta um valor de que a conta precisa.
* Os totais de um termo somam os exercícios que já terminaram.
* O teto dos projetos assistenciais não diz o seu período: a situação do termo é a do total, e a de
  cada exercício aparece ao lado.
* No extrato do termo, o texto põe dois limites que se contradizem no começo do mês; vale o que vem
  antes, e o outro está na tabela.
* **Sem fato inicial** é o ato que ocorreu sem que se conheça o dia de que o prazo corria.
* O registro é o que quem opera o banco informa. O que não foi informado não existe para ele: um
  prazo em atraso pode ser um evento que ninguém escreveu.
"""


def pages(release: Release) -> Iterator[Page]:
    """Yield the page, unless the house has no register."""
    balances = release.records(BALANCES)
    sides = release.records(BY_SIDE)
    if not balances and not sides:
        return
    limits, late = release.records(LIMITS), release.records(LATE)
    stale = release.query("select eh_desatualizado from pub_atualizacao where assunto = 'proadi'")
    revoked = release.records(REVOKED)
    yield Page(
        "proadi.html",
        "PROADI-SUS",
        template="programme.html",
        content={
            "revoked_text": revoked_text(revoked),
            "finding": finding(balances, limits, late),
            "stale": bool(stale["eh_desatualizado"].any()),
            "balances": balances,
            "rules": [
                (some[0], some)
                for _, group in groupby(limits, lambda row: row["codigo"])
                for some in [list(group)]
            ],
            "sides": [(side, list(some)) for side, some in groupby(sides, lambda row: row["lado"])],
            "late": late[:SHOWN],
            "late_count": len(late),
            "revoked": revoked,
            "reading": READING,
            "tables": TABLES,
            "value": value,
        },
    )


def revoked_text(revoked: list[dict[str, Any]]) -> str:
    """Say which text is revoked, and how much of what is published would come from it.

    Example:
        >>> revoked_text([{"norma": "PRT 2.814/2014", "codigo": code} for code in ("M7", "D10")])
        'Revogado: o texto da PRT 2.814/2014. Vêm dele 1 regra de dinheiro e 1 prazo desta página, \
que não estão em vigor.'
        >>> revoked_text([])
        'Nenhuma linha desta página é julgada por texto revogado.'
    """
    if not revoked:
        return "Nenhuma linha desta página é julgada por texto revogado."
    norms = sorted({row["norma"] for row in revoked})
    codes = {row["codigo"] for row in revoked}
    rules, terms = (sum(code[0] == letter for code in codes) for letter in "MD")
    return (
        f"Revogado: o texto da {' e da '.join(norms)}. Vêm dele {rules} "
        f"regra{'s' if rules != 1 else ''} de dinheiro e {terms} prazo{'s' if terms != 1 else ''} "
        "desta página, que não estão em vigor."
    )


def finding(
    balances: list[dict[str, Any]], limits: list[dict[str, Any]], late: list[dict[str, Any]]
) -> str:
    """Say how many terms there are, how many rules in force are broken, and what is late.

    Example:
        >>> finding([{"termo_numero": "1"}], [], [])
        'O registro tem 1 termo: nenhuma situação fora de um limite calculado e nenhum prazo em \
atraso.'
    """
    out = sum(row["regra_situacao_codigo"] == "fora" for row in limits)
    terms = len({row["termo_numero"] for row in balances})
    return (
        f"O registro tem {terms} termo{'s' if terms != 1 else ''}: {out or 'nenhuma'} "
        f"{'situações' if out > 1 else 'situação'} fora de um limite calculado e "
        f"{len(late) or 'nenhum'} prazo{'s' if len(late) > 1 else ''} em atraso."
    )


def value(amount: float | None, unit: str | None) -> str:
    """Write a measure in its unit.

    Example:
        >>> value(1234.5, "reais"), value(15.0, "pct"), value(1, "exercicios"), value(None, "reais")
        ('R$ 1.235', '15,0 %', '1 exercício', '–')
    """
    if amount is None:
        return text.UNKNOWN
    if unit == "pct":
        return f"{amount:.1f} %".replace(".", ",")
    if unit == "exercicios":
        return f"{amount:.0f} exercício{'s' if amount != 1 else ''}"
    return f"R$ {text.number(amount)}"
