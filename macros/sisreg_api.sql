{# What only the documents of the SISREG search API need; staging is the only layer that calls these. #}

{# A small whole number as text: "2", "2.0" and 2 are one code; anything else stays as it came. #}
{% macro integer_code(expression) -%}
    coalesce(cast({{ try_integer(expression) }} as string), {{ null_if_blank(expression) }})
{%- endmacro %}


{# One of the three parts of a status; the blanks around the slash vary. #}
{% macro status_part(expression, position) -%}
    {{ null_if_blank("split_part(" ~ expression ~ ", '/', " ~ position ~ ")") }}
{%- endmacro %}
