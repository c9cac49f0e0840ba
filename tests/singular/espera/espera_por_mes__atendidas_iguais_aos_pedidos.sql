-- Everyone served by the day described is in one month of the mart, with a wait, among the
-- implausible or without date; returns are not waits.
with marts as (
    select
        sum(e.qtd_atendidas) as qtd,
        sum(
            e.qtd_atendidas + e.qtd_atendidas_sem_data + e.qtd_esperas_implausiveis
        ) as qtd_todos
    from {{ ref('espera_por_mes') }} as e
),

pedidos as (
    select
        sum(
            case
                when
                    {{ days_between('g.momento_solicitacao', 'g.momento_agendamento') }}
                    between 0 and {{ setting('dias_espera_maximo') }}
                    then 1
                else 0
            end
        ) as qtd,
        count(*) as qtd_todos
    from {{ ref('int_fila__agendamentos') }} as g
    where g.agendamento_desfecho = 'confirmada' and coalesce(g.vaga_consumida_tipo, '') <> '2'
)

select
    m.qtd as qtd_mart,
    p.qtd as qtd_pedidos,
    m.qtd_todos as qtd_todos_mart,
    p.qtd_todos as qtd_todos_pedidos
from marts as m
cross join pedidos as p
where
    coalesce(m.qtd, 0) <> coalesce(p.qtd, 0)
    or coalesce(m.qtd_todos, 0) <> p.qtd_todos
