-- Grain: last of twelve months of entry, procedure and horizon, where the chance is known
-- (regra_divulgacao_parcelas). Indicator 44.
with {{ disclosed_procedures() }},

probabilidades as (
    select * from {{ ref('espera_probabilidade_por_mes') }}
),

medidas as (
    select
        c.*,
        {{ share_step('c.qtd_pedidos') }} as passo
    from probabilidades as c
    inner join procedimentos as p on c.procedimento_codigo = p.procedimento_codigo
    -- One month alone would be the difference between all and those that are told.
    where
        c.coorte_meses = 12
        and c.pct_pedidos_atendidos is not null
        and {{ is_disclosed_month('c.competencia') }}
),

-- Three shares of which each holds the one before: what lies between two of them is as uncertain as
-- each of them is, so that nothing is known of a few.
comecadas as (
    select
        m.*,
        {{ share_begin('m.pct_pedidos_atendidos', 'm.passo') }} as atendidos,
        {{ share_begin('m.pct_pedidos_atendidos + m.pct_pedidos_sem_confirmacao', 'm.passo') }}
            as com_agendamento,
        {{ share_begin('100 - m.pct_pedidos_em_aberto', 'm.passo') }} as encerrados
    from medidas as m
    where m.passo is not null
),

final as (
    select
        -- identificadores
        c.competencia,
        c.procedimento_codigo,
        c.horizonte_dias,
        -- parcelas
        c.atendidos as pct_pedidos_atendidos_minimo,
        cast(c.com_agendamento + c.passo as integer) as pct_pedidos_atendidos_maximo,
        cast(100 - c.encerrados - c.passo as integer) as pct_pedidos_em_aberto_minimo,
        cast(100 - c.encerrados as integer) as pct_pedidos_em_aberto_maximo
    from comecadas as c
)

select * from final
