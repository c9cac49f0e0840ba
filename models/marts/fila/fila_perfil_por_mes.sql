-- Grain: month, dimension and class. Who waits at the end of the month. Rule regra_perfil_pessoa.
{% set dimensoes = {
    'sexo': 'sexo_codigo',
    'faixa_etaria': 'faixa_etaria',
    'raca_cor': 'raca_cor_codigo',
    'identidade': 'identidade',
} %}

with perfis as (
    select * from {{ ref('int_fila__perfis') }}
),

classes as (
    {%- for dimensao, coluna in dimensoes.items() %}
    select
        p.competencia,
        '{{ dimensao }}' as dimensao,
        p.{{ coluna }} as classe,
        p.contada_como
    from perfis as p
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        c.competencia,
        c.dimensao,
        c.classe,
        cast(count(*) as integer) as qtd_aguardando,
        cast(count(distinct c.contada_como) as integer) as qtd_pessoas_na_fila
    from classes as c
    group by c.competencia, c.dimensao, c.classe
)

select * from final
