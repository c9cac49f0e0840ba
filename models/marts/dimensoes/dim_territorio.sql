with territorio_areas as (
    select * from {{ ref('territorio_areas') }}
),

territorio_regioes as (
    select * from {{ ref('territorio_regioes') }}
),

final as (
    select
        a.area_numero,
        a.area_nome,
        a.area_ibge,
        a.regiao_saude_codigo,
        s.regiao_saude_nome,
        s.populacao as populacao_regiao_saude,
        s.populacao_ano
    from territorio_areas as a
    left join territorio_regioes as s
        on a.regiao_saude_codigo = s.regiao_saude_codigo
)

select * from final
