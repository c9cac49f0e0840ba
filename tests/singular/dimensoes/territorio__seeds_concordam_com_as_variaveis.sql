-- A territory whose seeds and variables speak of different places reads its own residents as
-- strangers, or the residents of the whole state as its own.
with municipios as (
    select * from {{ ref('territorio_municipios') }}
),

regioes as (
    select * from {{ ref('territorio_regioes') }}
),

faltas as (
    select
        'municipio' as falta,
        count(*) as qtd,
        1 as devida
    from municipios as m
    where
        m.municipio_ibge6 = '{{ setting('municipio_ibge6') }}'
        and m.uf_sigla = '{{ setting('uf_sigla') }}'
    union all
    select
        'outro municipio na uf inteira' as falta,
        count(*) as qtd,
        0 as devida
    from municipios as m
    where
        {{ setting('uf_inteira') }}
        and m.uf_sigla = '{{ setting('uf_sigla') }}'
        and m.municipio_ibge6 <> '{{ setting('municipio_ibge6') }}'
    union all
    select
        'classe sem regiao' as falta,
        count(*) as qtd,
        2 as devida
    from regioes as r
    where r.regiao_saude_codigo in ('nao_identificada', 'fora_do_territorio')
)

select * from faltas
where qtd <> devida
