"""Plano de trabalho: what is known of each action of the agreement, and what is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

import pandas as pd

from mapa.site import text
from mapa.site.page import Page
from mapa.site.release import Release

TABLE = "pub_acordo_acoes"
QUERY = f"""
    select
        a.acao_codigo, a.eixo_codigo, a.eixo_nome, a.acao_descricao, a.responsavel,
        a.prazo_trimestre, a.data_prazo, a.prazo_situacao, a.dias_atraso, a.evidencia_tipo,
        a.data_evidencia, a.eh_feita_no_banco, a.qtd_encontradas, a.qtd_esperadas,
        a.data_informada, a.fonte_informada, a.data_referencia, s.rotulo as situacao
    from {TABLE} as a
    left join pub_codigos as s on s.coluna = 'prazo_situacao' and s.codigo = a.prazo_situacao
    order by a.eixo_codigo, a.acao_codigo
"""
FOUND = {
    "carga_cadsus": ("carga de respostas do CadSUS", "cargas de respostas do CadSUS"),
    "carga_oferta_api": ("carga da oferta por API", "cargas da oferta por API"),
    "paineis": ("painel no site; o plano não diz quantos bastam",
                "painéis no site; o plano não diz quantos bastam"),
}  # fmt: skip
"""Evidence that is counted, by kind: of one, and of none or several."""
SHARE = {
    "variaveis": "campos das fontes com significado",
    "dicionario": "colunas descritas no dicionário",
    "camadas": "camadas com tabelas",
}
"""Evidence that is a part of a whole, by kind."""
ABSENT = {
    "documento": "Reunião ou documento não deixa sinal no banco.",
    "espelho_recebido": "O espelho desta casa não prova que o do Ministério foi entregue.",
}
"""Why nothing can be seen, by kind."""
READING = """
## Como ler

* **Cumprida** quer dizer que o critério de evidência abaixo foi atendido. Não é o aceite das
  partes.
* **Sem evidência no banco não é atraso.** O prazo terminou e o banco nada mostra, porque o ato
  ocorre fora dele: a ação pode ter sido cumprida.
* **Em atraso** só se diz do que se sabe não cumprido: o que só poderia aparecer no banco e não
  aparece, ou o que se informou como cumprido depois.
* O plano diz trimestres; o prazo é o último dia do trimestre.
* De uma carga se sabe o dia. Do que o próprio banco contém se sabe que está feito, e não desde
  quando: o dia é o dos dados.
* Quem opera o banco pode informar o dia do cumprimento e o documento que o prova; aparecem aqui os
  dois.
"""


@dataclass(frozen=True)
class Action:
    """One action, as the page says it.

    Attributes:
        fields: of its row, null as None.
        evidence: what the warehouse shows, in sentences.
        day: of the deed or its evidence, in words.

    """

    fields: Mapping[str, Any]
    evidence: str
    day: str


def pages(release: Release) -> Iterator[Page]:
    """Yield the page, unless the house has no plan."""
    rows = [
        {name: None if pd.isna(value) else value for name, value in row.items()}
        for row in release.query(QUERY).astype(object).to_dict("records")
    ]
    if not rows:
        return
    actions = [Action(row, evidence(row), day(row)) for row in rows]
    stale = release.query("select eh_desatualizado from pub_atualizacao where assunto = 'acordo'")
    yield Page(
        "plano.html",
        "Plano de trabalho",
        template="plan.html",
        content={
            "finding": finding(rows),
            "stale": bool(stale["eh_desatualizado"].any()),
            "axes": [
                (number, list(some))
                for number, some in groupby(actions, lambda action: action.fields["eixo_codigo"])
            ],
            "as_of": rows[0]["data_referencia"],
            "lists": {
                name: release.query(
                    "select rotulo, descricao from pub_codigos where coluna = $name order by all",
                    name=name,
                ).to_dict("records")
                for name in ("prazo_situacao", "acordo_evidencia")
            },
            "reading": READING,
            "table": TABLE,
        },
    )


def finding(rows: list[dict[str, Any]]) -> str:
    """Say in one sentence how many actions there are, shown, late, and not known.

    Example:
        >>> row = {"data_referencia": date(2026, 6, 30), "qtd_encontradas": 0,
        ...        "data_informada": None, "prazo_situacao": "sem_evidencia"}
        >>> finding([row])
        'Até 30/06/2026, da única ação do plano de trabalho, nenhuma tem evidência e nenhuma tem \
atraso comprovado; de 1, cujo prazo terminou, não se sabe se foi cumprida.'
    """
    as_of = rows[0]["data_referencia"]
    shown = sum(1 for row in rows if row["qtd_encontradas"] or _told(row))
    late = sum(1 for row in rows if row["prazo_situacao"] in ("em_atraso", "cumprida_com_atraso"))
    silent = sum(1 for row in rows if row["prazo_situacao"] == "sem_evidencia")
    whole = "da única ação" if len(rows) == 1 else f"das {len(rows)} ações"
    done = "foi cumprida" if silent == 1 else "foram cumpridas"
    rest = f"; de {silent}, cujo prazo terminou, não se sabe se {done}"
    return (
        f"Até {text.day(as_of)}, {whole} do plano de trabalho, {_counted(shown)} evidência e "
        f"{_counted(late)} atraso comprovado{rest if silent else ''}."
    )


def evidence(row: Mapping[str, Any]) -> str:
    """Say what the warehouse shows of an action, and what somebody told of it.

    Example:
        >>> evidence({"evidencia_tipo": "camadas", "qtd_encontradas": 4, "qtd_esperadas": 5,
        ...           "data_informada": None, "data_referencia": date(2026, 6, 30)})
        '4 de 5 camadas com tabelas.'
    """
    kind, found = row["evidencia_tipo"], row["qtd_encontradas"]
    if kind in SHARE:
        said = f"{text.number(found)} de {text.number(row['qtd_esperadas'])} {SHARE[kind]}."
    elif kind in FOUND:
        one, many = FOUND[kind]
        none = f"Nenhum sinal de {one} até {text.day(row['data_referencia'])}"
        said = f"{text.number(found)} {one if found == 1 else many}"
        said = f"{said}." if found else f"{none}, o que não prova a falta."
    else:
        said = ABSENT[kind]
    if _told(row):
        return f"{said} Cumprimento informado: {row['fonte_informada']}."
    return said if found is not None else f"{said} Nenhum dia foi informado."


def day(row: Mapping[str, Any]) -> str:
    """Write the day of an action's fulfilment, or of the first evidence of it."""
    if _told(row):
        return f"{text.day(row['data_informada'])} (informado)"
    if row["data_evidencia"] is None:
        return text.UNKNOWN
    first = "dia dos dados" if row["eh_feita_no_banco"] else "primeira carga"
    return f"{text.day(row['data_evidencia'])} ({first})"


def _told(row: Mapping[str, Any]) -> bool:
    """Say whether somebody told the day of fulfilment, and it has come."""
    told: date | None = row["data_informada"]
    return told is not None and told <= row["data_referencia"]


def _counted(number: int) -> str:
    """Write how many actions have something."""
    return f"{number} têm" if number > 1 else f"{number or 'nenhuma'} tem"
