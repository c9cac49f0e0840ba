-- Grain: year, from 1900 to 2100: Easter Sunday, computed once for all holidays that move with it.
-- Gregorian computus of Gauss, as mended by Knuth: the full moon of spring, then the Sunday after
-- it. Every division is of whole numbers.
with meses as (
    select
        {{ explode_months("cast('1900-01-01' as date)", "cast('2100-01-01' as date)") }} as mes
),

anos as (
    select
        cast(extract(year from m.mes) as integer) as ano,
        {{ int_div('cast(extract(year from m.mes) as integer)', 100) }} as seculo
    from meses as m
    group by all
),

epactas as (
    select
        a.ano,
        a.seculo,
        a.ano % 19 as ouro,
        (
            a.seculo - {{ int_div('a.seculo', 4) }} - {{ int_div('8 * a.seculo + 13', 25) }}
            + 19 * (a.ano % 19) + 15
        ) % 30 as epacta
    from anos as a
),

-- days from 28 March on which the moon is full
luas as (
    select
        e.ano,
        e.seculo,
        e.epacta - case when e.epacta = 29 or (e.epacta = 28 and e.ouro > 10) then 1 else 0 end
            as lua
    from epactas as e
),

final as (
    select
        l.ano,
        {{ add_days(
            "cast(cast(l.ano as string) || '-03-28' as date)",
            'l.lua - (l.ano + ' ~ int_div('l.ano', 4) ~ ' + l.lua + 2 - l.seculo + '
            ~ int_div('l.seculo', 4) ~ ') % 7'
        ) }} as data_pascoa
    from luas as l
)

select * from final
