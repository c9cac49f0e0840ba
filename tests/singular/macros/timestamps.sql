-- The false Z is cut and never converted; the cancellation, shifted twice by the source, gets its
-- offset back once, in and out of daylight saving. Two cases are the published ones.
with casos as (
    select
        entrada,
        local_esperado,
        cancelamento_esperado
    from (
        values
        ('2026-06-03T13:21:36.962Z', '2026-06-03 13:21:36.962', '2026-06-03 16:21:36.962'),
        ('2017-11-15T08:27:40.307Z', '2017-11-15 08:27:40.307', '2017-11-15 10:27:40.307'),
        ('2018-11-04T02:59:59Z', '2018-11-04 02:59:59', '2018-11-04 05:59:59'),
        ('2018-11-04T03:00:00Z', '2018-11-04 03:00:00', '2018-11-04 05:00:00'),
        ('2019-02-17T01:59:59Z', '2019-02-17 01:59:59', '2019-02-17 03:59:59'),
        ('2019-02-17T02:00:00Z', '2019-02-17 02:00:00', '2019-02-17 05:00:00'),
        ('2026-12-31T23:30:00.000Z', '2026-12-31 23:30:00', '2027-01-01 02:30:00'),
        ('2026-06-03', '2026-06-03 00:00:00', '2026-06-03 03:00:00'),
        ('31/12/26', null, null),
        ('ontem', null, null),
        (cast(null as string), null, null)
    ) as t (entrada, local_esperado, cancelamento_esperado)
),

obtidos as (
    select
        c.*,
        {{ local_timestamp('c.entrada') }} as local_obtido,
        {{ cancellation_timestamp('c.entrada') }} as cancelamento_obtido
    from casos as c
)

select * from obtidos
where
    local_obtido is distinct from cast(local_esperado as timestamp)
    or cancelamento_obtido is distinct from cast(cancelamento_esperado as timestamp)
