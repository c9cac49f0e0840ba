-- Grain: kind of evidence that a warehouse can show. What is dated after the reference day is not
-- there yet. Of what the project itself is made of only today is known, never since when; where
-- nothing says how many are enough, there is evidence and no fulfilment.
{% set contagens = project_counts() %}

with cargas as (
    select * from {{ ref('int_calendario__cargas') }}
),

conhecidas as (
    select
        c.fonte,
        c.entidade,
        c.visto_em
    from cargas as c
    where c.visto_em <= {{ data_referencia() }}
),

-- a file of persons is no answer of the service
medidas as (
    select
        'carga_cadsus' as evidencia_tipo,
        false as eh_feita_no_banco,
        count(*) as qtd_encontradas,
        cast(null as bigint) as qtd_esperadas,
        min(c.visto_em) as data_evidencia
    from conhecidas as c
    where c.fonte = 'cadsus' and c.entidade = 'pdq'
    union all
    select
        'carga_oferta_api' as evidencia_tipo,
        false as eh_feita_no_banco,
        count(*) as qtd_encontradas,
        cast(null as bigint) as qtd_esperadas,
        min(c.visto_em) as data_evidencia
    from conhecidas as c
    where c.fonte = 'oferta_api'
    {% for tipo, (encontradas, esperadas) in contagens.items() %}
    union all
    select
        '{{ tipo }}' as evidencia_tipo,
        {{ 'false' if esperadas is none else 'true' }} as eh_feita_no_banco,
        {{ encontradas }} as qtd_encontradas,
        cast({{ 'null' if esperadas is none else esperadas }} as bigint) as qtd_esperadas,
        {% if esperadas and encontradas >= esperadas %}
        {{ data_referencia() }} as data_evidencia
        {% else %}
        cast(null as date) as data_evidencia
        {% endif %}
    {% endfor %}
),

final as (
    select
        -- categorias
        m.evidencia_tipo,
        -- quantidades
        m.qtd_encontradas,
        m.qtd_esperadas,
        -- datas
        m.data_evidencia,
        -- indicadores
        m.eh_feita_no_banco
    from medidas as m
)

select * from final
