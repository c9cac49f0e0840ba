-- Every request that entered the queue is in one month of entry, whatever the horizon, but for
-- those whose end comes before it.
with marts as (
    select
        p.horizonte_dias,
        sum(p.qtd_pedidos) as qtd
    from {{ ref('espera_probabilidade_por_mes') }} as p
    where p.coorte_meses = 1
    group by p.horizonte_dias
),

pedidos as (
    select count(*) as qtd
    from {{ ref('int_fila__percursos') }} as p
    where p.data_saida is null or p.data_saida >= p.data_entrada
)

select
    m.horizonte_dias,
    m.qtd as qtd_mart,
    p.qtd as qtd_pedidos
from marts as m
cross join pedidos as p
where m.qtd <> p.qtd
