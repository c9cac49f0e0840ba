{# Cleaning of what the sources deliver; staging is the only layer that calls these. #}
{% macro null_if_blank(expression) -%}
    case
        when
            not {{ array_contains(
                ['', '-', '---', 'null', 'none', 'n/a', 'na', 'nan', 'nat'],
                'lower(trim(' ~ expression ~ '))'
            ) }}
            then trim({{ expression }})
    end
{%- endmacro %}


{# Never cuts: lpad alone would shorten a value that is too long and hide the defect. #}
{% macro pad_code(expression, length, min_digits=1) -%}
    {%- set pattern = '^[0-9]{' ~ min_digits ~ ',' ~ (length - 1) ~ '}$' -%}
    case
        when {{ regexp_like('trim(' ~ expression ~ ')', pattern) }}
            then lpad(trim({{ expression }}), {{ length }}, '0')
        else {{ null_if_blank(expression) }}
    end
{%- endmacro %}


{% macro flag(expression) -%}
    {%- set text = 'upper(trim(' ~ expression ~ '))' -%}
    case
        when {{ array_contains(['1', '1.0', 'S', 'SIM', 'TRUE'], text) }} then true
        when {{ array_contains(['0', '0.0', 'N', 'NAO', 'NÃO', 'FALSE'], text) }} then false
    end
{%- endmacro %}


{# Numbers that people write with dots, slashes and dashes: their digits alone. #}
{% macro digits_of(expression) -%}
    {{ regexp_replace_all(expression, '[^0-9]', '') }}
{%- endmacro %}


{# A fraction gives null: rounding would invent a quantity. #}
{% macro try_integer(expression) -%}
    case
        when {{ regexp_like('trim(' ~ expression ~ ')', '^-?[0-9]+([.]0+)?$') }}
            then try_cast(split_part(trim({{ expression }}), '.', 1) as integer)
    end
{%- endmacro %}


{% macro try_time_minutes(expression) -%}
    {%- set pattern = '^(([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?|24:00(:00)?)$' -%}
    case
        when {{ regexp_like('trim(' ~ expression ~ ')', pattern) }}
            then
                cast(split_part(trim({{ expression }}), ':', 1) as integer) * 60
                + cast(split_part(trim({{ expression }}), ':', 2) as integer)
    end
{%- endmacro %}


{% macro minute_text(expression) -%}
    lpad(cast({{ int_div(expression, 60) }} as string), 2, '0')
    || ':' || lpad(cast({{ expression }} % 60 as string), 2, '0')
{%- endmacro %}


{# The sources write local time of Brasília with a false Z: cut it, never convert. The pattern comes
   first because DuckDB reads '31/12/26' as a day of the year 31. #}
{% macro local_timestamp(expression) -%}
    case
        when trim({{ expression }}) like '____-__-__%'
            then try_cast(left(replace(trim({{ expression }}), 'Z', ''), 23) as timestamp)
    end
{%- endmacro %}


{# The queue exports write `dd/mm/aaaa hh:mm:ss`. #}
{% macro local_timestamp_dmy(expression) -%}
    {%- set text = 'trim(' ~ expression ~ ')' -%}
    {{ local_timestamp(
        "substr(" ~ text ~ ", 7, 4) || '-' || substr(" ~ text ~ ", 4, 2) || '-' || substr("
        ~ text ~ ", 1, 2) || substr(" ~ text ~ ", 11)"
    ) }}
{%- endmacro %}


{# A death is often known to the month or the year alone, in FHIR by the standard: what is said stands
   for its last day, so nobody is counted dead before. A part that is 00 is not known. #}
{% macro last_day_said(expression) -%}
    {%- set text = 'trim(' ~ expression ~ ')' -%}
    {%- set year, month = '(19|20)[0-9]{2}', '(0[1-9]|1[0-2])' -%}
    last_day(cast(
        case
            when {{ regexp_like(text, '^' ~ year ~ '-?' ~ month ~ '(-?00)?$') }}
                then left({{ text }}, 4) || '-' || substr(replace({{ text }}, '-', ''), 5, 2)
            when {{ regexp_like(text, '^(00/)?' ~ month ~ '/' ~ year ~ '$') }}
                then right({{ text }}, 4) || '-' || left(right({{ text }}, 7), 2)
            when {{ regexp_like(text, '^' ~ year ~ '(-?00(-?00)?)?$') }} then left({{ text }}, 4) || '-12'
            when {{ regexp_like(text, '^00/00/' ~ year ~ '$') }} then right({{ text }}, 4) || '-12'
        end || '-01' as date
    ))
{%- endmacro %}


{# Whether a text of telephone numbers holds one that can be called: ten digits at least, of which the
   last eight are not one pair four times over, as is typed to get on. #}
{% macro has_phone(expression) -%}
    coalesce({{ any_of(expression, '[,;/]', 'telephone_fits') }}, false)
{%- endmacro %}

{% macro telephone_fits(expression) -%}
    length({{ digits_of(expression) }}) >= 10
    and right({{ digits_of(expression) }}, 8)
    <> repeat(left(right({{ digits_of(expression) }}, 8), 2), 4)
{%- endmacro %}
