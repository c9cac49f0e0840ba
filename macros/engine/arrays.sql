{# Arrays. `explode` gives one row per item and none for a null or empty array: use it in a CTE of
   its own, because DuckDB refuses a left join after a correlated one. #}
{% macro explode(expression) -%}
    {{ return(adapter.dispatch('explode')(expression)) }}
{%- endmacro %}

{% macro duckdb__explode(expression) -%}
    unnest({{ expression }})
{%- endmacro %}

{% macro spark__explode(expression) -%}
    explode({{ expression }})
{%- endmacro %}


{% macro array_item(expression, position) -%}
    {{ return(adapter.dispatch('array_item')(expression, position)) }}
{%- endmacro %}

{% macro duckdb__array_item(expression, position) -%}
    ({{ expression }})[{{ position }}]
{%- endmacro %}

{% macro spark__array_item(expression, position) -%}
    get({{ expression }}, {{ position }} - 1)
{%- endmacro %}


{% macro array_length(expression) -%}
    {{ return(adapter.dispatch('array_length')(expression)) }}
{%- endmacro %}

{% macro duckdb__array_length(expression) -%}
    coalesce(len({{ expression }}), 0)
{%- endmacro %}

{% macro spark__array_length(expression) -%}
    greatest(size({{ expression }}), 0)
{%- endmacro %}


{# Whether a text is one of some constants. DuckDB turns `in` with so many into a join of its own for
   each expression and never prunes it; a search in a constant list costs a tenth. #}
{% macro array_contains(values, expression) -%}
    {{ return(adapter.dispatch('array_contains')(values, expression)) }}
{%- endmacro %}

{% macro duckdb__array_contains(values, expression) -%}
    list_contains(['{{ values | join("', '") }}'], {{ expression }})
{%- endmacro %}

{% macro spark__array_contains(values, expression) -%}
    array_contains(array('{{ values | join("', '") }}'), {{ expression }})
{%- endmacro %}


{# Newest value that is not null, as a window function: `over (...)` follows. #}
{% macro last_known(expression) -%}
    {{ return(adapter.dispatch('last_known')(expression)) }}
{%- endmacro %}

{% macro duckdb__last_known(expression) -%}
    last_value({{ expression }} ignore nulls)
{%- endmacro %}

{% macro spark__last_known(expression) -%}
    last({{ expression }}, true)
{%- endmacro %}


{% macro split_text(expression, separator) -%}
    {{ return(adapter.dispatch('split_text')(expression, separator)) }}
{%- endmacro %}

{% macro duckdb__split_text(expression, separator) -%}
    string_split({{ expression }}, '{{ separator }}')
{%- endmacro %}

{% macro spark__split_text(expression, separator) -%}
    split({{ expression }}, '{{ separator }}')
{%- endmacro %}


{# Whether a test, the macro of that name, holds for any part of a text split at a pattern. #}
{% macro any_of(expression, pattern, test) -%}
    {{ return(adapter.dispatch('any_of')(expression, pattern, test)) }}
{%- endmacro %}

{% macro duckdb__any_of(expression, pattern, test) -%}
    len(list_filter(
        string_split_regex({{ expression }}, '{{ pattern }}'), parte -> {{ context[test]('parte') }}
    )) > 0
{%- endmacro %}

{% macro spark__any_of(expression, pattern, test) -%}
    exists(split({{ expression }}, '{{ pattern }}'), parte -> {{ context[test]('parte') }})
{%- endmacro %}
