-- Grain: month, procedure (and all of them together) with cases enough to tell a share of them
-- (regra_divulgacao_parcelas). Indicators 39 and 40.
{% set grupos = ['aguardando', 'atendidas'] %}
with {{ disclosed_procedures() }},

limites as (
    select
        l.*,
        coalesce(p.procedimento_codigo, 'demais') as procedimento_divulgado
    from {{ ref('espera_limites_por_mes') }} as l
    left join procedimentos as p on l.procedimento_codigo = p.procedimento_codigo
    where {{ is_disclosed_month('l.competencia') }} and l.limite_dias is not null
),

somados as (
    {%- for procedimento in ['l.procedimento_divulgado', "'todos'"] %}
    select
        l.competencia,
        {{ procedimento }} as procedimento_codigo,
        -- A limit that is not the same for all is none of theirs together.
        case when min(l.limite_dias) = max(l.limite_dias) then min(l.limite_dias) end as limite_dias,
        {%- for grupo in grupos %}
        sum(l.qtd_{{ grupo }}) as qtd_{{ grupo }},
        sum(l.qtd_{{ grupo }}_no_limite) as qtd_{{ grupo }}_no_limite{{ ',' if not loop.last }}
        {%- endfor %}
    from limites as l
    group by {{ 'l.competencia, ' ~ procedimento if loop.first else 'l.competencia' }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

medidos as (
    select
        s.*,
        {%- for grupo in grupos %}
        {{ percentage('s.qtd_' ~ grupo ~ '_no_limite', 's.qtd_' ~ grupo) }} as pct_{{ grupo }},
        {{ share_step('s.qtd_' ~ grupo) }} as passo_{{ grupo }}{{ ',' if not loop.last }}
        {%- endfor %}
    from somados as s
),

comecados as (
    select
        m.*,
        {%- for grupo in grupos %}
        {{ share_begin('m.pct_' ~ grupo, 'm.passo_' ~ grupo) }}
            as pct_{{ grupo }}_no_limite_minimo{{ ',' if not loop.last }}
        {%- endfor %}
    from medidos as m
),

final as (
    select
        -- identificadores
        c.competencia,
        c.procedimento_codigo,
        -- parcelas
        cast(c.limite_dias as integer) as limite_dias,
        {%- for grupo in grupos %}
        c.pct_{{ grupo }}_no_limite_minimo,
        cast(c.pct_{{ grupo }}_no_limite_minimo + c.passo_{{ grupo }} as integer)
            as pct_{{ grupo }}_no_limite_maximo{{ ',' if not loop.last }}
        {%- endfor %}
    from comecados as c
    where c.passo_aguardando is not null or c.passo_atendidas is not null
)

select * from final
