-- One row per day described.
with dias as (
    select * from {{ ref('int_calendario__dias') }}
),

feriados as (
    select * from {{ ref('int_calendario__feriados') }}
),

-- a holiday of one unit, or a unit that works on one, changes nothing of the calendar of all
feriados_gerais as (
    select
        f.data,
        f.feriado_descricao,
        -- an optional day is no holiday of the law
        f.feriado_natureza = 'feriado' as eh_feriado,
        f.tem_bloqueio
    from feriados as f
    where f.unidade_executante_cnes is null
),

final as (
    select
        d.data,
        {{ competencia('d.data') }} as competencia,
        cast(extract(year from d.data) as integer) as ano,
        cast(extract(month from d.data) as integer) as mes,
        {{ isodow('d.data') }} as dia_semana_numero,
        {{ weekday_code(isodow('d.data')) }} as dia_semana_sigla,
        coalesce(f.eh_feriado, false) as eh_feriado,
        case when f.eh_feriado then f.feriado_descricao end as feriado_descricao,
        not coalesce(f.tem_bloqueio, false) and {{ isodow('d.data') }} < 6 as eh_dia_util
    from dias as d
    left join feriados_gerais as f
        on d.data = f.data
)

select * from final
