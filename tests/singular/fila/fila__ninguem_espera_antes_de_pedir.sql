-- A state that begins before its request, or after the day described, would give waits below zero
-- and let the future leak into the queue.
select
    i.solicitacao_codigo,
    i.ordem,
    i.estado
from {{ ref('int_fila__intervalos') }} as i
inner join {{ ref('int_fila__solicitacoes') }} as s
    on i.solicitacao_codigo = s.solicitacao_codigo
where i.momento_inicio < s.momento_solicitacao or i.data_inicio > {{ data_referencia() }}
