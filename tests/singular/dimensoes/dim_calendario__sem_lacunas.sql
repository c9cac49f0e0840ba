-- A missing day would drop its slots from every panel that starts at the calendar.
with calendario as (
    select * from {{ ref('dim_calendario') }}
),

limites as (
    select
        count(*) as qtd_dias,
        min(c.data) as primeiro_dia,
        max(c.data) as ultimo_dia
    from calendario as c
)

select l.*
from limites as l
where l.qtd_dias <> {{ days_between('l.primeiro_dia', 'l.ultimo_dia') }} + 1
