"""The offer as a cube: what several pages add up."""

from __future__ import annotations

from functools import lru_cache

import pandas as pd

from mapa.errors import PublishError
from mapa.site.blocks import Part, Step
from mapa.site.cube import MONTH, OVER, Cube, Dimension
from mapa.site.release import Release

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
NOWHERE = "nao_identificada"
NO_NAME = "Sem nome no cadastro"
QUERY = f"""
    select
        o.competencia,
        o.competencia_situacao as situacao,
        coalesce(o.regiao_saude_codigo, '{NOWHERE}') as regiao,
        coalesce(o.regiao_saude_nome, 'Não identificada') as regiao_nome,
        coalesce(cast(e.area_numero as varchar), '{NOWHERE}') as area,
        coalesce(t.area_nome, 'Não identificada') as area_nome,
        o.unidade_executante_cnes as unidade,
        coalesce(o.unidade_executante_nome, '{NO_NAME}') as unidade_nome,
        coalesce(o.grupo_codigo, '{NOWHERE}') as grupo,
        coalesce(o.grupo_nome, 'Sem grupo') as grupo_nome,
        o.procedimento_codigo as procedimento,
        coalesce(o.procedimento_nome, '{NO_NAME}') as procedimento_nome,
        o.qtd_vagas_total,
        o.qtd_vagas_bloqueadas_feriado,
        o.qtd_vagas_bloqueadas_afastamento,
        -- of a row whose leaves may not be told only total and holidays are known
        case
            when o.qtd_vagas_total is null then null
            when o.divulgacao = 'nao_divulgada'
                then o.qtd_vagas_total - o.qtd_vagas_bloqueadas_feriado
            else 0
        end as qtd_vagas_nao_divulgadas,
        o.qtd_vagas_ativas,
        o.qtd_vagas_perdidas_teto,
        o.qtd_vagas_perdidas_ppi,
        o.qtd_oferta_real,
        case when o.limite_vinculante = 'nao_informado' then o.qtd_vagas_ativas
            when o.limite_vinculante is not null then 0 end as qtd_vagas_sem_limite
    from pub_oferta_real_por_mes as o
    left join pub_dim_estabelecimentos as e on o.unidade_executante_cnes = e.unidade_cnes
    left join pub_dim_territorio as t using (area_numero)
"""


@lru_cache(maxsize=2)
def offer(release: Release) -> Cube:
    """Return the offer by month, region, area, unit, group and procedure.

    Raises:
        PublishError: the version holds no offer.
    """
    rows = release.query(QUERY)
    if rows.empty:
        raise PublishError(
            "The published version holds no offer: no schedule has been loaded.\n"
            "Load one with `mapa load export FILE`, then `dbt build` and `mapa publish`."
        )
    months = {
        over: tuple(sorted(rows.loc[(rows["situacao"] == OVER) == over, MONTH].unique()))
        for over in (True, False)
    }
    return Cube(
        rows=rows,
        dimensions=(
            Dimension("regiao", "Região de saúde", _labels(rows, "regiao")),
            Dimension("area", "Região administrativa", _labels(rows, "area"), "regiao"),
            Dimension("unidade", "Unidade", _labels(rows, "unidade", code=True), "regiao"),
            Dimension("grupo", "Grupo de procedimentos", _labels(rows, "grupo")),
            Dimension(
                "procedimento", "Procedimento", _labels(rows, "procedimento", code=True), "grupo"
            ),
        ),
        measures=MEASURES,
        over=months[True],
        ahead=months[False],
    )


def _labels(rows: pd.DataFrame, name: str, *, code: bool = False) -> dict[str, str]:
    """Return what each code is called, in alphabetical order; with its code where names repeat."""
    pairs = rows[[name, f"{name}_nome"]].drop_duplicates(name)
    found = {
        key: f"{label} ({key})" if code else label for key, label in pairs.itertuples(index=False)
    }
    return dict(sorted(found.items(), key=lambda item: (item[0] == NOWHERE, item[1], item[0])))
