-- Grain: month, procedure, health region of residence and risk, without gaps from the first
-- movement of the combination to the month of data_referencia. Indicators 20 to 23, 25, 26 and 57.
-- Rules regra_estoque_fila, regra_versao_vigente and regra_estados_solicitacao.
{% set estoques = queue_stocks() %}

with movimentos as (
    select * from {{ ref('int_fila__movimentos_por_mes') }}
),

combinacoes as (
    select
        m.procedimento_codigo,
        m.regiao_saude_codigo,
        m.risco_codigo,
        min(m.competencia) as primeira_competencia,
        {{ competencia(data_referencia()) }} as ultima_competencia
    from movimentos as m
    -- What came and went within the month without waiting leaves nothing to show.
    where {{ queue_moved('m') }}
    group by m.procedimento_codigo, m.regiao_saude_codigo, m.risco_codigo
),

grade as (
    select
        {{ explode_months('c.primeira_competencia', 'c.ultima_competencia') }} as competencia,
        c.procedimento_codigo,
        c.regiao_saude_codigo,
        c.risco_codigo
    from combinacoes as c
),

acumulados as (
    select
        g.competencia,
        g.procedimento_codigo,
        g.regiao_saude_codigo,
        g.risco_codigo,
        {%- for medida in queue_flows() %}
        coalesce(m.qtd_{{ medida }}, 0) as qtd_{{ medida }},
        {%- endfor %}
        {%- for estoque in estoques[:-1] %}
        sum(coalesce(m.saldo_{{ estoque }}, 0)) over (
            partition by g.procedimento_codigo, g.regiao_saude_codigo, g.risco_codigo
            order by g.competencia
            rows between unbounded preceding and current row
        ) as qtd_{{ estoque }},
        {%- endfor %}
        sum(coalesce(m.saldo_{{ estoques[-1] }}, 0)) over (
            partition by g.procedimento_codigo, g.regiao_saude_codigo, g.risco_codigo
            order by g.competencia
            rows between unbounded preceding and current row
        ) as qtd_{{ estoques[-1] }}
    from grade as g
    left join movimentos as m
        on
            g.competencia = m.competencia
            and g.procedimento_codigo = m.procedimento_codigo
            and g.regiao_saude_codigo = m.regiao_saude_codigo
            and g.risco_codigo = m.risco_codigo
),

final as (
    select
        a.competencia,
        a.procedimento_codigo,
        a.regiao_saude_codigo,
        a.risco_codigo,
        cast(
            lag(a.qtd_aguardando, 1, 0) over (
                partition by a.procedimento_codigo, a.regiao_saude_codigo, a.risco_codigo
                order by a.competencia
            ) as integer
        ) as qtd_estoque_inicial,
        {%- for medida in queue_flows() %}
        cast(a.qtd_{{ medida }} as integer) as qtd_{{ medida }},
        {%- endfor %}
        {%- for estoque in estoques[:-1] %}
        cast(a.qtd_{{ estoque }} as integer) as qtd_{{ estoque }},
        {%- endfor %}
        cast(a.qtd_{{ estoques[-1] }} as integer) as qtd_{{ estoques[-1] }}
    from acumulados as a
)

select * from final
