-- The bands of a month and procedure are the queue of it, and nobody is in two; here they are told
-- from the ages, there from running sums.
with fila as (
    select
        f.competencia,
        f.procedimento_codigo,
        sum(f.qtd_aguardando) as qtd
    from {{ ref('fila_por_mes') }} as f
    group by f.competencia, f.procedimento_codigo
    having sum(f.qtd_aguardando) > 0
),

faixas as (
    select
        b.competencia,
        b.procedimento_codigo,
        sum(b.qtd_aguardando) as qtd
    from {{ ref('fila_por_faixa_por_mes') }} as b
    group by b.competencia, b.procedimento_codigo
)

select
    coalesce(f.competencia, b.competencia) as competencia,
    coalesce(f.procedimento_codigo, b.procedimento_codigo) as procedimento_codigo,
    f.qtd as qtd_fila,
    b.qtd as qtd_faixas
from fila as f
full outer join faixas as b
    on f.competencia = b.competencia and f.procedimento_codigo = b.procedimento_codigo
where f.qtd is distinct from b.qtd
