-- One row per day, from the year of the oldest schedule or request to the horizon of the offer.
with escalas as (
    select * from {{ ref('int_oferta__escalas') }}
),

solicitacoes as (
    select * from {{ ref('stg_sisreg__solicitacoes_ambulatoriais') }}
),

marcacoes as (
    select * from {{ ref('stg_sisreg__marcacoes_ambulatoriais') }}
),

inicios as (
    select min(e.primeira_data) as data
    from escalas as e
    where e.escala_destino = 'expandida'

    union all

    select cast(min(s.momento_solicitacao) as date) as data
    from solicitacoes as s

    union all

    select cast(min(m.momento_solicitacao) as date) as data
    from marcacoes as m

    union all

    select {{ data_referencia() }} as data
),

limites as (
    select
        cast(date_trunc('year', min(i.data)) as date) as primeiro_dia,
        {{ add_days(data_referencia(), setting('horizonte_dias')) }} as ultimo_dia
    from inicios as i
),

final as (
    select {{ explode_days('l.primeiro_dia', 'l.ultimo_dia') }} as data
    from limites as l
)

select * from final
