-- Two versions of one schedule in force on the same date would double its slots.
with escalas as (
    select * from {{ ref('int_oferta__escalas') }}
),

expandidas as (
    select
        e.escala_id,
        e.primeira_data,
        lag(e.ultima_data) over (
            partition by e.escala_id
            order by e.primeira_data, e.ultima_data
        ) as ultima_data_anterior
    from escalas as e
    where e.escala_destino = 'expandida'
)

select e.escala_id
from expandidas as e
where e.primeira_data <= e.ultima_data_anterior
