-- Grain: procedure. Those that have or lost an offer, and their groups
-- (regra_divulgacao_procedimentos).
with procedimentos as (
    select * from {{ ref('dim_procedimentos') }}
),

oferta as (
    select o.procedimento_codigo from {{ ref('oferta_por_dia') }} as o

    union

    select d.procedimento_codigo from {{ ref('int_oferta__diario_vagas') }} as d
),

publicaveis as (
    select
        p.procedimento_codigo,
        p.grupo_codigo
    from procedimentos as p
    where p.procedimento_codigo in (select o.procedimento_codigo from oferta as o)
),

codigos as (
    select p.procedimento_codigo as codigo
    from publicaveis as p

    union

    select p.grupo_codigo as codigo
    from publicaveis as p
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
    inner join codigos as c
        on p.procedimento_codigo = c.codigo
)

select * from final
