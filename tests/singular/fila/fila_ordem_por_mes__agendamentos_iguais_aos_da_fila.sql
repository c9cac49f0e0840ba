-- Every booking of somebody who waited is judged once, in its month: the same as left the queue so.
with fila as (
    select
        f.competencia,
        f.procedimento_codigo,
        sum(f.qtd_agendamentos) as qtd
    from {{ ref('fila_por_mes') }} as f
    group by f.competencia, f.procedimento_codigo
)

select
    coalesce(f.competencia, o.competencia) as competencia,
    coalesce(f.procedimento_codigo, o.procedimento_codigo) as procedimento_codigo,
    f.qtd as qtd_fila,
    o.qtd_agendamentos as qtd_ordem
from fila as f
full outer join {{ ref('fila_ordem_por_mes') }} as o
    on f.competencia = o.competencia and f.procedimento_codigo = o.procedimento_codigo
where coalesce(f.qtd, 0) <> coalesce(o.qtd_agendamentos, 0)
