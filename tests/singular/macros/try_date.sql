-- Each source writes dates its own way; a layout that reads another's would swap day and month.
with casos as (
    select
        entrada,
        dmy,
        dmy_pontos,
        iso,
        compacta
    from (
        values
        ('31/12/2026', '2026-12-31', null, null, null),
        ('1/2/2026', '2026-02-01', null, null, null),
        ('31.12.2026', null, '2026-12-31', null, null),
        ('2026-12-31T23:59:59.000Z', null, null, '2026-12-31', null),
        ('2026-12-31', null, null, '2026-12-31', null),
        ('20261231', null, null, null, '2026-12-31'),
        ('20261231235959', null, null, null, '2026-12-31'),
        ('31/12/26', null, null, null, null),
        ('30/02/2026', null, null, null, null),
        ('31/12/2026 10:00', null, null, null, null),
        ('---', null, null, null, null),
        (cast(null as string), null, null, null, null)
    ) as t (entrada, dmy, dmy_pontos, iso, compacta)
),

obtidos as (
    select
        c.*,
        cast({{ try_date('c.entrada', 'dmy') }} as string) as dmy_obtida,
        cast({{ try_date('c.entrada', 'dmy_dots') }} as string) as dmy_pontos_obtida,
        cast({{ try_date('c.entrada') }} as string) as iso_obtida,
        cast({{ try_date('c.entrada', 'compact') }} as string) as compacta_obtida
    from casos as c
)

select * from obtidos
where
    dmy_obtida is distinct from dmy
    or dmy_pontos_obtida is distinct from dmy_pontos
    or iso_obtida is distinct from iso
    or compacta_obtida is distinct from compacta
