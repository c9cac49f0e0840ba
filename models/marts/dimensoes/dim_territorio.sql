with territorio_areas as (
    select * from {{ ref('territorio_areas') }}
),

territorio_regioes as (
    select * from {{ ref('territorio_regioes') }}
),

territorio_mosaico as (
    select * from {{ ref('territorio_mosaico') }}
),

final as (
    select
        a.area_numero,
        a.area_nome,
        a.area_ibge,
        a.regiao_saude_codigo,
        s.regiao_saude_nome,
        s.populacao as populacao_regiao_saude,
        s.populacao_ano,
        m.linha as mosaico_linha,
        m.coluna as mosaico_coluna
    from territorio_areas as a
    left join territorio_regioes as s
        on a.regiao_saude_codigo = s.regiao_saude_codigo
    left join territorio_mosaico as m
        on a.area_numero = m.area_numero
)

select * from final
