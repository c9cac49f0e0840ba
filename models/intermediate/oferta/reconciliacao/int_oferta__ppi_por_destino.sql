-- Grain: month, executing central, procedure. One unknown share makes its sum unknown; no share of
-- a kind, where there is another, is zero of it.
{% set partes = {'total': 'true', 'local': 'v.eh_local', 'pactuada': 'not v.eh_local'} %}

with limites as (
    select * from {{ ref('int_oferta__limites_informados') }}
),

vigentes as (
    select
        l.competencia,
        l.central_executora_codigo,
        l.procedimento_codigo,
        coalesce(l.central_solicitante_codigo = l.central_executora_codigo, false) as eh_local,
        l.qtd_limite as qtd_ppi
    from limites as l
    where l.limite_tipo = 'ppi' and l.visto_ate is null
),

final as (
    select
        -- identificadores
        v.competencia,
        v.central_executora_codigo,
        v.procedimento_codigo,
        -- quantidades
        {% for parte, condicao in partes.items() %}
        case
            when count(case when {{ condicao }} and v.qtd_ppi is null then 1 end) = 0
                then cast(coalesce(sum(case when {{ condicao }} then v.qtd_ppi end), 0) as bigint)
        end as qtd_{{ parte }} {%- if not loop.last %},{% endif %}

        {% endfor %}
    from vigentes as v
    where
        v.competencia is not null
        and v.central_executora_codigo is not null
        and v.procedimento_codigo is not null
    group by all
)

select * from final
