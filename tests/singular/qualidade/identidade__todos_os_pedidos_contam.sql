-- A request that no reading dates, or that two months claim, would leave the shares of links wrong
-- while each month still adds up.
with contados as (
    select coalesce(sum(q.qtd_pedidos_lidos), 0) as qtd from {{ ref('qualidade_identidade') }} as q
),

pedidos as (
    select count(*) as qtd from {{ ref('int_fila__solicitacoes') }}
)

select
    c.qtd as qtd_contados,
    p.qtd as qtd_pedidos
from contados as c
cross join pedidos as p
where c.qtd <> p.qtd
