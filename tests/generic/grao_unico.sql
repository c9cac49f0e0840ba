{# Fails with each key that is repeated or has a null part. #}
{% test grao_unico(model, colunas) %}
    select
        {{ colunas | join(', ') }},
        count(*) as qtd_linhas
    from {{ model }}
    group by {{ colunas | join(', ') }}
    having
        count(*) > 1
        {%- for coluna in colunas %}
        or {{ coluna }} is null
        {%- endfor %}
{% endtest %}
