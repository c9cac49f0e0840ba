-- A time read wrong moves a block of slots: both formats, both ends of the day, and what is no time.
with casos as (
    select
        entrada,
        esperado
    from (
        values
        ('08:00', 480),
        ('8:05', 485),
        ('11:30:00', 690),
        (' 23:59 ', 1439),
        ('00:00', 0),
        ('24:00', 1440),
        ('24:01', null),
        ('8h30', null),
        ('12:60', null),
        ('---', null),
        ('', null),
        (cast(null as string), null)
    ) as t (entrada, esperado)
),

obtidos as (
    select
        c.entrada,
        c.esperado,
        {{ try_time_minutes('c.entrada') }} as obtido
    from casos as c
)

select * from obtidos
where obtido is distinct from esperado
