-- Grain: month, executing central, executing unit, procedure. The ceiling holds per unit; what the
-- agreement (PPI) of a central and procedure leaves is shared between its units by largest
-- remainder, ties to the smaller CNES (regra_oferta_real). A missing limit is no limit.
{% set central = 'competencia, central_executora_codigo, procedimento_codigo' %}

with oferta as (
    select * from {{ ref('int_oferta__por_mes') }}
),

ppi as (
    select * from {{ ref('stg_sisreg__ppi') }}
),

tetos as (
    select * from {{ ref('stg_sisreg__tetos') }}
),

ppi_versoes as (
    select
        p.competencia,
        p.central_executora_codigo,
        p.procedimento_codigo,
        p.qtd_ppi,
        row_number() over (
            partition by {{ central }}, central_solicitante_codigo
            order by p._carregado_em desc, p._linha desc
        ) as versao_ordem
    from ppi as p
),

ppi_por_central as (
    select
        v.competencia,
        v.central_executora_codigo,
        v.procedimento_codigo,
        -- one unknown share makes the agreement unknown
        case when count(*) = count(v.qtd_ppi) then cast(sum(v.qtd_ppi) as bigint) end as qtd_ppi
    from ppi_versoes as v
    where v.versao_ordem = 1
    group by v.competencia, v.central_executora_codigo, v.procedimento_codigo
),

tetos_versoes as (
    select
        t.competencia,
        t.unidade_executante_cnes,
        t.procedimento_codigo,
        cast(t.qtd_teto as bigint) as qtd_teto,
        row_number() over (
            partition by t.competencia, t.unidade_executante_cnes, t.procedimento_codigo
            order by t._carregado_em desc, t._linha desc
        ) as versao_ordem
    from tetos as t
),

depois_do_teto as (
    select
        o.competencia,
        o.central_executora_codigo,
        o.unidade_executante_cnes,
        o.procedimento_codigo,
        p.qtd_ppi,
        t.qtd_teto,
        case when t.qtd_teto < o.qtd_vagas_ativas then t.qtd_teto else o.qtd_vagas_ativas end
            as qtd_apos_teto
    from oferta as o
    left join ppi_por_central as p
        on
            o.competencia = p.competencia
            and o.central_executora_codigo = p.central_executora_codigo
            and o.procedimento_codigo = p.procedimento_codigo
    left join tetos_versoes as t
        on
            o.competencia = t.competencia
            and o.unidade_executante_cnes = t.unidade_executante_cnes
            and o.procedimento_codigo = t.procedimento_codigo
            and t.versao_ordem = 1
),

somadas as (
    select
        d.competencia,
        d.central_executora_codigo,
        d.unidade_executante_cnes,
        d.procedimento_codigo,
        d.qtd_ppi,
        d.qtd_teto,
        d.qtd_apos_teto,
        cast(sum(d.qtd_apos_teto) over (partition by {{ central }}) as bigint) as qtd_da_central
    from depois_do_teto as d
),

-- whole part and remainder of each unit's share
partes as (
    select
        s.competencia,
        s.central_executora_codigo,
        s.unidade_executante_cnes,
        s.procedimento_codigo,
        s.qtd_ppi,
        s.qtd_teto,
        s.qtd_apos_teto,
        s.qtd_da_central,
        {{ int_div('s.qtd_ppi * s.qtd_apos_teto', 'greatest(s.qtd_da_central, 1)') }} as parte,
        s.qtd_ppi * s.qtd_apos_teto % greatest(s.qtd_da_central, 1) as resto
    from somadas as s
),

ordenadas as (
    select
        p.competencia,
        p.central_executora_codigo,
        p.unidade_executante_cnes,
        p.procedimento_codigo,
        p.qtd_ppi,
        p.qtd_teto,
        p.qtd_apos_teto,
        p.qtd_da_central,
        p.parte,
        sum(p.parte) over (partition by {{ central }}) as partes_da_central,
        row_number() over (
            partition by {{ central }}
            order by p.resto desc nulls last, p.unidade_executante_cnes asc
        ) as ordem_do_resto
    from partes as p
),

final as (
    select
        -- identificadores
        o.competencia,
        o.central_executora_codigo,
        o.unidade_executante_cnes,
        o.procedimento_codigo,
        -- quantidades
        o.qtd_ppi,
        o.qtd_teto,
        o.qtd_apos_teto,
        case
            when o.qtd_apos_teto is null then null
            when not coalesce(o.qtd_ppi < o.qtd_da_central, false) then o.qtd_apos_teto
            when o.ordem_do_resto <= o.qtd_ppi - o.partes_da_central then o.parte + 1
            else o.parte
        end as qtd_oferta_real
    from ordenadas as o
)

select * from final
