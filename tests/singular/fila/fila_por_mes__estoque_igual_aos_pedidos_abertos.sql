-- The stock of the last month comes from running sums; a movement lost or counted twice on the way
-- would leave it wrong for ever. It equals the open requests counted one by one.
with marts as (
    select
        sum(f.qtd_aguardando) as qtd_aguardando,
        sum(f.qtd_agendadas) as qtd_agendadas,
        sum(f.qtd_devolvidas) as qtd_devolvidas
    from {{ ref('fila_por_mes') }} as f
    where f.competencia = {{ competencia(data_referencia()) }}
),

abertos as (
    select
        sum(case when i.estado = 'aguardando' then 1 else 0 end) as qtd_aguardando,
        sum(case when i.estado = 'agendada' then 1 else 0 end) as qtd_agendadas,
        sum(case when i.estado = 'devolvida' then 1 else 0 end) as qtd_devolvidas
    from {{ ref('int_fila__intervalos') }} as i
    where i.momento_fim is null
)

select
    m.qtd_aguardando as qtd_aguardando_mart,
    a.qtd_aguardando as qtd_aguardando_pedidos,
    m.qtd_agendadas as qtd_agendadas_mart,
    a.qtd_agendadas as qtd_agendadas_pedidos,
    m.qtd_devolvidas as qtd_devolvidas_mart,
    a.qtd_devolvidas as qtd_devolvidas_pedidos
from marts as m
cross join abertos as a
where
    coalesce(m.qtd_aguardando, 0) <> coalesce(a.qtd_aguardando, 0)
    or coalesce(m.qtd_agendadas, 0) <> coalesce(a.qtd_agendadas, 0)
    or coalesce(m.qtd_devolvidas, 0) <> coalesce(a.qtd_devolvidas, 0)
