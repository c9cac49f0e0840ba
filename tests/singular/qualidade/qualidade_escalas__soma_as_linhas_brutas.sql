-- Every raw schedule row has exactly one fate; a row without one would be a slot nobody misses.
with qualidade as (
    select * from {{ ref('qualidade_escalas') }}
),

brutas as (
    select count(*) as qtd_linhas
    from {{ source('bruto_sisreg', 'escala_ambulatorial') }}
),

contadas as (
    select coalesce(sum(q.qtd_linhas), 0) as qtd_linhas
    from qualidade as q
)

select
    b.qtd_linhas as qtd_brutas,
    c.qtd_linhas as qtd_contadas
from brutas as b
cross join contadas as c
where b.qtd_linhas <> c.qtd_linhas
