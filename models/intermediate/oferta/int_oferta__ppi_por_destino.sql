-- Grain: month, executing central, procedure. One unknown share makes its sum unknown; no share of
-- a kind, where there is another, is zero of it.
{% set partes = {'total': 'true', 'local': 'v.eh_local', 'pactuada': 'not v.eh_local'} %}

with ppi as (
    select * from {{ ref('stg_sisreg__ppi') }}
),

versoes as (
    select
        p.competencia,
        p.central_executora_codigo,
        p.procedimento_codigo,
        coalesce(p.central_solicitante_codigo = p.central_executora_codigo, false) as eh_local,
        p.qtd_ppi,
        row_number() over (
            partition by
                p.competencia,
                p.central_executora_codigo,
                p.procedimento_codigo,
                p.central_solicitante_codigo
            order by p._carregado_em desc, p._linha desc
        ) as versao_ordem
    from ppi as p
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
    from versoes as v
    where
        v.versao_ordem = 1
        and v.competencia is not null
        and v.central_executora_codigo is not null
        and v.procedimento_codigo is not null
    group by v.competencia, v.central_executora_codigo, v.procedimento_codigo
)

select * from final
