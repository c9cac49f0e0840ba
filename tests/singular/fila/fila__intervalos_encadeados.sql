-- A gap, an overlap or a state that follows itself would make the running sums of the queue drift:
-- each state ends where the next begins, and only the last one is open.
with intervalos as (
    select * from {{ ref('int_fila__intervalos') }}
),

sequencias as (
    select
        i.solicitacao_codigo,
        i.ordem,
        i.estado,
        i.estado_anterior,
        i.estado_seguinte,
        i.momento_inicio,
        i.momento_fim,
        max(i.ordem) over (partition by i.solicitacao_codigo) as ultima_ordem,
        lead(i.momento_inicio) over (
            partition by i.solicitacao_codigo order by i.ordem
        ) as momento_seguinte
    from intervalos as i
)

select *
from sequencias as s
where
    s.estado = s.estado_anterior
    or s.estado = s.estado_seguinte
    or s.momento_fim < s.momento_inicio
    or s.momento_fim is distinct from s.momento_seguinte
    or (s.momento_fim is null) <> (s.ordem = s.ultima_ordem)
