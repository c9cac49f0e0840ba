-- Grain: month and procedure. Completed waits of the month beside the age of the queue at its end:
-- two different measures, never averaged together. Indicators 37, 38 and 45.
-- Rule regra_relogio_espera; percentiles of fewer than `minimo_percentil` cases are not shown.
with esperas as (
    select * from {{ ref('int_fila__esperas') }}
),

medidas as (
    select
        e.competencia,
        e.procedimento_codigo,
        case
            when
                e.situacao = 'atendido'
                and e.dias between 0 and {{ setting('dias_espera_maximo') }}
                then e.dias
        end as dias_espera,
        case when e.situacao = 'aguardando' then e.dias end as dias_em_fila,
        case
            when e.situacao = 'aguardando' and e.dias <= {{ setting('dias_espera_maximo') }}
                then e.dias
        end as dias_em_fila_plausivel,
        case
            when e.situacao = 'aguardando' and e.dias > {{ setting('dias_espera_maximo') }} then 1
            else 0
        end as qtd_acima_do_limite,
        case when e.situacao = 'atendido' and e.dias is null then 1 else 0 end as qtd_sem_data,
        case
            when
                e.situacao = 'atendido'
                and e.dias not between 0 and {{ setting('dias_espera_maximo') }}
                then 1
            else 0
        end as qtd_implausivel
    from esperas as e
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
