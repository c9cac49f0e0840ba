with procedimentos as (
    select * from {{ ref('dim_procedimentos') }}
),

final as (
    select
        p.procedimento_codigo,
        p.procedimento_nome,
        p.grupo_codigo,
        p.grupo_nome,
        p.sigtap_codigo,
        p.eh_grupo
    from procedimentos as p
)

select * from final
