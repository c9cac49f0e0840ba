with estabelecimentos as (
    select * from {{ ref('dim_estabelecimentos') }}
),

final as (
    select
        e.unidade_cnes,
        e.unidade_nome,
        e.tipo_codigo,
        e.area_numero,
        e.regiao_saude_codigo,
        e.territorio_evidencia,
        e.eh_executante,
        e.eh_solicitante,
        e.tem_cadastro_cnes
    from estabelecimentos as e
)

select * from final
