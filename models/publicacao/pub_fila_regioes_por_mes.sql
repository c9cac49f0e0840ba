-- Grain: month, health region of residence. The queue of all procedures together
-- (regra_divulgacao_pessoas). Small counts are hidden when it is published.
-- Indicators 20, 25 and 26.
with fila as (
    select * from {{ ref('fila_por_mes') }}
),

somados as (
    select
        f.competencia,
        f.regiao_saude_codigo,
        {{ disclosed_queue() }}
    from fila as f
    where {{ is_disclosed_month('f.competencia') }}
    group by f.competencia, f.regiao_saude_codigo
),

final as (
    select
        -- identificadores
        s.competencia,
        s.regiao_saude_codigo,
        -- quantidades
        {%- for nome in disclosed_flows() %}
        cast(s.qtd_{{ nome }} as bigint) as qtd_{{ nome }},
        {%- endfor %}
        cast(s.qtd_aguardando as bigint) as qtd_aguardando
    from somados as s
)

select * from final
