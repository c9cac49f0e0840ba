{# The day the build describes, and the month as every mart writes it. #}
{% macro data_referencia() -%}
    {%- if setting('data_referencia') -%}
        cast('{{ setting('data_referencia') }}' as date)
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


{% macro last_day_of_year(expression) -%}
    cast(cast({{ expression }} as string) || '-12-31' as date)
{%- endmacro %}


{# A month counts when the reference day is its last or later. #}
{% macro last_complete_month() -%}
    {{ add_months(competencia(add_days(data_referencia(), 1)), -1) }}
{%- endmacro %}


{# A month of which the reference day is a day, but not the last. #}
{% macro month_under_way(month, reference) -%}
    ({{ month }} = {{ competencia(add_days(reference, 1)) }} and {{ month }} <= {{ reference }})
{%- endmacro %}


{# What a month is on the reference day: over, under way or to come. It is over when the day after the
   reference day is in another month. #}
{% macro month_situation(month, reference) -%}
    case
            when {{ month }} > {{ reference }} then 'programada'
            when {{ month_under_way(month, reference) }} then 'em_curso'
            else 'encerrada'
        end
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
    {%- if setting('conhecido_em') -%}
        {{ expression }} <= cast('{{ setting('conhecido_em') }}' as date)
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}


{# Whether a row of raw came with a load of the day as known on which everything is built. #}
{% macro of_known_load(row) -%}
    {#- Asked for either way, so that dbt knows of it whatever the variables are. -#}
    {%- set loads = ref('int_calendario__cargas') -%}
    {%- if setting('conhecido_em') -%}
        {{ row }}._carga_id in (select g.carga_id from {{ loads }} as g)
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}


{# Order of a holiday's reach, the widest first. #}
{% macro breadth(reach) -%}
    case
        when {{ reach }} = 'nacional' then 1
        when {{ reach }} in ('distrital', 'estadual') then 2
        else 3
    end
{%- endmacro %}
