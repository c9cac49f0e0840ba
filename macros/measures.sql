{# Measures that marts share. #}

{# From 0 to 100; unknown, not zero, when there is nothing to divide by. #}
{% macro percentage(part, whole) -%}
    100 * cast({{ part }} as double) / nullif({{ whole }}, 0)
{%- endmacro %}
