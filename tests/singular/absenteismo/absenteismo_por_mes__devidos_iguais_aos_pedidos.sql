-- Every appointment due is in exactly one month, unit and procedure; a missing unit or procedure
-- must not drop it from the denominator.
with marts as (
    select sum(a.qtd_agendamentos_devidos) as qtd from {{ ref('absenteismo_por_mes') }} as a
),

pedidos as (
    select count(*) as qtd
    from {{ ref('int_fila__agendamentos') }} as f
    where f.agendamento_desfecho in ('confirmada', 'falta', 'sem_confirmacao')
)

select
    m.qtd as qtd_mart,
    p.qtd as qtd_pedidos
from marts as m
cross join pedidos as p
where coalesce(m.qtd, 0) <> p.qtd
