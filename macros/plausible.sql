{# What may be true of a value, by kind. A value outside is unknown, like a text that cannot be read,
   and its row says so (`valores_implausiveis`). Staging is the only layer that calls these. #}
{% macro plausible_kinds() -%}
    {{ return({
        'data': {'oldest': '1990-01-01', 'years_ahead': 10},
        'nascimento': {'oldest': '1900-01-01', 'years_ahead': 2},
        'obito': {'oldest': '1900-01-01', 'years_ahead': 2},
        'vagas': {'most': setting('max_vagas_por_bloco')},
        'limite': {'most': setting('max_vagas_por_mes')},
        'minutos': {'most': 24 * 60},
        'horas_semana': {'most': 7 * 24},
        'idade': {'most': 130},
        'idade_meses': {'most': 130 * 12},
        'posicao': {'most': 10000000},
        'ano': {'first_year': 1990, 'years_ahead': 10},
        'versao': {'most': 1000},
        'area': {'most': 4},
        'quantidade': {'most': 10000000},
        'dias': {'most': 36525},
        'valor': {'most': 10000000},
        'reais': {'most': 1000000000000},
        'reais_com_sinal': {'most': 1000000000000, 'signed': true},
    }) }}
{%- endmacro %}


{% macro parse_as(expression, how) -%}
    {%- if how in ('iso', 'compact', 'dmy', 'dmy_dots') -%}
        {{ try_date(expression, how) }}
    {%- elif how == 'timestamp' -%}
        {{ local_timestamp(expression) }}
    {%- elif how == 'timestamp_dmy' -%}
        {{ local_timestamp_dmy(expression) }}
    {%- elif how == 'cancellation' -%}
        {{ cancellation_timestamp(expression) }}
    {%- elif how == 'said' -%}
        {{ last_day_said(expression) }}
    {%- elif how == 'integer' -%}
        {{ try_integer(expression) }}
    {%- elif how == 'year' -%}
        {{ try_integer('left(' ~ expression ~ ', 4)') }}
    {%- elif how == 'decimal' -%}
        try_cast(replace({{ null_if_blank(expression) }}, ',', '.') as double)
    {%- else -%}
        {{ exceptions.raise_compiler_error("parse_as: `" ~ how ~ "` is no way of reading a text") }}
    {%- endif -%}
{%- endmacro %}


{# Ten years ahead of the load, not of the reference day: a row is judged once, when it comes. #}
{% macro last_plausible_day(kind) -%}
    {{ add_months('cast(_carregado_em as date)', 12 * plausible_kinds()[kind].years_ahead) }}
{%- endmacro %}


{% macro last_plausible_year(kind) -%}
    extract(year from {{ last_plausible_day(kind) }})
{%- endmacro %}


{% macro plausible(expression, how, kind='data') -%}
    {%- set value, limits = parse_as(expression, how), plausible_kinds()[kind] -%}
    {%- if 'oldest' in limits -%}
    case
        when {{ value }} < cast('{{ limits.oldest }}' as date) then null
        when cast({{ value }} as date) > {{ last_plausible_day(kind) }} then null
        else {{ value }}
    end
    {%- elif 'first_year' in limits -%}
    case
        when {{ value }} between {{ limits.first_year }} and {{ last_plausible_year(kind) }}
            then {{ value }}
    end
    {%- else -%}
    {%- set least = -limits.most if limits.signed else 0 -%}
    case when {{ value }} between {{ least }} and {{ limits.most }} then {{ value }} end
    {%- endif -%}
{%- endmacro %}


{# An end beyond the plausible (31/12/9999) is a spelling of "no end"; what that means is said where
   it is used. #}
{% macro is_open_end(expression, how) -%}
    coalesce(cast({{ parse_as(expression, how) }} as date) > {{ last_plausible_day('data') }}, false)
{%- endmacro %}


{# The columns of a row whose values are not plausible, with the reason; null when there are none.
   `judged`: (expression, how, kind) each; the name is the first word of the expression. #}
{% macro implausible(judged) -%}
    nullif(concat_ws(
        '; ',
        {%- for expression, how, kind in judged %}
        {%- set name, limits = expression.split(' ')[0], plausible_kinds()[kind] %}
        {%- if 'oldest' in limits %}
        case
            when {{ parse_as(expression, how) }} < cast('{{ limits.oldest }}' as date)
                then '{{ name }}: data_antiga'
            when cast({{ parse_as(expression, how) }} as date) > {{ last_plausible_day(kind) }}
                then '{{ name }}: data_distante'
        end
        {%- else %}
        {#- As a decimal: a number too long for an integer is a number all the same. #}
        {%- set number = parse_as(expression, 'decimal' if how == 'integer' else how) %}
        {%- if 'first_year' in limits %}
        case
            when {{ number }} < {{ limits.first_year }} then '{{ name }}: data_antiga'
            when {{ number }} > {{ last_plausible_year(kind) }} then '{{ name }}: data_distante'
        end
        {%- elif limits.signed %}
        case when abs({{ number }}) > {{ limits.most }} then '{{ name }}: acima_do_limite' end
        {%- else %}
        case
            when {{ number }} < 0 then '{{ name }}: abaixo_de_zero'
            when {{ number }} > {{ limits.most }} then '{{ name }}: acima_do_limite'
        end
        {%- endif %}
        {%- endif %}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    ), '')
{%- endmacro %}
