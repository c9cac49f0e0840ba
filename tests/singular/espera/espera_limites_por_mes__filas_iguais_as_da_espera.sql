-- Who waits and who was seen are the same as in the mart of waits, whatever the limit.
select
    coalesce(l.competencia, e.competencia) as competencia,
    coalesce(l.procedimento_codigo, e.procedimento_codigo) as procedimento_codigo
from {{ ref('espera_limites_por_mes') }} as l
full outer join {{ ref('espera_por_mes') }} as e
    on l.competencia = e.competencia and l.procedimento_codigo = e.procedimento_codigo
where
    coalesce(l.qtd_aguardando, 0) <> coalesce(e.qtd_aguardando, 0)
    or coalesce(l.qtd_atendidas, 0)
    not between coalesce(e.qtd_atendidas, 0)
    and coalesce(e.qtd_atendidas, 0) + coalesce(e.qtd_esperas_implausiveis, 0)
