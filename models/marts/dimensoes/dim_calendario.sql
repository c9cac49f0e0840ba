-- One row per day described.
with dias as (
    select * from {{ ref('int_calendario__dias') }}
),

feriados as (
    select * from {{ ref('int_calendario__feriados') }}
),

-- a holiday of one unit is no holiday of the calendar, and an optional day is none of the law
feriados_gerais as (
    select
        f.data,
        f.feriado_descricao
    from feriados as f
    where f.unidade_executante_cnes is null and f.feriado_natureza = 'feriado'
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
        on d.data = f.data
)

select * from final
