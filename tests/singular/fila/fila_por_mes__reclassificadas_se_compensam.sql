-- A change of procedure, region or risk moves a request from one row to another: over all rows of a
-- month what leaves one enters another.
select
    f.competencia,
    sum(f.qtd_reclassificadas_entrada) as qtd_entrada,
    sum(f.qtd_reclassificadas_saida) as qtd_saida
from {{ ref('fila_por_mes') }} as f
group by f.competencia
having sum(f.qtd_reclassificadas_entrada) <> sum(f.qtd_reclassificadas_saida)
