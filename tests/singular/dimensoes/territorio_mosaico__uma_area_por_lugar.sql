-- Two areas on one tile: one would hide the other.
select
    m.linha,
    m.coluna,
    count(*) as qtd_areas
from {{ ref('territorio_mosaico') }} as m
group by
    m.linha,
    m.coluna
having count(*) > 1
