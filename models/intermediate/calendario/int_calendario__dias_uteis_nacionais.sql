-- Grain: day. Working days with national holidays only, from 2000 to twelve years after the
-- reference day: what terms of the Union are counted by.
with regras as (
    select * from {{ ref('regras_feriados') }}
),

pascoas as (
    select * from {{ ref('int_calendario__pascoas') }}
),

referencia as (
    select * from {{ ref('int_calendario__referencia') }}
),

dias as (
    select
        {{ explode_days("cast('2000-01-01' as date)", add_days('r.data_referencia', '4383')) }}
            as data
    from referencia as r
),

partes as (
    select
        d.data,
        cast(extract(year from d.data) as integer) as ano,
        cast(extract(month from d.data) as integer) as mes,
        cast(extract(day from d.data) as integer) as dia,
        {{ days_between('p.data_pascoa', 'd.data') }} as dias_da_pascoa
    from dias as d
    left join pascoas as p on extract(year from d.data) = p.ano
),

feriados as (
    select p.data
    from partes as p
    inner join regras as r
        on
            ((p.mes = r.mes and p.dia = r.dia) or p.dias_da_pascoa = r.dias_da_pascoa)
            and p.ano between coalesce(r.ano_inicial, p.ano) and coalesce(r.ano_final, p.ano)
    where r.abrangencia = 'nacional' and r.feriado_natureza = 'feriado'
    group by p.data
),

marcados as (
    select
        d.data,
        {{ isodow('d.data') }} < 6 and f.data is null as eh_dia_util
    from dias as d
    left join feriados as f
        on d.data = f.data
),

final as (
    select
        -- datas
        m.data,
        min(case when m.eh_dia_util then m.data end) over (
            order by m.data
            rows between current row and unbounded following
        ) as proximo_dia_util,
        -- quantidades
        cast(sum(case when m.eh_dia_util then 1 else 0 end) over (
            order by m.data
            rows between unbounded preceding and current row
        ) as integer) as qtd_dias_uteis_ate,
        -- indicadores
        m.eh_dia_util
    from marcados as m
)

select * from final
