-- Each end of the funnel equals the table it comes from, month by month: a join that drops or
-- repeats a cell would break utilisation without breaking any sum inside the row.
with funil as (
    select * from {{ ref('oferta_funil_por_mes') }}
),

oferta as (
    select * from {{ ref('oferta_real_por_mes') }}
),

absenteismo as (
    select * from {{ ref('absenteismo_por_mes') }}
),

obtidos as (
    select
        f.competencia,
        coalesce(sum(f.qtd_vagas_total), 0) as qtd_total,
        coalesce(sum(f.qtd_vagas_bloqueadas), 0) as qtd_bloqueadas,
        coalesce(sum(f.qtd_vagas_ativas), 0) as qtd_ativas,
        coalesce(sum(f.qtd_oferta_real), 0) as qtd_reais,
        coalesce(sum(f.qtd_vagas_perdidas_teto), 0) as qtd_teto,
        coalesce(sum(f.qtd_vagas_perdidas_ppi), 0) as qtd_ppi,
        sum(f.qtd_atendidas) as qtd_atendidas,
        sum(f.qtd_faltas) as qtd_faltas,
        sum(f.qtd_sem_confirmacao) as qtd_sem_confirmacao
    from funil as f
    group by f.competencia
),

ofertados as (
    select
        o.competencia,
        coalesce(sum(o.qtd_vagas_total), 0) as qtd_total,
        coalesce(sum(o.qtd_vagas_bloqueadas), 0) as qtd_bloqueadas,
        coalesce(sum(o.qtd_vagas_ativas), 0) as qtd_ativas,
        coalesce(sum(o.qtd_oferta_real), 0) as qtd_reais,
        coalesce(sum(o.qtd_vagas_perdidas_teto), 0) as qtd_teto,
        coalesce(sum(o.qtd_vagas_perdidas_ppi), 0) as qtd_ppi
    from oferta as o
    group by o.competencia
),

usados as (
    select
        a.competencia,
        sum(a.qtd_confirmados) as qtd_atendidas,
        sum(a.qtd_faltas) as qtd_faltas,
        sum(a.qtd_sem_confirmacao) as qtd_sem_confirmacao
    from absenteismo as a
    group by a.competencia
)

select
    f.competencia,
    f.qtd_reais as qtd_reais_no_funil,
    o.qtd_reais as qtd_reais_na_fonte,
    f.qtd_atendidas as qtd_atendidas_no_funil,
    u.qtd_atendidas as qtd_atendidas_na_fonte
from obtidos as f
left join ofertados as o
    on f.competencia = o.competencia
left join usados as u
    on f.competencia = u.competencia
where
    f.qtd_total <> coalesce(o.qtd_total, 0)
    or f.qtd_bloqueadas <> coalesce(o.qtd_bloqueadas, 0)
    or f.qtd_ppi <> coalesce(o.qtd_ppi, 0)
    or f.qtd_ativas <> coalesce(o.qtd_ativas, 0)
    or f.qtd_reais <> coalesce(o.qtd_reais, 0)
    or f.qtd_teto <> coalesce(o.qtd_teto, 0)
    or f.qtd_atendidas <> coalesce(u.qtd_atendidas, 0)
    or f.qtd_faltas <> coalesce(u.qtd_faltas, 0)
    or f.qtd_sem_confirmacao <> coalesce(u.qtd_sem_confirmacao, 0)
