-- Grain: month, executing central, executing unit, procedure. The limits that hold as known,
-- whenever they came; how they take slots: macro limited_offer.
with oferta as (
    select * from {{ ref('int_oferta__por_mes') }}
),

informados as (
    select * from {{ ref('int_oferta__limites_informados') }}
),

ppi as (
    select
        i.competencia,
        i.central_executora_codigo,
        i.procedimento_codigo,
        -- one unknown share makes the agreement unknown
        case when count(*) = count(i.qtd_limite) then cast(sum(i.qtd_limite) as bigint) end
            as qtd_ppi
    from informados as i
    where i.limite_tipo = 'ppi' and i.visto_ate is null
    group by all
),

tetos as (
    select
        i.competencia,
        i.unidade_executante_cnes,
        i.procedimento_codigo,
        i.qtd_limite as qtd_teto
    from informados as i
    where i.limite_tipo = 'teto' and i.visto_ate is null
),

limitadas as (
    select
        o.{{ place_keys() | join(',\n        o.') }},
        o.qtd_vagas_ativas,
        p.qtd_ppi,
        t.qtd_teto
    from oferta as o
    left join ppi as p
        on
            o.competencia = p.competencia
            and o.central_executora_codigo = p.central_executora_codigo
            and o.procedimento_codigo = p.procedimento_codigo
    left join tetos as t
        on
            o.competencia = t.competencia
            and o.unidade_executante_cnes = t.unidade_executante_cnes
            and o.procedimento_codigo = t.procedimento_codigo
),

{{ limited_offer() }},

final as (
    select
        -- identificadores
        r.{{ place_keys() | join(',\n        r.') }},
        -- quantidades
        r.qtd_ppi,
        r.qtd_teto,
        r.qtd_apos_teto,
        r.qtd_oferta_real
    from repartidas as r
)

select * from final
