{# Counts of people that leave the house: rule regra_divulgacao_pessoas. #}

{# Whether a month is over for good and within the months that are published. #}
{% macro is_disclosed_month(month) -%}
    {{ add_days(add_months(month, 1), setting('dias_para_fechar') | int - 1) }} <= {{ data_referencia() }}
    and {{ month }} >= {{ add_months(competencia(data_referencia()), -(setting('meses_divulgados') | int)) }}
{%- endmacro %}

{# CTE `procedimentos`: what may be told of by itself. All others are told of together (`demais`). #}
{% macro disclosed_procedures() -%}
procedimentos as (
    select p.procedimento_codigo
    from {{ ref('pub_dim_procedimentos') }} as p
    where
        not exists (
            select 1
            from {{ ref('procedimentos_sensiveis') }} as s
            where
                p.sigtap_codigo like s.codigo_prefixo || '%'
                or p.procedimento_codigo like s.codigo_prefixo || '%'
        )
)
{%- endmacro %}

{# Flows of `fila_por_mes` that are told together, because each by itself is of very few. #}
{% macro disclosed_flows() -%}
    {{ return({
        'entradas': ['entradas'],
        'voltas': ['reenvios', 'reaberturas', 'reaparecimentos', 'reclassificadas_entrada'],
        'agendamentos': ['agendamentos'],
        'saidas_sem_agendamento': [
            'devolucoes', 'cancelamentos', 'negativas', 'desaparecimentos', 'outras_saidas',
            'reclassificadas_saida',
        ],
    }) }}
{%- endmacro %}

{# Sums of the flows and of who waits at the end, from rows `f` of `fila_por_mes`. #}
{% macro disclosed_queue() -%}
    {%- for nome, parcelas in disclosed_flows().items() %}
        sum(f.qtd_{{ parcelas | join(' + f.qtd_') }}) as qtd_{{ nome }},
    {%- endfor %}
        sum(f.qtd_aguardando) as qtd_aguardando
{%- endmacro %}

{# Columns of the shares of absences and of what nobody confirmed (regra_absenteismo). #}
{% macro absence_shares(side) -%}
    {%- set faltas, devidos = side ~ '.qtd_faltas', side ~ '.qtd_agendamentos_devidos' -%}
    {%- set em_aberto = side ~ '.qtd_sem_confirmacao' -%}
    {{ percentage(faltas, faltas ~ ' + ' ~ side ~ '.qtd_confirmados') }}
            as pct_falta_desfecho_conhecido,
        {{ percentage(faltas, devidos) }} as pct_falta_minimo,
        {{ percentage(faltas ~ ' + ' ~ em_aberto, devidos) }} as pct_falta_maximo,
        {{ percentage(em_aberto, devidos) }} as pct_sem_confirmacao
{%- endmacro %}
