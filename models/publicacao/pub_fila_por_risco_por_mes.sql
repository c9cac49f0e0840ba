-- Grain: month, procedure, risk class in which somebody waits (regra_divulgacao_pessoas).
-- Small counts are hidden when it is published. Indicator 20.
with {{ disclosed_procedures() }},

fila as (
    select * from {{ ref('fila_por_mes') }}
),

final as (
    select
        -- identificadores
        f.competencia,
        coalesce(p.procedimento_codigo, 'demais') as procedimento_codigo,
        f.risco_codigo,
        -- quantidades
        cast(sum(f.qtd_aguardando) as bigint) as qtd_aguardando
    from fila as f
    left join procedimentos as p on f.procedimento_codigo = p.procedimento_codigo
    where {{ is_disclosed_month('f.competencia') }}
    group by
        f.competencia,
        coalesce(p.procedimento_codigo, 'demais'),
        f.risco_codigo
    having sum(f.qtd_aguardando) > 0
)

select * from final
