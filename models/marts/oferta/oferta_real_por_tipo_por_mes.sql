-- Grain: month, executing unit, procedure, kind of slot that some schedule offers. What the ceiling
-- took is shared between the kinds in proportion to what each lost, by largest remainder with ties
-- in the order of the list; the rest of a kind's loss is the agreement's (PPI).
{% set lugar = place_keys() %}

with oferta as (
    select * from {{ ref('oferta_real_por_mes') }}
),

por_tipo as (
    {{ kinds_as_rows(
        'oferta',
        lugar + ['qtd_vagas_perdidas_teto'],
        ['qtd_vagas_total', 'qtd_vagas_bloqueadas', 'qtd_vagas_ativas', 'qtd_oferta_real'],
        offered='qtd_vagas_total'
    ) }}
),

perdas as (
    select
        t.*,
        t.qtd_vagas_ativas - t.qtd_oferta_real as qtd_limitadas
    from por_tipo as t
),

{{ shared_by_remainder(
    'do_teto', 'perdas', 'qtd_vagas_perdidas_teto', 'qtd_limitadas',
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
        cast(sum(r.qtd_vagas_total) as bigint) as qtd_vagas_total,
        cast(sum(r.qtd_vagas_bloqueadas) as bigint) as qtd_vagas_bloqueadas,
        cast(sum(r.qtd_vagas_ativas) as bigint) as qtd_vagas_ativas,
        cast(sum(r.qtd_do_teto) as bigint) as qtd_vagas_perdidas_teto,
        cast(sum(r.qtd_limitadas - r.qtd_do_teto) as bigint) as qtd_vagas_perdidas_ppi,
        cast(sum(r.qtd_oferta_real) as bigint) as qtd_oferta_real
    from do_teto as r
    group by all
)

select * from final
