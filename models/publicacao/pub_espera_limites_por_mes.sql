-- Grain: month, procedure (and all of them together) with a limit. Shares are exact here; they are
-- told between two whole percents when it is published (regra_divulgacao_parcelas).
-- Indicators 39 and 40.
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
        {%- for grupo in grupos %}
        {{ percentage('sum(l.qtd_' ~ grupo ~ '_no_limite)', 'sum(l.qtd_' ~ grupo ~ ')') }}
            as pct_{{ grupo }}_no_limite,
        {%- endfor %}
        -- A limit that is not the same for all is none of theirs together.
        case when min(l.limite_dias) = max(l.limite_dias) then min(l.limite_dias) end
            as limite_dias
    from limites as l
    group by {{ 'l.competencia, ' ~ procedimento if loop.first else 'l.competencia' }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        -- identificadores
        s.competencia,
        s.procedimento_codigo,
        -- parcelas
        cast(s.limite_dias as integer) as limite_dias,
        {%- for grupo in grupos %}
        s.pct_{{ grupo }}_no_limite as pct_{{ grupo }}_no_limite_minimo,
        s.pct_{{ grupo }}_no_limite as pct_{{ grupo }}_no_limite_maximo
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from somados as s
)

select * from final
