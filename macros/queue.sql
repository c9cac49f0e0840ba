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


{# Whether a period of int_fila__atributos, or of int_fila__vigencias, was in force at the end of a day. Bounds are compared, each
   side by itself: on anything else DuckDB joins outwards row by row, at the square of the cost. #}
{% macro in_force(period, day) -%}
    coalesce(cast({{ period }}.vale_de as date), {{ beginning() }}) <= cast({{ day }} as date)
            and coalesce(cast({{ period }}.vale_ate as date), {{ ending() }}) > cast({{ day }} as date)
{%- endmacro %}


{# Why a request of the queue should be looked at: end of the column's name, and the flag of
   int_fila__perfis. #}
{% macro queue_doubts() -%}
    {{ return({
        'de_falecidos': 'eh_obito',
        'de_falecidos_sem_data': 'eh_obito_sem_data',
        'repetidos': 'eh_repetido',
        'de_quem_saiu_do_territorio': 'eh_saida_do_territorio',
        'de_quem_mudou_de_regiao': 'eh_mudanca_de_regiao',
        'sem_identidade': 'eh_sem_identidade',
        'com_contradicao': 'eh_contradicao',
        'sem_movimento_ha_um_ano': 'eh_sem_movimento',
    }) }}
{%- endmacro %}


{# The band of days waited, of the list faixa_espera; null where the days are unknown. #}
{% macro wait_band(days) -%}
    case
        when {{ days }} <= 30 then 'ate_30'
        when {{ days }} <= 60 then '31_a_60'
        when {{ days }} <= 90 then '61_a_90'
        when {{ days }} <= 180 then '91_a_180'
        when {{ days }} <= 365 then '181_a_365'
        when {{ days }} <= 730 then '366_a_730'
        when {{ days }} > 730 then 'acima_de_730'
    end
{%- endmacro %}


{# The band of whole years lived by a day, of the list perfil_classe. #}
{% macro age_band(birth, day) -%}
    {%- set lived -%}
        extract(year from {{ day }}) * 10000 + extract(month from {{ day }}) * 100
        + extract(day from {{ day }}) - extract(year from {{ birth }}) * 10000
        - extract(month from {{ birth }}) * 100 - extract(day from {{ birth }})
    {%- endset -%}
    case
        when {{ birth }} is null or {{ birth }} > {{ day }} then 'nao_informado'
        {%- for years, name in [
            (15, '0_a_14'), (30, '15_a_29'), (45, '30_a_44'), (60, '45_a_59'), (75, '60_a_74')
        ] %}
        when {{ lived }} < {{ years * 10000 }} then '{{ name }}'
        {%- endfor %}
        else '75_ou_mais'
    end
{%- endmacro %}


{# Whether a unit stands where somebody lives, of the list perfil_classe. Who lives outside the
   territory has no region in it. #}
{% macro displacement(home, unit) -%}
    case
        when {{ home }} = 'fora_do_territorio' then 'de_fora_do_territorio'
        when {{ home }} = 'nao_identificada' or {{ unit }} = 'nao_identificada' then 'nao_informado'
        when {{ home }} = {{ unit }} then 'mesma_regiao'
        else 'outra_regiao'
    end
{%- endmacro %}


{# The kind of slot that a booking used: code 1 and code 0 (undefined, seen on first visits only) are
   first visits, 2 is a return, 3 is reserve. #}
{% macro consumed_slot_kind(code) -%}
    case
        when {{ code }} in ('0', '1') then 'primeira_vez'
        when {{ code }} = '2' then 'retorno'
        when {{ code }} = '3' then 'reserva'
        else 'nao_informado'
    end
{%- endmacro %}
