-- Every appointment due has one home, known or not: the regions of a unit add up to what was due.
with moradores as (
    select
        r.competencia,
        r.unidade_executante_cnes,
        sum(r.qtd_agendamentos_devidos) as qtd
    from {{ ref('absenteismo_por_residencia_por_mes') }} as r
    group by r.competencia, r.unidade_executante_cnes
),

devidos as (
    select
        a.competencia,
        a.unidade_executante_cnes,
        sum(a.qtd_agendamentos_devidos) as qtd
    from {{ ref('absenteismo_por_mes') }} as a
    group by a.competencia, a.unidade_executante_cnes
)

select
    coalesce(m.competencia, d.competencia) as competencia,
    coalesce(m.unidade_executante_cnes, d.unidade_executante_cnes) as unidade_executante_cnes,
    m.qtd as qtd_moradores,
    d.qtd as qtd_devidos
from moradores as m
full outer join devidos as d
    on m.competencia = d.competencia and m.unidade_executante_cnes = d.unidade_executante_cnes
where coalesce(m.qtd, 0) <> coalesce(d.qtd, 0)
