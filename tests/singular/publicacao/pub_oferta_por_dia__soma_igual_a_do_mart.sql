-- Summing over schedules must neither lose a slot nor a schedule of unknown quantity.
with mart as (
    select
        sum(m.qtd_vagas_total) as qtd_vagas_total,
        sum(m.qtd_vagas_ativas) as qtd_vagas_ativas,
        count(*) - count(m.qtd_vagas_total) as qtd_escalas_sem_quantidade
    from {{ ref('oferta_por_dia') }} as m
),

publicado as (
    select
        sum(p.qtd_vagas_total) as qtd_vagas_total,
        sum(p.qtd_vagas_ativas) as qtd_vagas_ativas,
        coalesce(sum(p.qtd_escalas_sem_quantidade), 0) as qtd_escalas_sem_quantidade
    from {{ ref('pub_oferta_por_dia') }} as p
)

select
    m.qtd_vagas_total as qtd_vagas_total_mart,
    p.qtd_vagas_total as qtd_vagas_total_publicado
from mart as m
cross join publicado as p
where
    m.qtd_vagas_total is distinct from p.qtd_vagas_total
    or m.qtd_vagas_ativas is distinct from p.qtd_vagas_ativas
    or m.qtd_escalas_sem_quantidade <> p.qtd_escalas_sem_quantidade
