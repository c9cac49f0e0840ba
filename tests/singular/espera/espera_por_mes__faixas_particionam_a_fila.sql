-- The bands of indicator 24 cover every plausible age once: a request of the queue that fell
-- between two bands, or into two, would break the distribution built on these ages.
with idades as (
    select {{ days_between('s.momento_solicitacao', data_referencia()) }} as dias
    from {{ ref('int_fila__intervalos') }} as i
    inner join {{ ref('int_fila__solicitacoes') }} as s
        on i.solicitacao_codigo = s.solicitacao_codigo
    where i.momento_fim is null and i.estado = 'aguardando'
),

faixas as (
    select
        count(*) as qtd,
        sum(case when d.dias between 0 and 30 then 1 else 0 end)
        + sum(case when d.dias between 31 and 60 then 1 else 0 end)
        + sum(case when d.dias between 61 and 90 then 1 else 0 end)
        + sum(case when d.dias between 91 and 180 then 1 else 0 end)
        + sum(case when d.dias between 181 and 365 then 1 else 0 end)
        + sum(case when d.dias between 366 and 730 then 1 else 0 end)
        + sum(case when d.dias > 730 then 1 else 0 end) as qtd_nas_faixas
    from idades as d
),

marts as (
    select sum(e.qtd_aguardando) as qtd
    from {{ ref('espera_por_mes') }} as e
    where e.competencia = {{ competencia(data_referencia()) }}
)

select
    f.qtd,
    f.qtd_nas_faixas,
    m.qtd as qtd_mart
from faixas as f
cross join marts as m
where f.qtd <> coalesce(f.qtd_nas_faixas, 0) or f.qtd <> coalesce(m.qtd, 0)
