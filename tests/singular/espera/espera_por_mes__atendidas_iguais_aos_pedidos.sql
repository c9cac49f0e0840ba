-- Everyone served by the day described is in one month of the mart, with a wait or among the
-- implausible; returns are not waits.
with marts as (
    select sum(e.qtd_atendidas) as qtd from {{ ref('espera_por_mes') }} as e
),

pedidos as (
    select count(*) as qtd
    from {{ ref('int_fila__saidas') }} as f
    inner join {{ ref('int_fila__solicitacoes') }} as s
        on f.solicitacao_codigo = s.solicitacao_codigo
    where
        f.agendamento_desfecho = 'confirmada'
        and coalesce(s.vaga_consumida_tipo, '') <> '2'
        and {{ days_between('s.momento_solicitacao', 's.momento_agendamento') }}
        between 0 and {{ var('dias_espera_maximo') }}
)

select
    m.qtd as qtd_mart,
    p.qtd as qtd_pedidos
from marts as m
cross join pedidos as p
where coalesce(m.qtd, 0) <> p.qtd
