-- A deadline that no month counts is a delay that no side has.
with meses as (
    select
        m.responsavel_codigo,
        sum(m.qtd_prazos) as qtd_prazos,
        sum(m.qtd_prazos_no_tempo) as qtd_no_tempo
    from {{ ref('proadi_prazos_por_responsavel') }} as m
    group by m.responsavel_codigo
),

prazos as (
    select
        p.responsavel_codigo,
        count(*) as qtd_prazos,
        count(case when p.dias_atraso = 0 then 1 end) as qtd_no_tempo
    from {{ ref('proadi_prazos_por_objeto') }} as p
    where p.data_limite <= p.data_referencia and p.dias_atraso is not null
    group by p.responsavel_codigo
),

-- a term of the reference day itself has not ended
abertos as (
    select
        p.responsavel_codigo,
        count(*) as qtd_prazos
    from {{ ref('proadi_prazos_por_objeto') }} as p
    where p.data_limite = p.data_referencia and p.prazo_situacao_codigo = 'no_prazo'
    group by p.responsavel_codigo
)

select p.responsavel_codigo
from prazos as p
left join abertos as a on p.responsavel_codigo = a.responsavel_codigo
left join meses as m on p.responsavel_codigo = m.responsavel_codigo
where
    p.qtd_prazos - coalesce(a.qtd_prazos, 0) is distinct from coalesce(m.qtd_prazos, 0)
    or p.qtd_no_tempo - coalesce(a.qtd_prazos, 0) is distinct from coalesce(m.qtd_no_tempo, 0)
