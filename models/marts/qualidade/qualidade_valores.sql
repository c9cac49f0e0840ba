-- Grain: raw table, column, reason. Rows of all versions known, however often they came.
with valores as (
    select * from {{ ref('int_qualidade__valores') }}
),

final as (
    select
        -- identificadores
        v.tabela,
        v.coluna,
        -- categorias
        v.motivo,
        -- quantidades
        count(*) as qtd_linhas,
        -- datas
        max(v.visto_em) as data_mais_recente
    from valores as v
    group by v.tabela, v.coluna, v.motivo
)

select * from final
