{# Fails with each code that dicionario_codigos does not explain; null passes. #}
{% test codigo_no_dicionario(model, column_name, dicionario) %}
    select
        m.{{ column_name }} as codigo,
        count(*) as qtd_linhas
    from {{ model }} as m
    left join {{ ref('dicionario_codigos') }} as d
        on d.coluna = '{{ dicionario }}' and d.codigo = m.{{ column_name }}
    where m.{{ column_name }} is not null and d.codigo is null
    group by m.{{ column_name }}
{% endtest %}
