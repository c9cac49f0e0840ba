-- A rule that accepts a wrong number joins two persons. All numbers are synthetic, of low serials.
with casos as (
    select
        entrada,
        cpf_valido,
        cns_valido
    from (
        values
        ('00000000191', true, false),
        ('00000000272', true, false),
        ('00000003530', true, false),
        ('00000010154', true, false),
        ('00000000192', false, false),
        ('11111111111', false, false),
        ('01234567890', false, false),
        ('191', false, false),
        ('0000000019a', false, false),
        ('100000000010002', false, true),
        ('100000000170018', false, true),
        ('200000000050000', false, true),
        ('700000000000102', false, true),
        ('898000000000118', false, true),
        ('900000000000105', false, true),
        ('100000000010003', false, false),
        ('700000000000103', false, false),
        ('000000000000000', false, false),
        ('300000000000000', false, false),
        ('', false, false),
        (cast(null as string), null, null)
    ) as t (entrada, cpf_valido, cns_valido)
),

obtidos as (
    select
        c.*,
        {{ cpf_is_valid('c.entrada') }} as cpf_obtido,
        {{ cns_is_valid('c.entrada') }} as cns_obtido
    from casos as c
)

select * from obtidos
where
    cpf_obtido is distinct from cpf_valido
    or cns_obtido is distinct from cns_valido
