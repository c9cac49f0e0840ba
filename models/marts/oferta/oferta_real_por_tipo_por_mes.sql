-- Grain: month, executing unit, procedure, kind of slot that some schedule offers. The parts of the
-- limits are those of the kind in each central, added up.
{% set lugar = place_keys() %}

with oferta as (
    select * from {{ ref('oferta_real_por_mes') }}
),

{{ limits_by_kind('oferta', lugar) }},

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
