{{ config(materialized='ephemeral') }}

-- Grain: requesting unit, procedure and month with a quota, as the newest load tells it that was
-- seen by the reference day, or else the first.
with cotas as (
    select
        c.*,
        case
            when g.visto_em <= {{ last_day_seen() }} then -c._carga_ordem else c._carga_ordem
        end as preferencia,
        g.visto_em <= {{ last_day_seen() }} as eh_conhecida
    from {{ ref('stg_sisreg__cotas') }} as c
    inner join {{ ref('int_calendario__cargas') }} as g on c._carga_id = g.carga_id
),

ordenadas as (
    select
        c.*,
        row_number() over (
            partition by
                c.unidade_solicitante_cnes, c.procedimento_codigo, c.competencia, c.ppi_tipo
            order by c.eh_conhecida desc, c.preferencia asc, c._linha asc
        ) as ordem
    from cotas as c
),

final as (
    select
        o.unidade_solicitante_cnes,
        o.procedimento_codigo,
        o.competencia
    from ordenadas as o
    where o.ordem = 1 and o.qtd_cota > 0
    group by all
)

select * from final
