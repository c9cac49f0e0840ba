{# Fails with each row whose parts do not add up to the total, or know it while the total does not. #}
{% test soma_confere(model, total, partes) %}
    select *
    from {{ model }}
    where ({{ total }}) is distinct from ({{ partes | join(' + ') }})
{% endtest %}
