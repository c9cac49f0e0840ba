{# What a request is counted under, read from one period of int_fila__vigencias. #}

{# The first procedure of the list; of a request without list, the one booked. #}
{% macro request_procedure(period) -%}
    coalesce(
        {{ period }}.procedimento_solicitado_codigo,
        {{ period }}.procedimento_agendado_codigo,
        'nao_informado'
    )
{%- endmacro %}


{% macro request_risk(period) -%}
    case
        when {{ period }}.risco_codigo in ('1', '2', '3', '4') then {{ period }}.risco_codigo
        else 'nao_informado'
    end
{%- endmacro %}


{# The movements into and out of the wait, in the order in which the marts show them. #}
{% macro queue_flows() -%}
    {{ return([
        'entradas',
        'agendamentos',
        'devolucoes',
        'reenvios',
        'cancelamentos',
        'negativas',
        'reaberturas',
        'desaparecimentos',
        'reaparecimentos',
        'outras_saidas',
        'reclassificadas_entrada',
        'reclassificadas_saida',
    ]) }}
{%- endmacro %}


{# Who is in which state at the end of a month, in the order in which the marts show it. #}
{% macro queue_stocks() -%}
    {{ return([
        'aguardando',
        'agendadas',
        'devolvidas',
        'pessoas_aguardando',
        'aguardando_obito',
        'aguardando_obito_sem_data',
    ]) }}
{%- endmacro %}


{# Whether a row of int_fila__movimentos_por_mes shows anything at all. #}
{% macro queue_moved(movement) -%}
    greatest(
        {%- for flow in queue_flows() %} {{ movement }}.qtd_{{ flow }}, {%- endfor %}
        {%- for stock in queue_stocks() %} abs({{ movement }}.saldo_{{ stock }})
        {%- if not loop.last %},{% endif %} {%- endfor -%}
    ) > 0
{%- endmacro %}


{# The limit of waits in force for each month and procedure of a relation: that of the longest
   beginning of the code, `todos` being the shortest. Pairs without a limit have no row. #}
{% macro wait_limits(pairs) -%}
        select
            o.competencia,
            o.procedimento_codigo,
            o.limite_dias
        from (
            select
                p.competencia,
                p.procedimento_codigo,
                l.limite_dias,
                row_number() over (
                    partition by p.competencia, p.procedimento_codigo
                    order by
                        case when l.procedimento_prefixo = 'todos' then 1 else 0 end asc,
                        length(l.procedimento_prefixo) desc,
                        l.vale_de desc
                ) as ordem
            from {{ pairs }} as p
            inner join {{ ref('limites_espera') }} as l
                on
                    p.competencia >= l.vale_de
                    and coalesce(p.competencia <= l.vale_ate, true)
                    and (
                        l.procedimento_prefixo = 'todos'
                        or p.procedimento_codigo like l.procedimento_prefixo || '%'
                    )
        ) as o
        where o.ordem = 1
{%- endmacro %}


{# The priority that law gives to age on a day: none, over 60, over 80 (act 10.741 of 2003, article 3). #}
{% macro legal_priority(side, day) -%}
    case
        when {{ side }}.data_80_anos <= {{ day }} then 2
        when {{ side }}.data_60_anos <= {{ day }} then 1
        else 0
    end
{%- endmacro %}


{# What a booking did to the order of the queue, in the order in which it is asked. #}
{% macro order_situations() -%}
    {{ return([
        'sem_comparacao',
        'em_ordem',
        'interrompida',
        'territorio',
        'cota',
        'varios_procedimentos',
        'sem_contato',
        'data_desejada',
        'prioridade_legal',
        'sem_explicacao',
    ]) }}
{%- endmacro %}


{# The share of a queue that leaves it in a month without a booking; a share is never above all. #}
{% macro leaving(share) -%}
    least(coalesce({{ share }}, 0), 1)
{%- endmacro %}


{# How long a queue is after some months in which as many enter and are booked, and such a share of it
   leaves otherwise: each month is what was left of the one before, and the difference. #}
{% macro queue_expected(queue, entering, share, booked, months) -%}
    greatest(
        case
            when abs({{ leaving(share) }}) < 0.000000001
                then {{ queue }} + {{ months }} * ({{ entering }} - {{ booked }})
            else
                {{ queue }} * power(1 - {{ leaving(share) }}, {{ months }})
                + ({{ entering }} - {{ booked }})
                * (1 - power(1 - {{ leaving(share) }}, {{ months }})) / {{ leaving(share) }}
        end,
        0
    )
{%- endmacro %}


{# The bookings of a month that bring such a queue to a target after some months; zero if it shrinks
   to it by itself. #}
{% macro bookings_needed(queue, entering, share, target, months) -%}
    greatest(
        case
            when abs({{ leaving(share) }}) < 0.000000001
                then {{ entering }} + ({{ queue }} - {{ target }}) / {{ months }}
            else
                {{ entering }}
                - ({{ target }} - {{ queue }} * power(1 - {{ leaving(share) }}, {{ months }}))
                * {{ leaving(share) }} / (1 - power(1 - {{ leaving(share) }}, {{ months }}))
        end,
        0
    )
{%- endmacro %}
