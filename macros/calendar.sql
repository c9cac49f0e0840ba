{# The day the build describes, and the month as every mart writes it. #}
{% macro data_referencia() -%}
    {%- if var('data_referencia', none) -%}
        cast('{{ var("data_referencia") }}' as date)
    {%- else -%}
        (select r.data_referencia from {{ ref('int_calendario__referencia') }} as r)
    {%- endif -%}
{%- endmacro %}


{% macro competencia(expression) -%}
    cast(date_trunc('month', {{ expression }}) as date)
{%- endmacro %}


{% macro add_months(expression, months) -%}
    cast({{ expression }} + interval '{{ months }}' month as date)
{%- endmacro %}


{% macro last_day_of_month(expression) -%}
    {{ add_days(add_months(expression, 1), -1) }}
{%- endmacro %}


{# A month counts when the reference day is its last or later. #}
{% macro last_complete_month() -%}
    {{ add_months(competencia(add_days(data_referencia(), 1)), -1) }}
{%- endmacro %}


{% macro weekday_number(expression) -%}
    case {{ expression }}
        {%- for code in ['SEG', 'TER', 'QUA', 'QUI', 'SEX', 'SAB', 'DOM'] %}
        when '{{ code }}' then {{ loop.index }}
        {%- endfor %}
    end
{%- endmacro %}


{% macro weekday_code(expression) -%}
    case {{ expression }}
        {%- for code in ['SEG', 'TER', 'QUA', 'QUI', 'SEX', 'SAB', 'DOM'] %}
        when {{ loop.index }} then '{{ code }}'
        {%- endfor %}
    end
{%- endmacro %}


{# The day as known on which everything is built (AAAA-MM-DD), null: all that is known. Loads seen
   later are left out in one place, int_calendario__cargas. #}
{% macro known_on(expression) -%}
    {%- if var('conhecido_em', none) -%}
        {{ expression }} <= cast('{{ var("conhecido_em") }}' as date)
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}
