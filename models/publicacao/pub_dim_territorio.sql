with territorio as (
    select * from {{ ref('dim_territorio') }}
),

final as (
    select
        t.area_numero,
        t.area_nome,
        t.area_ibge,
        t.regiao_saude_codigo,
        t.mosaico_linha,
        t.mosaico_coluna
    from territorio as t
)

select * from final
