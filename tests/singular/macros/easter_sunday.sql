-- An Easter computed wrong moves Good Friday and unblocks a day on which nobody attends: known years,
-- among them the earliest and latest Easters and those that need the two exceptions of the moon.
with casos as (
    select
        ano,
        cast(esperado as date) as esperado
    from (
        values
        (1818, '1818-03-22'),
        (1900, '1900-04-15'),
        (1913, '1913-03-23'),
        (1943, '1943-04-25'),
        (1954, '1954-04-18'),
        (1981, '1981-04-19'),
        (2000, '2000-04-23'),
        (2008, '2008-03-23'),
        (2024, '2024-03-31'),
        (2025, '2025-04-20'),
        (2026, '2026-04-05'),
        (2038, '2038-04-25'),
        (2049, '2049-04-18'),
        (2076, '2076-04-19'),
        (2100, '2100-03-28')
    ) as t (ano, esperado)
),

obtidos as (
    select
        c.ano,
        c.esperado,
        {{ easter_sunday('c.ano') }} as obtido
    from casos as c
)

select * from obtidos
where obtido is distinct from esperado
