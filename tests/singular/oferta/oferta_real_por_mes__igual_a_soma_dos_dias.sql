-- Month totals equal the days they come from: a join that multiplies or drops a unit shows here.
with oferta as (
    select * from {{ ref('oferta_por_dia') }}
),

oferta_real as (
    select * from {{ ref('oferta_real_por_mes') }}
),

esperados as (
    select
        o.competencia,
        sum(o.qtd_vagas_total) as qtd_total,
        sum(o.qtd_vagas_ativas) as qtd_ativas,
        sum(o.qtd_vagas_bloqueadas_feriado) as feriado,
        sum(o.qtd_vagas_bloqueadas_afastamento_unidade) as afastamento_unidade,
        sum(o.qtd_vagas_bloqueadas_afastamento_profissional) as afastamento_profissional
    from oferta as o
    group by o.competencia
),

obtidos as (
    select
        r.competencia,
        sum(r.qtd_vagas_total) as qtd_total,
        sum(r.qtd_vagas_ativas) as qtd_ativas,
        sum(r.qtd_vagas_bloqueadas_feriado) as feriado,
        sum(r.qtd_vagas_bloqueadas_afastamento_unidade) as afastamento_unidade,
        sum(r.qtd_vagas_bloqueadas_afastamento_profissional) as afastamento_profissional,
        sum(r.qtd_vagas_ativas_primeira_vez) as qtd_ativas_primeira_vez,
        sum(r.qtd_vagas_ativas_retorno) as qtd_ativas_retorno,
        sum(r.qtd_vagas_ativas_reserva) as qtd_ativas_reserva
    from oferta_real as r
    group by r.competencia
)

select
    coalesce(e.competencia, o.competencia) as competencia,
    e.qtd_total as qtd_esperada,
    o.qtd_total as qtd_obtida
from esperados as e
full outer join obtidos as o
    on e.competencia = o.competencia
where
    e.qtd_total is distinct from o.qtd_total
    or e.qtd_ativas is distinct from o.qtd_ativas
    or e.feriado is distinct from o.feriado
    or e.afastamento_unidade is distinct from o.afastamento_unidade
    or e.afastamento_profissional is distinct from o.afastamento_profissional
    or coalesce(e.qtd_ativas, 0) <> coalesce(o.qtd_ativas_primeira_vez, 0)
    + coalesce(o.qtd_ativas_retorno, 0) + coalesce(o.qtd_ativas_reserva, 0)
