{# Dates and clocks. Sessions run in UTC and every timestamp is naive local time of the source. #}

{# The pattern comes first: one engine reads '31/12/26' as a day of the year 31, the other '202603' as
   the year 202603. #}
{% macro try_date(expression, layout='iso') -%}
    {%- if layout == 'iso' -%}
        case
            when trim({{ expression }}) like '____-__-__%'
                then try_cast(left(trim({{ expression }}), 10) as date)
        end
    {%- else -%}
        {{ return(adapter.dispatch('try_date')(expression, layout)) }}
    {%- endif -%}
{%- endmacro %}

{# A year of two digits is refused: guessing the century would invent a date. #}
{% macro duckdb__try_date(expression, layout) -%}
    {%- if layout == 'compact' -%}
        cast(try_strptime(left(trim({{ expression }}), 8), '%Y%m%d') as date)
    {%- else -%}
        {%- set separator = {'dmy': '/', 'dmy_dots': '.'}[layout] -%}
        case
            when length(split_part(trim({{ expression }}), '{{ separator }}', 3)) = 4
                then cast(
                    try_strptime(trim({{ expression }}), '%d{{ separator }}%m{{ separator }}%Y') as date
                )
        end
    {%- endif -%}
{%- endmacro %}

{% macro spark__try_date(expression, layout) -%}
    {%- set pattern = {'compact': 'yyyyMMdd', 'dmy': 'd/M/yyyy', 'dmy_dots': 'd.M.yyyy'}[layout] -%}
    cast(
        try_to_timestamp(
            {%- if layout == 'compact' %} left(trim({{ expression }}), 8)
            {%- else %} trim({{ expression }})
            {%- endif %}, '{{ pattern }}'
        ) as date
    )
{%- endmacro %}


{% macro isodow(expression) -%}
    {{ return(adapter.dispatch('isodow')(expression)) }}
{%- endmacro %}

{% macro duckdb__isodow(expression) -%}
    cast(isodow({{ expression }}) as integer)
{%- endmacro %}

{% macro spark__isodow(expression) -%}
    (weekday({{ expression }}) + 1)
{%- endmacro %}


{% macro add_days(expression, days) -%}
    {{ return(adapter.dispatch('add_days')(expression, days)) }}
{%- endmacro %}

{% macro duckdb__add_days(expression, days) -%}
    ({{ expression }} + cast({{ days }} as integer))
{%- endmacro %}

{% macro spark__add_days(expression, days) -%}
    date_add({{ expression }}, cast({{ days }} as int))
{%- endmacro %}


{% macro days_between(first, last) -%}
    {{ return(adapter.dispatch('days_between')(first, last)) }}
{%- endmacro %}

{% macro duckdb__days_between(first, last) -%}
    cast(cast({{ last }} as date) - cast({{ first }} as date) as integer)
{%- endmacro %}

{% macro spark__days_between(first, last) -%}
    datediff(cast({{ last }} as date), cast({{ first }} as date))
{%- endmacro %}


{% macro explode_days(first, last, step=1) -%}
    {{ return(adapter.dispatch('explode_days')(first, last, step)) }}
{%- endmacro %}

{# Whole numbers instead of timestamps: half the cost of generate_series over dates. #}
{% macro duckdb__explode_days(first, last, step) -%}
    ({{ first }} + cast(unnest(range(0, ({{ last }}) - ({{ first }}) + 1, {{ step }})) as integer))
{%- endmacro %}

{% macro spark__explode_days(first, last, step) -%}
    explode(
        case when {{ last }} >= {{ first }} then sequence({{ first }}, {{ last }}, interval {{ step }} day) end
    )
{%- endmacro %}


{% macro explode_months(first, last) -%}
    {{ return(adapter.dispatch('explode_months')(first, last)) }}
{%- endmacro %}

{% macro duckdb__explode_months(first, last) -%}
    cast(unnest(
        generate_series(cast({{ first }} as timestamp), cast({{ last }} as timestamp), interval 1 month)
    ) as date)
{%- endmacro %}

{% macro spark__explode_months(first, last) -%}
    explode(
        case when {{ last }} >= {{ first }} then sequence({{ first }}, {{ last }}, interval 1 month) end
    )
{%- endmacro %}


{% macro cancellation_timestamp(expression) -%}
    {{ return(adapter.dispatch('cancellation_timestamp')(expression)) }}
{%- endmacro %}

{# The source takes the offset off twice: read the clock as UTC, find the offset of Brasília at that
   instant (daylight saving included) and add it back. #}
{% macro duckdb__cancellation_timestamp(expression) -%}
    {%- set moment = local_timestamp(expression) -%}
    ({{ moment }} + ({{ moment }} - timezone('America/Sao_Paulo', timezone('UTC', {{ moment }}))))
{%- endmacro %}

{% macro spark__cancellation_timestamp(expression) -%}
    {%- set moment = local_timestamp(expression) -%}
    ({{ moment }} + ({{ moment }} - from_utc_timestamp({{ moment }}, 'America/Sao_Paulo')))
{%- endmacro %}


{% macro local_clock(expression) -%}
    {{ return(adapter.dispatch('local_clock')(expression)) }}
{%- endmacro %}

{# Naive UTC to the naive clock of Brasília. #}
{% macro duckdb__local_clock(expression) -%}
    timezone('America/Sao_Paulo', timezone('UTC', {{ expression }}))
{%- endmacro %}

{% macro spark__local_clock(expression) -%}
    from_utc_timestamp({{ expression }}, 'America/Sao_Paulo')
{%- endmacro %}
