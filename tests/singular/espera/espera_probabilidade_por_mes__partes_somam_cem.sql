-- Every request seen, ended otherwise or still open is one of a hundred; all of a group or none.
{% set partes = ['atendidos', 'sem_confirmacao', 'outras_saidas', 'em_aberto'] %}

select
    p.competencia,
    p.coorte_meses,
    p.procedimento_codigo,
    p.horizonte_dias
from {{ ref('espera_probabilidade_por_mes') }} as p
where
    not coalesce(
        abs(
            {%- for parte in partes %}
            {{ "+ " if not loop.first }}p.pct_pedidos_{{ parte }}
            {%- endfor %}
            - 100
        ) < 0.000001,
        p.pct_pedidos_atendidos is null and p.pct_pedidos_em_aberto is null
    )
