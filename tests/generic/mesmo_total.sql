{# Fails with each group of rows whose total is not that of another table: `medida` summed over the
   model against `da_outra` summed over `outra`, per columns `por`. With `cada`, each value of that
   column of the model must have the whole total for itself. #}
{% test mesmo_total(model, medida, outra, da_outra, por=['competencia'], cada=none, onde='true', onde_da_outra='true') %}
    {%- set grupo = por | join(', ') -%}
    {%- set chave = por + ([cada] if cada else []) %}
    with daqui as (
        select
            {{ chave | join(', ') }},
            sum({{ medida }}) as total
        from {{ model }}
        where {{ onde }}
        group by {{ chave | join(', ') }}
        having sum({{ medida }}) <> 0
    ),

    de_la as (
        select
            {{ grupo }},
            sum({{ da_outra }}) as total
        from {{ outra }}
        where {{ onde_da_outra }}
        group by {{ grupo }}
        having sum({{ da_outra }}) <> 0
    ),

    esperados as (
        select *
        from de_la
        {%- if cada %}
        cross join (select distinct {{ cada }} from {{ model }} where {{ onde }}) as valores
        {%- endif %}
    )

    (select * from daqui except select {{ chave | join(', ') }}, total from esperados)
    union all
    (select {{ chave | join(', ') }}, total from esperados except select * from daqui)
{% endtest %}
