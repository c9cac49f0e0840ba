{# Keys, pseudonyms and check digits. #}
{% macro surrogate_key(columns) -%}
    md5(concat_ws(
        '|'
        {%- for column in columns %},
        {% if column.startswith("'") %}{{ column }}{% else %}coalesce(cast({{ column }} as string), '_nulo_'){% endif %}
        {%- endfor %}
    ))
{%- endmacro %}


{# The session function comes from the connection (mapa.dbt_plugin on DuckDB, a registered function
   on Spark), so the key stands in no SQL. Tables only: a view would lose it with the session. #}
{% macro pseudonym(expression) -%}
    left(mapa_hmac_sha256({{ expression }}), 32)
{%- endmacro %}


{# A name as it is compared; null when it names nobody: a newborn's stands for the mother's. #}
{% macro person_name(expression) -%}
    {%- set text = normalize_text(expression) -%}
    case
        when not {{ regexp_like(text, '^((SEM|NAO) |IGNORAD|DESCONHECID|RN |RECEM NASCID)') }}
            then {{ text }}
    end
{%- endmacro %}


{# Pseudonyms of what identifies a person besides the numbers, from the columns `nome`, `mae_nome`
   and `data_nascimento` of a side; null where a part of it is unknown. No name is in any of them. #}
{% macro person_keys(side) -%}
    {%- set name, mother = side ~ '.nome', side ~ '.mae_nome' -%}
    {%- set birth = 'cast(' ~ side ~ '.data_nascimento as string)' -%}
    {%- set first = 'split_part(' ~ name ~ ", ' ', 1)" -%}
    {{ pseudonym("'nome_mae_nascimento:' || " ~ name ~ " || '|' || " ~ mother ~ " || '|' || " ~ birth) }}
            as nome_mae_nascimento_id,
        {{ pseudonym("'nome_nascimento:' || " ~ first ~ " || '|' || " ~ birth) }}
            as nome_nascimento_id,
        {{ pseudonym("'nome_mae:' || " ~ first ~ " || '|' || " ~ mother) }} as nome_mae_id
{%- endmacro %}


{# Whether the words of two sides allow that they are one person: the first name and, besides it, the
   birth date or the mother. Unknown words allow everything. #}
{% macro words_agree(one, other) -%}
    coalesce(
        greatest(
            {{ one }}.nome_nascimento_id = {{ other }}.nome_nascimento_id,
            {{ one }}.nome_mae_id = {{ other }}.nome_mae_id
        ),
        true
    )
{%- endmacro %}


{% macro weighted_digits(expression, weights) -%}
    {{ return(adapter.dispatch('weighted_digits')(expression, weights)) }}
{%- endmacro %}

{% macro duckdb__weighted_digits(expression, weights) -%}
    cast(
        list_dot_product(
            cast({{ weights }} as float[]),
            cast(string_split(left({{ expression }}, {{ weights | length }}), '') as float[])
        ) as integer
    )
{%- endmacro %}

{% macro spark__weighted_digits(expression, weights) -%}
    (
        {%- for weight in weights %}
        cast(substring({{ expression }}, {{ loop.index }}, 1) as int) * {{ weight }}
        {%- if not loop.last %} + {%- endif %}
        {%- endfor %}
    )
{%- endmacro %}


{# CASE guards the casts: no engine promises to stop an AND at the first false. #}
{% macro cpf_is_valid(expression) -%}
    case
        when {{ expression }} is null then null
        when not {{ regexp_like(expression, '^[0-9]{11}$') }} then false
        when {{ expression }} = repeat(left({{ expression }}, 1), 11) then false
        when {{ expression }} = '01234567890' then false
        else
            {{ weighted_digits(expression, [10, 9, 8, 7, 6, 5, 4, 3, 2]) }} * 10 % 11 % 10
            = cast(substring({{ expression }}, 10, 1) as integer)
            and {{ weighted_digits(expression, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) }} * 10 % 11 % 10
            = cast(substring({{ expression }}, 11, 1) as integer)
    end
{%- endmacro %}


{% macro cns_is_valid(expression) -%}
    case
        when {{ expression }} is null then null
        when
            not {{ regexp_like(expression, '^([789][0-9]{14}|[12][0-9]{10}(000[0-9]|0018))$') }}
            then false
        else {{ weighted_digits(expression, [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) }} % 11 = 0
    end
{%- endmacro %}
