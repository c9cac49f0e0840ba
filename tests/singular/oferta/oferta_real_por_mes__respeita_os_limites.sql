-- No limit is exceeded and none takes more than it must: the centrals of a unit add up exactly to
-- the smaller of its ceiling and its active slots, the units of a central to the smaller of the
-- agreement and what the ceilings leave.
with oferta as (
    select * from {{ ref('oferta_real_por_mes') }}
),

por_central as (
    select
        o.competencia,
        o.central_executora_codigo,
        o.procedimento_codigo,
        max(o.qtd_ppi) as qtd_ppi,
        sum(o.qtd_vagas_ativas - o.qtd_vagas_perdidas_teto) as qtd_apos_teto,
        sum(o.qtd_oferta_real) as qtd_oferta_real
    from oferta as o
    group by
        o.competencia,
        o.central_executora_codigo,
        o.procedimento_codigo
),

por_unidade as (
    select
        o.competencia,
        o.unidade_executante_cnes,
        o.procedimento_codigo,
        max(o.qtd_teto) as qtd_teto,
        sum(o.qtd_vagas_ativas) as qtd_ativas,
        sum(o.qtd_vagas_ativas - o.qtd_vagas_perdidas_teto) as qtd_apos_teto
    from oferta as o
    group by
        o.competencia,
        o.unidade_executante_cnes,
        o.procedimento_codigo
),

falhas as (
    select
        o.competencia,
        o.unidade_executante_cnes as onde,
        o.procedimento_codigo
    from oferta as o
    where o.qtd_oferta_real > o.qtd_vagas_ativas or o.qtd_oferta_real > o.qtd_teto

    union all

    select
        u.competencia,
        u.unidade_executante_cnes as onde,
        u.procedimento_codigo
    from por_unidade as u
    where
        u.qtd_apos_teto is distinct from
        case when u.qtd_teto < u.qtd_ativas then u.qtd_teto else u.qtd_ativas end

    union all

    select
        c.competencia,
        c.central_executora_codigo as onde,
        c.procedimento_codigo
    from por_central as c
    where
        c.qtd_oferta_real is distinct from
        case when c.qtd_ppi < c.qtd_apos_teto then c.qtd_ppi else c.qtd_apos_teto end
)

select * from falhas
