-- One row: what day the published tables describe, and which dbt run made them. `mapa publish`
-- compares the run with dbt's own record, so that tables of another build never leave the house.
with referencia as (
    select * from {{ ref('int_calendario__referencia') }}
),

oferta as (
    select * from {{ ref('oferta_real_por_mes') }}
),

cargas as (
    select * from {{ ref('int_calendario__cargas') }}
),

-- one simulated load makes everything synthetic; what nobody noted is unknown, not real
origem as (
    select
        case
            when count(case when c.eh_sintetica then 1 end) > 0 then true
            when count(c.eh_sintetica) = count(*) then false
        end as eh_sintetico
    from cargas as c
),

periodo as (
    select
        min(o.competencia) as primeira_competencia,
        max(o.competencia) as ultima_competencia
    from oferta as o
),

final as (
    select
        r.data_referencia,
        p.primeira_competencia,
        p.ultima_competencia,
        g.eh_sintetico,
        case
            when g.eh_sintetico
                then
                    'DADOS SINTÉTICOS: cidade simulada, nos formatos do SISREG e do CNES; '
                    || 'Mapa Social da Saúde, MPDFT'
            else 'SISREG e CNES, Ministério da Saúde; Mapa Social da Saúde, MPDFT'
        end as fonte,
        'CC BY 4.0' as licenca,
        '{{ invocation_id }}' as construcao_id
    from referencia as r
    cross join periodo as p
    cross join origem as g
)

select * from final
