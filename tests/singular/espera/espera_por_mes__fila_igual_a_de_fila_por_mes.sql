-- The age of the queue and the queue itself must speak of the same requests in every month; here
-- the stock is counted from expanded months, there from running sums.
with fila as (
    select
        f.competencia,
        f.procedimento_codigo,
        sum(f.qtd_aguardando) as qtd_aguardando
    from {{ ref('fila_por_mes') }} as f
    group by f.competencia, f.procedimento_codigo
)

select
    coalesce(f.competencia, e.competencia) as competencia,
    coalesce(f.procedimento_codigo, e.procedimento_codigo) as procedimento_codigo,
    f.qtd_aguardando as qtd_em_fila_por_mes,
    e.qtd_aguardando as qtd_em_espera_por_mes
from fila as f
full outer join {{ ref('espera_por_mes') }} as e
    on f.competencia = e.competencia and f.procedimento_codigo = e.procedimento_codigo
where coalesce(f.qtd_aguardando, 0) <> coalesce(e.qtd_aguardando, 0)
