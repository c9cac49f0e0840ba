-- Every raw schedule row of a known load has exactly one fate; a row without one would be a slot
-- nobody misses.
with qualidade as (
    select * from {{ ref('qualidade_escalas') }}
),

brutas as (
    select count(*) as qtd_linhas
    from {{ source('bruto_sisreg', 'escala_ambulatorial') }} as e
    inner join {{ ref('int_calendario__cargas') }} as c
        on e._carga_id = c.carga_id
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
