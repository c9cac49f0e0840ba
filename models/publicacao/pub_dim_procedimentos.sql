-- Grain: procedure. Those with an offer or asked for by enough people, and their groups
-- (regra_divulgacao_procedimentos).
with procedimentos as (
    select * from {{ ref('dim_procedimentos') }}
),

oferta as (
    select * from {{ ref('oferta_por_dia') }}
),

solicitacoes as (
    select * from {{ ref('int_fila__solicitacoes') }}
),

com_oferta as (
    select o.procedimento_codigo
    from oferta as o
    group by o.procedimento_codigo
),

com_pessoas as (
    select s.procedimento_codigo
    from solicitacoes as s
    group by s.procedimento_codigo
    having count(distinct s.pessoa_id) >= {{ setting('minimo_pessoas') }}
),

publicaveis as (
    select
        p.procedimento_codigo,
        p.grupo_codigo
    from procedimentos as p
    left join com_oferta as o
        on p.procedimento_codigo = o.procedimento_codigo
    left join com_pessoas as s
        on p.procedimento_codigo = s.procedimento_codigo
    where o.procedimento_codigo is not null or s.procedimento_codigo is not null
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
