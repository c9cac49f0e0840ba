-- Grain: month, executing unit, procedure of the agenda, kind of slot that some schedule offers.
-- The real offer of each central shared between the kinds by largest remainder, ties in the order
-- of the list, and added up over the centrals (regra_oferta_real).
{% set lugar = place_keys() %}

with oferta as (
    select * from {{ ref('int_oferta__por_mes') }}
),

limites as (
    select * from {{ ref('int_oferta__limites') }}
),

por_tipo as (
    {{ kinds_as_rows('oferta', lugar, ['qtd_vagas_ativas'], offered='qtd_vagas_total') }}
),

limitadas as (
    select
        t.*,
        l.qtd_oferta_real as qtd_limite
    from por_tipo as t
    inner join limites as l
        on {{ same_place('t', 'l') }}
),

{{ shared_by_remainder(
    'oferta_real', 'limitadas', 'qtd_limite', 'qtd_vagas_ativas',
    partition=lugar | join(', '),
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
    group by all
)

select * from final
