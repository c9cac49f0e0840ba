-- Day and month must not change places, and a year of two digits must not become a century.
with casos as (
    select
        entrada,
        esperado
    from (
        values
        ('10/03/2017 09:15:00', '2017-03-10 09:15:00'),
        (' 16/10/2017 18:00:59 ', '2017-10-16 18:00:59'),
        ('14/08/2017', '2017-08-14 00:00:00'),
        ('31/02/2017 10:00:00', null),
        ('13/13/2017', null),
        ('31/12/26', null),
        ('2017-03-10 09:15:00', null),
        ('ontem', null),
        (cast(null as string), null)
    ) as t (entrada, esperado)
),

obtidos as (
    select
        c.*,
        {{ local_timestamp_dmy('c.entrada') }} as obtido
    from casos as c
)

select * from obtidos
where obtido is distinct from cast(esperado as timestamp)
