-- A join that drops or repeats a row on the way out would publish another offer than the mart's.
with mart as (
    select
        count(*) as qtd_linhas,
        sum(m.qtd_vagas_total) as qtd_vagas_total,
        sum(m.qtd_oferta_real) as qtd_oferta_real
    from {{ ref('oferta_real_por_mes') }} as m
),

publicado as (
    select
        count(*) as qtd_linhas,
        sum(p.qtd_vagas_total) as qtd_vagas_total,
        sum(p.qtd_oferta_real) as qtd_oferta_real
    from {{ ref('pub_oferta_real_por_mes') }} as p
)

select
    m.qtd_linhas as qtd_linhas_mart,
    p.qtd_linhas as qtd_linhas_publicado
from mart as m
cross join publicado as p
where
    m.qtd_linhas <> p.qtd_linhas
    or m.qtd_vagas_total is distinct from p.qtd_vagas_total
    or m.qtd_oferta_real is distinct from p.qtd_oferta_real
