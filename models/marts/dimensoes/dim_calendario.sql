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

feriados as (
    select * from {{ ref('stg_sisreg__feriados') }}
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
        {{ add_days(data_referencia(), var('horizonte_dias')) }} as ultimo_dia
    from inicios as i
),

dias as (
    select {{ explode_days('l.primeiro_dia', 'l.ultimo_dia') }} as data
    from limites as l
),

-- a holiday of one unit is no holiday of the calendar; a national name goes before a local one
feriados_gerais as (
    select
        f.data,
        f.feriado_descricao,
        row_number() over (
            partition by f.data
            order by f.abrangencia desc, f._carregado_em desc, f._linha desc
        ) as ordem
    from feriados as f
    where f.abrangencia in ('nacional', 'distrital')
),

final as (
    select
        d.data,
        {{ competencia('d.data') }} as competencia,
        cast(extract(year from d.data) as integer) as ano,
        cast(extract(month from d.data) as integer) as mes,
        {{ isodow('d.data') }} as dia_semana_numero,
        {{ weekday_code(isodow('d.data')) }} as dia_semana_sigla,
        f.data is not null as eh_feriado,
        f.feriado_descricao,
        f.data is null and {{ isodow('d.data') }} < 6 as eh_dia_util
    from dias as d
    left join feriados_gerais as f
        on d.data = f.data and f.ordem = 1
)

select * from final
