-- Grain: month, dimension and class. Who waits at the end of the month. Rule regra_perfil_pessoa.
{% set dimensoes = {
    'sexo': 'sexo_codigo',
    'faixa_etaria': 'faixa_etaria',
    'raca_cor': 'raca_cor_codigo',
    'identidade': 'identidade',
} %}

with contagens as (
    {%- for dimensao, coluna in dimensoes.items() %}
    select
        p.competencia,
        '{{ dimensao }}' as dimensao,
        p.{{ coluna }} as classe,
        count(*) as qtd_aguardando,
        count(distinct p.contada_como) as qtd_pessoas_na_fila
    from {{ ref('int_fila__perfis') }} as p
    group by p.competencia, p.{{ coluna }}
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
        cast(c.qtd_aguardando as integer) as qtd_aguardando,
        cast(c.qtd_pessoas_na_fila as integer) as qtd_pessoas_na_fila
    from contagens as c
)

select * from final
