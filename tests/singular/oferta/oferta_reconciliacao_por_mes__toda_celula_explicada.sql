-- Each cell of the report is under one explanation of its month: one left out, or counted in two
-- months, would make more of the report agree than does.
with meses as (
    select
        r.competencia,
        sum(r.qtd_celulas) as qtd_celulas,
        sum(r.pct_celulas) as pct_celulas
    from {{ ref('oferta_reconciliacao_por_mes') }} as r
    group by r.competencia
),

celulas as (
    select
        c.competencia,
        count(*) as qtd_celulas
    from {{ ref('oferta_reconciliacao') }} as c
    group by c.competencia
)

select
    coalesce(m.competencia, c.competencia) as competencia,
    m.qtd_celulas,
    c.qtd_celulas as qtd_celulas_da_fonte
from meses as m
full outer join celulas as c
    on m.competencia = c.competencia
where
    m.qtd_celulas is distinct from c.qtd_celulas
    or abs(m.pct_celulas - 100) > 0.000001
