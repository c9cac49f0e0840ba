-- Grain: month, procedure, health region of residence and risk, without gaps from the first entry
-- of the combination to the month of data_referencia. Indicators 20 to 23, 25, 26 and 57.
-- Rules regra_estoque_fila and regra_estados_solicitacao.
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
    where m.qtd_entradas > 0
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
        {%- for coluna in [
            'qtd_entradas',
            'qtd_agendamentos',
            'qtd_devolucoes',
            'qtd_reenvios',
            'qtd_cancelamentos',
            'qtd_negativas'
        ] %}
        coalesce(m.{{ coluna }}, 0) as {{ coluna }},
        {%- endfor %}
        {%- for coluna in [
            'aguardando', 'agendadas', 'devolvidas', 'pessoas_aguardando', 'aguardando_obito_sem_data'
        ] %}
        sum(coalesce(m.saldo_{{ coluna }}, 0)) over (
            partition by g.procedimento_codigo, g.regiao_saude_codigo, g.risco_codigo
            order by g.competencia
            rows between unbounded preceding and current row
        ) as qtd_{{ coluna }},
        {%- endfor %}
        sum(coalesce(m.saldo_aguardando_obito, 0)) over (
            partition by g.procedimento_codigo, g.regiao_saude_codigo, g.risco_codigo
            order by g.competencia
            rows between unbounded preceding and current row
        ) as qtd_aguardando_obito
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
        cast(a.qtd_entradas as integer) as qtd_entradas,
        cast(a.qtd_agendamentos as integer) as qtd_agendamentos,
        cast(a.qtd_devolucoes as integer) as qtd_devolucoes,
        cast(a.qtd_reenvios as integer) as qtd_reenvios,
        cast(a.qtd_cancelamentos as integer) as qtd_cancelamentos,
        cast(a.qtd_negativas as integer) as qtd_negativas,
        cast(a.qtd_aguardando as integer) as qtd_aguardando,
        cast(a.qtd_agendadas as integer) as qtd_agendadas,
        cast(a.qtd_devolvidas as integer) as qtd_devolvidas,
        cast(a.qtd_pessoas_aguardando as integer) as qtd_pessoas_aguardando,
        cast(a.qtd_aguardando_obito as integer) as qtd_aguardando_obito,
        cast(a.qtd_aguardando_obito_sem_data as integer) as qtd_aguardando_obito_sem_data
    from acumulados as a
)

select * from final
