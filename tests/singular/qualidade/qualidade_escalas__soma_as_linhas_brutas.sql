-- Every raw schedule row that was seen by the reference day has exactly one fate; a row without one
-- would be a slot nobody misses. What was seen later is not there yet, but for the first word on a
-- schedule, which is taken out of the sum again.
with qualidade as (
    select * from {{ ref('qualidade_escalas') }}
),

cargas as (
    select
        c.carga_id,
        c.visto_em <= {{ last_day_seen() }} as chegou_a_tempo
    from {{ ref('int_calendario__cargas') }} as c
),

brutas as (
    select count(*) as qtd_linhas
    from {{ source('bruto_sisreg', 'escala_ambulatorial') }} as e
    inner join cargas as c
        on e._carga_id = c.carga_id
    where c.chegou_a_tempo
),

posteriores as (
    select count(*) as qtd_linhas
    from {{ ref('int_oferta__escalas') }} as e
    inner join cargas as c
        on e._carga_id = c.carga_id
    where e.eh_ultimo_trecho and not c.chegou_a_tempo
),

contadas as (
    select coalesce(sum(q.qtd_linhas), 0) as qtd_linhas
    from qualidade as q
)

select
    b.qtd_linhas as qtd_brutas,
    c.qtd_linhas - p.qtd_linhas as qtd_contadas
from brutas as b
cross join contadas as c
cross join posteriores as p
where b.qtd_linhas <> c.qtd_linhas - p.qtd_linhas
