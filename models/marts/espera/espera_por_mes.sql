-- Grain: month and procedure. Completed waits of the month beside the age of the queue at its end:
-- two different measures, never averaged together. Indicators 37, 38 and 45.
-- Rule regra_relogio_espera; percentiles of fewer than `minimo_percentil` cases are not shown.
with agendamentos as (
    select * from {{ ref('int_fila__agendamentos') }}
),

solicitacoes as (
    select * from {{ ref('int_fila__solicitacoes') }}
),

atributos as (
    select * from {{ ref('int_fila__atributos') }}
),

estadias as (
    select * from {{ ref('int_fila__estadias') }}
),

atendimentos as (
    select
        {{ competencia('g.momento_agendamento') }} as competencia,
        a.procedimento_codigo,
        {{ days_between('g.momento_solicitacao', 'g.momento_agendamento') }} as dias_espera
    from agendamentos as g
    inner join atributos as a
        on
            g.solicitacao_codigo = a.solicitacao_codigo
            -- The version in force at the end of the day of the appointment.
            and coalesce(cast(a.vale_de as date) <= cast(g.momento_agendamento as date), true)
            and coalesce(cast(a.vale_ate as date) > cast(g.momento_agendamento as date), true)
    where
        g.agendamento_desfecho = 'confirmada'
        and coalesce(g.vaga_consumida_tipo, '') <> '2'
),

esperas_por_fim_de_mes as (
    select
        e.procedimento_codigo,
        s.momento_solicitacao,
        {{ explode_months(
            competencia('e.data_inicio'),
            competencia('coalesce(' ~ add_days(competencia('e.data_fim'), -1) ~ ', ' ~ data_referencia() ~ ')')
        ) }} as competencia
    from estadias as e
    inner join solicitacoes as s on e.solicitacao_codigo = s.solicitacao_codigo
    where e.estado = 'aguardando'
),

fila as (
    select
        e.competencia,
        e.procedimento_codigo,
        {{ days_between(
            'e.momento_solicitacao',
            'least(' ~ dbt.last_day('e.competencia', 'month') ~ ', ' ~ data_referencia() ~ ')'
        ) }} as dias_em_fila
    from esperas_por_fim_de_mes as e
),

medidas as (
    select
        a.competencia,
        a.procedimento_codigo,
        case
            when a.dias_espera between 0 and {{ setting('dias_espera_maximo') }} then a.dias_espera
        end as dias_espera,
        cast(null as integer) as dias_em_fila,
        cast(null as integer) as dias_em_fila_plausivel,
        0 as qtd_acima_do_limite,
        case when a.dias_espera is null then 1 else 0 end as qtd_sem_data,
        case
            when a.dias_espera not between 0 and {{ setting('dias_espera_maximo') }} then 1 else 0
        end as qtd_implausivel
    from atendimentos as a
    union all
    select
        f.competencia,
        f.procedimento_codigo,
        cast(null as integer) as dias_espera,
        f.dias_em_fila,
        case
            when f.dias_em_fila <= {{ setting('dias_espera_maximo') }} then f.dias_em_fila
        end as dias_em_fila_plausivel,
        case when f.dias_em_fila > {{ setting('dias_espera_maximo') }} then 1 else 0 end
            as qtd_acima_do_limite,
        0 as qtd_sem_data,
        0 as qtd_implausivel
    from fila as f
),

final as (
    select
        m.competencia,
        m.procedimento_codigo,
        cast(count(m.dias_espera) as integer) as qtd_atendidas,
        case
            when count(m.dias_espera) >= {{ setting('minimo_percentil') }}
                then cast(avg(m.dias_espera) as double)
        end as dias_espera_media,
        {%- for fracao, nome in [(0.5, 'p50'), (0.9, 'p90')] %}
        case
            when count(m.dias_espera) >= {{ setting('minimo_percentil') }}
                then cast({{ percentile('m.dias_espera', fracao) }} as double)
        end as dias_espera_{{ nome }},
        {%- endfor %}
        cast(count(m.dias_em_fila) as integer) as qtd_aguardando,
        cast(sum(m.qtd_acima_do_limite) as integer) as qtd_aguardando_acima_do_limite,
        {%- for fracao, nome in [(0.5, 'p50'), (0.9, 'p90')] %}
        case
            when count(m.dias_em_fila_plausivel) >= {{ setting('minimo_percentil') }}
                then cast({{ percentile('m.dias_em_fila_plausivel', fracao) }} as double)
        end as dias_em_fila_{{ nome }},
        {%- endfor %}
        case
            when count(m.dias_em_fila) >= {{ setting('minimo_percentil') }} then max(m.dias_em_fila)
        end as dias_em_fila_max,
        cast(sum(m.qtd_sem_data) as integer) as qtd_atendidas_sem_data,
        cast(sum(m.qtd_implausivel) as integer) as qtd_esperas_implausiveis
    from medidas as m
    group by m.competencia, m.procedimento_codigo
)

select * from final
