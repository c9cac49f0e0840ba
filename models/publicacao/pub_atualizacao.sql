-- One row: what day the published tables describe, and which dbt run made them. `mapa publish`
-- compares the run with dbt's own record, so that tables of another build never leave the house.
with referencia as (
    select * from {{ ref('int_calendario__referencia') }}
),

oferta as (
    select * from {{ ref('oferta_real_por_mes') }}
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
        'SISREG e CNES, Ministério da Saúde; Mapa Social da Saúde, MPDFT' as fonte,
        'CC BY 4.0' as licenca,
        '{{ invocation_id }}' as construcao_id
    from referencia as r
    cross join periodo as p
)

select * from final
