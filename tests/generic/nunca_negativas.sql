{# Fails with the columns that are below zero and in how many rows: of all that are called `qtd_…` and
   of those in `tambem`, but for those in `exceto`. Null is unknown and passes. #}
{% test nunca_negativas(model, tambem=[], exceto=[]) %}
    {%- if execute %}
    {%- set described = tested_table().columns.keys() | list -%}
    {%- for coluna in tambem + exceto if coluna not in described -%}
        {{ exceptions.raise_compiler_error(model ~ " has no column " ~ coluna ~ "; correct the test.") }}
    {%- endfor -%}
    {%- set colunas = tambem + [] -%}
    {%- for coluna in described if coluna.startswith('qtd_') and coluna not in exceto -%}
        {%- do colunas.append(coluna) -%}
    {%- endfor -%}
    {%- if not colunas -%}
        {{ exceptions.raise_compiler_error(model ~ " has no column qtd_…; name others in `tambem`.") }}
    {%- endif %}
    select
        concat_ws(
            ', '
            {%- for coluna in colunas %},
            case when {{ coluna }} < 0 then '{{ coluna }}' end
            {%- endfor %}
        ) as colunas,
        count(*) as qtd_linhas
    from {{ model }}
    where {{ colunas | join(' < 0 or ') }} < 0
    group by 1
    {%- endif %}
{% endtest %}
