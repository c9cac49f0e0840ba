-- The contract is shared between the procedures of a professional: parts that do not add up to it
-- would expect slots of hours that nobody hired, or forget some. Who offers hours is there at all.
with esperada as (
    select * from {{ ref('oferta_esperada_por_mes') }}
),

horas as (
    select * from {{ ref('oferta_horas_por_mes') }}
),

somadas as (
    select
        e.competencia,
        e.unidade_executante_cnes,
        e.profissional_id,
        sum(e.qtd_vagas_total) as qtd_vagas_total,
        sum(e.pct_minutos) as pct_minutos,
        sum(e.horas_do_procedimento) as horas
    from esperada as e
    group by
        e.competencia,
        e.unidade_executante_cnes,
        e.profissional_id
)

select
    coalesce(s.competencia, h.competencia) as competencia,
    coalesce(s.unidade_executante_cnes, h.unidade_executante_cnes) as unidade_executante_cnes,
    s.pct_minutos,
    s.horas,
    h.horas_contratadas
from somadas as s
full outer join horas as h
    on
        s.competencia = h.competencia
        and s.unidade_executante_cnes = h.unidade_executante_cnes
        and s.profissional_id = h.profissional_id
where
    h.competencia is null
    or (s.competencia is null and h.horas_ofertadas > 0)
    or abs(s.pct_minutos - 100) > 0.000001
    or (s.pct_minutos is not null and s.horas is null) <> (
        s.pct_minutos is not null and h.horas_contratadas is null
    )
    or abs(s.horas - h.horas_contratadas) > 0.000001
    or (s.competencia is not null and s.qtd_vagas_total is distinct from h.qtd_vagas_total)
