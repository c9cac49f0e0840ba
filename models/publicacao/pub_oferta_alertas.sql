-- Grain: rule, unit, procedure, month. Alerts about agendas, added up over professionals; none
-- about one person, none that counts who waits or what was booked (regra_alertas_publicados).
with alertas as (
    select * from {{ ref('int_oferta__alertas_vencimento') }}

    union all

    select * from {{ ref('int_oferta__alertas_queda') }}
),

procedimentos as (
    select * from {{ ref('pub_dim_procedimentos') }}
),

-- where a unit offers a procedure at all, or may: an unknown number is no zero
ofertas as (
    select
        o.competencia,
        o.unidade_executante_cnes,
        o.procedimento_codigo
    from {{ ref('int_oferta__por_mes') }} as o
    where o.qtd_vagas_total is distinct from 0
    group by all
),

-- what one professional no longer offers, another of the unit may: then it is a fall
por_unidade as (
    select
        a.unidade_executante_cnes,
        a.procedimento_codigo,
        a.competencia,
        case
            when a.regra_codigo = 'oferta_desaparecida' and o.competencia is not null
                then 'queda_de_oferta'
            else a.regra_codigo
        end as regra_codigo,
        a.qtd_vagas
    from alertas as a
    inner join procedimentos as p
        on a.procedimento_codigo = p.procedimento_codigo
    left join ofertas as o
        on
            a.competencia = o.competencia
            and a.unidade_executante_cnes = o.unidade_executante_cnes
            and a.procedimento_codigo = o.procedimento_codigo
),

final as (
    select
        -- identificadores
        u.regra_codigo,
        u.unidade_executante_cnes,
        u.procedimento_codigo,
        u.competencia,
        -- categorias
        case u.regra_codigo when 'oferta_desaparecida' then 'alta' else 'media' end
            as gravidade_codigo,
        -- quantidades
        cast(sum(u.qtd_vagas) as bigint) as qtd_vagas
    from por_unidade as u
    group by all
)

select * from final
