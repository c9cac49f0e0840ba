-- Grain: last of twelve months of entry, procedure and horizon. The chance is exact here, and told
-- between two whole percents when it is published (regra_divulgacao_parcelas).
-- Indicator 44.
with {{ disclosed_procedures() }},

probabilidades as (
    select * from {{ ref('espera_probabilidade_por_mes') }}
),

final as (
    select
        -- identificadores
        c.competencia,
        c.procedimento_codigo,
        c.horizonte_dias,
        -- parcelas
        c.pct_pedidos_atendidos as pct_pedidos_atendidos_minimo,
        c.pct_pedidos_atendidos + c.pct_pedidos_sem_confirmacao as pct_pedidos_atendidos_maximo,
        100 - c.pct_pedidos_em_aberto as pct_pedidos_encerrados_minimo,
        100 - c.pct_pedidos_em_aberto as pct_pedidos_encerrados_maximo
    from probabilidades as c
    inner join procedimentos as p on c.procedimento_codigo = p.procedimento_codigo
    -- One month alone would be of few.
    where
        c.coorte_meses = 12
        and {{ is_disclosed_month('c.competencia') }}
)

select * from final
