-- Two current versions of one schedule would double its slots.
with escalas as (
    select * from {{ ref('int_oferta__escalas') }}
)

select e.escala_id
from escalas as e
where e.escala_destino <> 'versao_anterior'
group by e.escala_id
having count(*) > 1
