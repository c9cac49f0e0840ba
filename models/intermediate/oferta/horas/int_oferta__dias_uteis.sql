-- Grain: month, unit; the row `todas` holds for all units that have none of their own. From the
-- oldest schedule or contract to the last complete month. Rule regra_horas_da_oferta, 6.
with escalas as (
    select * from {{ ref('int_oferta__escalas') }}
),

contratos as (
    select * from {{ ref('int_oferta__contratos') }}
),

interrupcoes as (
    select * from {{ ref('int_oferta__interrupcoes') }}
),

inicios as (
    select min(e.primeira_data) as data
    from escalas as e
    where e.escala_destino = 'expandida'

    union all

    select min(c.competencia) as data
    from contratos as c
),

periodo as (
    select {{ competencia('min(i.data)') }} as primeiro_dia
    from inicios as i
),

dias as (
    select
        {{ explode_days('p.primeiro_dia', last_day_of_month(last_complete_month())) }} as data
    from periodo as p
),

feriados as (
    select
        i.unidade_executante_cnes,
        i.data_inicio as data
    from interrupcoes as i
    where
        i.causa_bloqueio = 'feriado'
        and i.data_inicio >= coalesce(i.vale_de, i.data_inicio)
        and i.data_inicio <= coalesce(i.visto_ate, i.data_inicio)
    group by all
),

uteis as (
    select
        {{ competencia('d.data') }} as competencia,
        d.data
    from dias as d
    left join feriados as f
        on d.data = f.data and f.unidade_executante_cnes is null
    where {{ isodow('d.data') }} < 6 and f.data is null
),

gerais as (
    select
        u.competencia,
        count(*) as qtd_dias
    from uteis as u
    group by u.competencia
),

locais as (
    select
        u.competencia,
        f.unidade_executante_cnes,
        count(*) as qtd_dias
    from uteis as u
    inner join feriados as f
        on u.data = f.data
    where f.unidade_executante_cnes is not null
    group by all
),

final as (
    select
        -- identificadores
        g.competencia,
        'todas' as unidade_executante_cnes,
        -- quantidades
        cast(g.qtd_dias as integer) as qtd_dias_uteis
    from gerais as g

    union all

    select
        g.competencia,
        l.unidade_executante_cnes,
        cast(g.qtd_dias - l.qtd_dias as integer) as qtd_dias_uteis
    from gerais as g
    inner join locais as l
        on g.competencia = l.competencia
)

select * from final
