-- The interval holds the truth only if its bounds are in order around the central estimate.
select
    a.competencia,
    a.unidade_executante_cnes,
    a.procedimento_codigo
from {{ ref('absenteismo_por_mes') }} as a
where
    a.pct_falta_minimo > a.pct_falta_maximo
    or a.pct_falta_desfecho_conhecido < a.pct_falta_minimo
    or a.pct_falta_desfecho_conhecido > a.pct_falta_maximo + 1e-9
