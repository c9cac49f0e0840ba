{# Fails with each key that is repeated or has a null part; the key is `config.meta.grao`. #}
{% test grao_unico(model) %}
    {%- if execute %}
    {%- set colunas = tested_table().config.meta.grao | default([], true) -%}
    {%- if not colunas -%}
        {{ exceptions.raise_compiler_error(model ~ ": config.meta.grao is missing; name its columns.") }}
    {%- endif %}
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
    {%- endif %}
{% endtest %}
