-- Grain: subject, evidence. Every request and every unit is counted once, by how its region is
-- known or why it is not.
with solicitacoes as (
    select * from {{ ref('int_fila__solicitacoes') }}
),

estabelecimentos as (
    select * from {{ ref('dim_estabelecimentos') }}
),

lugares as (
    select
        'residencia' as assunto,
        s.territorio_evidencia,
        s.area_numero
    from solicitacoes as s
    union all
    select
        'unidade' as assunto,
        e.territorio_evidencia,
        e.area_numero
    from estabelecimentos as e
),

final as (
    select
        -- categorias
        l.assunto,
        l.territorio_evidencia,
        -- quantidades
        count(*) as qtd,
        count(l.area_numero) as qtd_com_area
    from lugares as l
    group by l.assunto, l.territorio_evidencia
)

select * from final
