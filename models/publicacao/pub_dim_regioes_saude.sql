with regioes as (
    select * from {{ ref('territorio_regioes') }}
),

final as (
    select
        r.regiao_saude_codigo,
        r.regiao_saude_nome,
        r.populacao as populacao_regiao_saude,
        r.populacao_ano
    from regioes as r
)

select * from final
