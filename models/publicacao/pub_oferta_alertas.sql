-- Grain: rule and what it is about (unit, procedure, month). Alerts about agendas, added up over
-- professionals; none about one person, none that counts who waits (regra_alertas_publicados).

with alertas as (
    select * from {{ ref('oferta_alertas') }}
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
        a.data_referencia,
        a.competencia,
        case
            when a.regra_codigo = 'oferta_desaparecida' and o.competencia is not null
                then 'queda_de_oferta'
            else a.regra_codigo
        end as regra_codigo,
        -- active slots tell the leaves of days that are told nowhere else
        case when a.regra_codigo not like '%_sem_marcacao' then a.qtd_vagas end as qtd_vagas
    from alertas as a
    left join ofertas as o
        on
            a.competencia = o.competencia
            and a.unidade_executante_cnes = o.unidade_executante_cnes
            and a.procedimento_codigo = o.procedimento_codigo
    left join procedimentos as p
        on a.procedimento_codigo = p.procedimento_codigo
    where
        a.regra_codigo in (
            'escala_vencendo',
            'queda_de_oferta',
            'oferta_desaparecida',
            'unidade_sem_marcacao',
            'procedimento_sem_marcacao'
        )
        and (a.procedimento_codigo is null or p.procedimento_codigo is not null)
),

final as (
    select
        -- identificadores
        {{ surrogate_key([
            'u.regra_codigo',
            'u.unidade_executante_cnes',
            'u.procedimento_codigo',
            'u.competencia',
        ]) }} as alerta_id,
        u.unidade_executante_cnes,
        u.procedimento_codigo,
        -- datas
        u.data_referencia,
        u.competencia,
        -- categorias
        u.regra_codigo,
        case u.regra_codigo when 'oferta_desaparecida' then 'alta' else 'media' end
            as gravidade_codigo,
        -- quantidades
        cast(sum(u.qtd_vagas) as bigint) as qtd_vagas
    from por_unidade as u
    group by all
)

select * from final
