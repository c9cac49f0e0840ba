-- Grain: day on which some extract of the offer was seen, with the one before it and the last date
-- that the pictures of both reach.
with cargas as (
    select * from {{ ref('int_calendario__cargas') }}
),

dias as (
    select c.visto_em
    from cargas as c
    where
        c.visto_em <= {{ last_day_seen() }}
        and c.entidade in (
            'escala', 'afastamento_profissional', 'afastamento_unidade', 'feriado', 'ppi', 'teto'
        )
    group by c.visto_em
),

escalas as (
    select min(c.visto_em) as primeiro_dia
    from cargas as c
    where c.entidade = 'escala'
),

final as (
    select
        d.visto_em,
        e.primeiro_dia,
        lag(d.visto_em) over (order by d.visto_em) as anterior_em,
        {{ add_days(
            'lag(d.visto_em) over (order by d.visto_em)', setting('horizonte_dias') - 1
        ) }} as ultima_data_comum
    from dias as d
    cross join escalas as e
    where d.visto_em >= e.primeiro_dia
)

select * from final
