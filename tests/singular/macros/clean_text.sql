-- Spellings of nothing, lost zeros, flags after pandas and names without accents: the joins of every
-- later layer stand on these.
with casos as (
    select
        entrada,
        nulo,
        codigo,
        cpf,
        marca,
        inteiro,
        normalizado
    from (
        values
        ('---', null, null, null, null, null, null),
        ('-', null, null, null, null, null, null),
        ('', null, null, null, null, null, null),
        (' NaN ', null, null, null, null, null, 'NAN'),
        ('None', null, null, null, null, null, 'NONE'),
        ('n/a', null, null, null, null, null, 'N A'),
        ('NaT', null, null, null, null, null, 'NAT'),
        ('10456', '10456', '0010456', '10456', null, 10456, '10456'),
        (' 0010456 ', '0010456', '0010456', '0010456', null, 10456, '0010456'),
        ('12345678', '12345678', '12345678', '12345678', null, 12345678, '12345678'),
        ('000000272', '000000272', '000000272', '00000000272', null, 272, '000000272'),
        ('32C164', '32C164', '32C164', '32C164', null, null, '32C164'),
        ('1.0', '1.0', '1.0', '1.0', true, 1, '1 0'),
        ('0', '0', '0000000', '0', false, 0, '0'),
        ('0.0', '0.0', '0.0', '0.0', false, 0, '0 0'),
        ('SIM', 'SIM', 'SIM', 'SIM', true, null, 'SIM'),
        ('não', 'não', 'não', 'não', false, null, 'NAO'),
        ('2.5', '2.5', '2.5', '2.5', null, null, '2 5'),
        ('-3', '-3', '-3', '-3', null, -3, '3'),
        ('99999999999', '99999999999', '99999999999', '99999999999', null, null, '99999999999'),
        (
            ' São João  d''Aliança ', 'São João  d''Aliança', 'São João  d''Aliança',
            'São João  d''Aliança', null, null, 'SAO JOAO D ALIANCA'
        ),
        (cast(null as string), null, null, null, null, null, null)
    ) as t (entrada, nulo, codigo, cpf, marca, inteiro, normalizado)
),

obtidos as (
    select
        c.*,
        {{ null_if_blank('c.entrada') }} as nulo_obtido,
        {{ pad_code('c.entrada', 7) }} as codigo_obtido,
        {{ pad_code('c.entrada', 11, min_digits=9) }} as cpf_obtido,
        {{ flag('c.entrada') }} as marca_obtida,
        {{ try_integer('c.entrada') }} as inteiro_obtido,
        {{ normalize_text('c.entrada') }} as normalizado_obtido
    from casos as c
)

select * from obtidos
where
    nulo_obtido is distinct from nulo
    or codigo_obtido is distinct from codigo
    or cpf_obtido is distinct from cpf
    or marca_obtida is distinct from marca
    or inteiro_obtido is distinct from inteiro
    or normalizado_obtido is distinct from normalizado
