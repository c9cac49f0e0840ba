-- Weekdays, whole days, months and rounding: the expansion of the offer and every wait use them.
with casos as (
    select
        cast(inicio as date) as inicio,
        cast(fim as date) as fim,
        dia_semana,
        dias,
        semanais
    from (
        values
        ('2026-03-02', '2026-03-02', 1, 0, 1),
        ('2026-03-08', '2026-03-15', 7, 7, 2),
        ('2026-02-28', '2026-03-06', 6, 6, 1),
        ('2024-02-28', '2024-03-13', 3, 14, 3),
        ('2026-03-10', '2026-03-09', 2, -1, 0)
    ) as t (inicio, fim, dia_semana, dias, semanais)
),

expandidos as (
    select
        c.inicio,
        c.fim,
        {{ explode_days('c.inicio', 'c.fim', 7) }} as data
    from casos as c
),

contagens as (
    select
        e.inicio,
        e.fim,
        count(*) as qtd_datas
    from expandidos as e
    where e.data between e.inicio and e.fim and {{ isodow('e.data') }} = {{ isodow('e.inicio') }}
    group by
        e.inicio,
        e.fim
),

meses as (
    select
        {{ explode_months("cast('2025-11-01' as date)", "cast('2026-02-01' as date)") }} as mes
),

falhas as (
    select 'datas' as falha
    from casos as c
    left join contagens as q
        on c.inicio = q.inicio and c.fim = q.fim
    where
        {{ isodow('c.inicio') }} <> c.dia_semana
        or {{ days_between('c.inicio', 'c.fim') }} <> c.dias
        or {{ add_days('c.inicio', 'c.dias') }} <> c.fim
        or coalesce(q.qtd_datas, 0) <> c.semanais

    union all

    select 'meses' as falha
    from meses as m
    having
        count(*) <> 4
        or min(m.mes) <> cast('2025-11-01' as date)
        or max(m.mes) <> cast('2026-02-01' as date)

    union all

    select 'inteiros' as falha
    where
        {{ ceil_div('10 * 100', '240') }} <> 5
        or {{ ceil_div('0', '240') }} <> 0
        or {{ ceil_div('480', '240') }} <> 2
        or {{ int_div('7', '2') }} <> 3
        or {{ minute_text('485') }} <> '08:05'
        or {{ competencia("cast('2026-03-31' as date)") }} <> cast('2026-03-01' as date)
        or {{ add_months("cast('2026-03-01' as date)", -1) }} <> cast('2026-02-01' as date)
        or {{ add_months("cast('2025-11-01' as date)", 3) }} <> cast('2026-02-01' as date)
        or {{ last_day_of_month("cast('2024-02-01' as date)") }} <> cast('2024-02-29' as date)
        or {{ last_day_of_month("cast('2026-12-01' as date)") }} <> cast('2026-12-31' as date)
        or {{ weekday_number("'DOM'") }} <> 7
        or {{ weekday_code('1') }} <> 'SEG'
)

select * from falhas
