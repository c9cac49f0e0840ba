{# Fails with each value outside [minimo, maximo]; null is unknown and passes. #}
{% test no_intervalo(model, column_name, minimo, maximo) %}
    select {{ column_name }}
    from {{ model }}
    where {{ column_name }} < {{ minimo }} or {{ column_name }} > {{ maximo }}
{% endtest %}
