{# Fails with each month that is not written as its first day. #}
{% test primeiro_dia_do_mes(model, column_name) %}
    select {{ column_name }}
    from {{ model }}
    where extract(day from {{ column_name }}) <> 1
{% endtest %}
