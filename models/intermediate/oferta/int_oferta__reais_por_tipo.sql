-- Grain: month, executing unit, procedure of the agenda, kind of slot that some schedule offers.
-- The real offer of each central shared between the kinds by largest remainder, ties in the order
-- of the list, and added up over the centrals (regra_oferta_real).
with oferta as (
    select * from {{ ref('int_oferta__por_mes') }}
),

limites as (
    select * from {{ ref('int_oferta__limites') }}
),

por_tipo as (
    {% for tipo in ['primeira_vez', 'retorno', 'reserva'] %}
    select
        o.competencia,
        o.central_executora_codigo,
        o.unidade_executante_cnes,
        o.procedimento_codigo,
        '{{ tipo }}' as vaga_tipo,
        {{ loop.index }} as tipo_ordem,
        o.qtd_vagas_ativas_{{ tipo }} as qtd_ativas,
        l.qtd_oferta_real as qtd_limite
    from oferta as o
    inner join limites as l
        on
            o.competencia = l.competencia
            and o.central_executora_codigo = l.central_executora_codigo
            and o.unidade_executante_cnes = l.unidade_executante_cnes
            and o.procedimento_codigo = l.procedimento_codigo
    where o.qtd_vagas_total_{{ tipo }} is distinct from 0
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
),

{{ shared_by_remainder(
    'oferta_real', 'por_tipo', 'qtd_limite', 'qtd_ativas',
    partition='competencia, central_executora_codigo, unidade_executante_cnes, procedimento_codigo',
    tie='tipo_ordem'
) }},

final as (
    select
        -- identificadores
        r.competencia,
        r.unidade_executante_cnes,
        r.procedimento_codigo,
        r.vaga_tipo,
        -- quantidades
        cast(sum(r.qtd_oferta_real) as bigint) as qtd_oferta_real
    from oferta_real as r
    group by
        r.competencia,
        r.unidade_executante_cnes,
        r.procedimento_codigo,
        r.vaga_tipo
)

select * from final
