{# Fails with each value below zero; null is unknown and passes. #}
{% test sem_valor_negativo(model, column_name) %}
    select {{ column_name }}
    from {{ model }}
    where {{ column_name }} < 0
{% endtest %}
