-- Grain: month of the end of the stage, procedure and stage. How long each stage of a wait took.
-- Indicator 43. Rule regra_etapas_espera; few cases show no percentile.
with decisoes as (
    select * from {{ ref('int_fila__decisoes') }}
),

agendamentos as (
    select * from {{ ref('int_fila__agendamentos') }}
),

etapas as (
    select
        'ate_a_decisao' as etapa,
        d.data_decisao as data_fim,
        d.procedimento_codigo,
        {{ days_between('d.data_solicitacao', 'd.data_decisao') }} as dias
    from decisoes as d
    union all
    -- Where the booking itself was the decision, nothing lies between them.
    select
        'da_decisao_ao_agendamento' as etapa,
        d.data_agendamento as data_fim,
        d.agendamento_procedimento_codigo as procedimento_codigo,
        {{ days_between('d.data_decisao', 'd.data_agendamento') }} as dias
    from decisoes as d
    where d.decisao <> 'agendada' and d.data_agendamento is not null
    union all
    select
        'do_agendamento_ao_atendimento' as etapa,
        cast(a.momento_agendamento as date) as data_fim,
        a.procedimento_codigo,
        {{ days_between('a.momento_agendada', 'a.momento_agendamento') }} as dias
    from agendamentos as a
    where a.agendamento_desfecho in ('confirmada', 'falta', 'sem_confirmacao')
),

medidas as (
    select
        {{ competencia('e.data_fim') }} as competencia,
        e.procedimento_codigo,
        e.etapa,
        case when e.dias between 0 and {{ setting('dias_espera_maximo') }} then e.dias end as dias
    from etapas as e
),

final as (
    select
        m.competencia,
        m.procedimento_codigo,
        m.etapa,
        cast(count(m.dias) as integer) as qtd_etapas,
        {%- for fracao, nome in [(0.5, 'p50'), (0.9, 'p90')] %}
        case
            when count(m.dias) >= {{ setting('minimo_percentil') }}
                then cast({{ percentile('m.dias', fracao) }} as double)
        end as dias_etapa_{{ nome }},
        {%- endfor %}
        cast(count(*) - count(m.dias) as integer) as qtd_etapas_implausiveis
    from medidas as m
    group by m.competencia, m.procedimento_codigo, m.etapa
)

select * from final
