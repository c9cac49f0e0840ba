-- Grain: month and procedure. Completed waits of the month beside the age of the queue at its end:
-- two different measures, never averaged together. Indicators 37, 38 and 45.
-- Rule regra_relogio_espera; percentiles of fewer than `minimo_percentil` cases are not shown.
with solicitacoes as (
    select * from {{ ref('int_fila__solicitacoes') }}
),

saidas as (
    select * from {{ ref('int_fila__saidas') }}
),

intervalos as (
    select * from {{ ref('int_fila__intervalos') }}
),

atendimentos as (
    select
        {{ competencia('s.momento_agendamento') }} as competencia,
        s.procedimento_codigo,
        {{ days_between('s.momento_solicitacao', 's.momento_agendamento') }} as dias_espera
    from saidas as f
    inner join solicitacoes as s on f.solicitacao_codigo = s.solicitacao_codigo
    where
        f.agendamento_desfecho = 'confirmada'
        and coalesce(s.vaga_consumida_tipo, '') <> '2'
),

esperas_por_fim_de_mes as (
    select
        s.procedimento_codigo,
        s.momento_solicitacao,
        {{ explode_months(
            competencia('i.data_inicio'),
            competencia('coalesce(' ~ add_days(competencia('i.data_fim'), -1) ~ ', ' ~ data_referencia() ~ ')')
        ) }} as competencia
    from intervalos as i
    inner join solicitacoes as s on i.solicitacao_codigo = s.solicitacao_codigo
    where i.estado = 'aguardando'
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
            when a.dias_espera between 0 and {{ var('dias_espera_maximo') }} then a.dias_espera
        end as dias_espera,
        cast(null as integer) as dias_em_fila,
        0 as qtd_aguardando,
        case
            when a.dias_espera between 0 and {{ var('dias_espera_maximo') }} then 0 else 1
        end as qtd_implausivel
    from atendimentos as a
    union all
    select
        f.competencia,
        f.procedimento_codigo,
        cast(null as integer) as dias_espera,
        case
            when f.dias_em_fila between 0 and {{ var('dias_espera_maximo') }} then f.dias_em_fila
        end as dias_em_fila,
        1 as qtd_aguardando,
        0 as qtd_implausivel
    from fila as f
),

final as (
    select
        m.competencia,
        m.procedimento_codigo,
        cast(count(m.dias_espera) as integer) as qtd_atendidas,
        case
            when count(m.dias_espera) >= {{ var('minimo_percentil') }}
                then cast(avg(m.dias_espera) as double)
        end as dias_espera_media,
        {%- for fracao, nome in [(0.5, 'p50'), (0.9, 'p90')] %}
        case
            when count(m.dias_espera) >= {{ var('minimo_percentil') }}
                then cast({{ percentile('m.dias_espera', fracao) }} as double)
        end as dias_espera_{{ nome }},
        {%- endfor %}
        cast(sum(m.qtd_aguardando) as integer) as qtd_aguardando,
        {%- for fracao, nome in [(0.5, 'p50'), (0.9, 'p90')] %}
        case
            when count(m.dias_em_fila) >= {{ var('minimo_percentil') }}
                then cast({{ percentile('m.dias_em_fila', fracao) }} as double)
        end as dias_em_fila_{{ nome }},
        {%- endfor %}
        case
            when count(m.dias_em_fila) >= {{ var('minimo_percentil') }} then max(m.dias_em_fila)
        end as dias_em_fila_max,
        cast(sum(m.qtd_implausivel) as integer) as qtd_esperas_implausiveis
    from medidas as m
    group by m.competencia, m.procedimento_codigo
)

select * from final
