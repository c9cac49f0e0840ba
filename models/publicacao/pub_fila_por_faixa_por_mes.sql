-- Grain: month, band of days waited in which somebody waits, all procedures together
-- (regra_divulgacao_pessoas). Small counts are hidden when it is published. Indicators 24 and 42.
with faixas as (
    select * from {{ ref('fila_por_faixa_por_mes') }}
),

final as (
    select
        -- identificadores
        f.competencia,
        f.faixa_espera,
        -- quantidades
        cast(sum(f.qtd_aguardando) as bigint) as qtd_aguardando
    from faixas as f
    where {{ is_disclosed_month('f.competencia') }}
    group by f.competencia, f.faixa_espera
)

select * from final
