with dicionario as (
    select * from {{ ref('dicionario_codigos') }}
),

final as (
    select
        d.coluna,
        d.codigo,
        d.rotulo,
        d.descricao
    from dicionario as d
)

select * from final
