-- Every request enters the queue exactly once, in the month of its date; a fan-out in the joins of
-- the mart would show here first.
with marts as (
    select sum(f.qtd_entradas) as qtd from {{ ref('fila_por_mes') }} as f
),

pedidos as (
    select count(*) as qtd
    from {{ ref('int_fila__solicitacoes') }} as s
    where
        not s.nasceu_inexistente
        and cast(s.momento_solicitacao as date) <= {{ data_referencia() }}
)

select
    m.qtd as qtd_mart,
    p.qtd as qtd_pedidos
from marts as m
cross join pedidos as p
where coalesce(m.qtd, 0) <> p.qtd
