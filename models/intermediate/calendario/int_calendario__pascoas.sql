-- Grain: year, from 1900 to 2100: Easter Sunday, computed once for all holidays that move with it.
with meses as (
    select
        {{ explode_months("cast('1900-01-01' as date)", "cast('2100-01-01' as date)") }} as mes
),

anos as (
    select cast(extract(year from m.mes) as integer) as ano
    from meses as m
    group by all
),

final as (
    select
        a.ano,
        {{ easter_sunday('a.ano') }} as data_pascoa
    from anos as a
)

select * from final
