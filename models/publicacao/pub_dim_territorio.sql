with territorio as (
    select * from {{ ref('dim_territorio') }}
),

final as (
    select
        t.regiao_administrativa_numero,
        t.regiao_administrativa_nome,
        t.subdistrito_ibge,
        t.regiao_saude_codigo,
        t.regiao_saude_nome,
        t.populacao_regiao_saude,
        t.populacao_ano
    from territorio as t
)

select * from final
