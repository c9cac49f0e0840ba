-- Grain: subject, of what is published with it. What day its tables describe, and which dbt run
-- made them. `mapa publish` puts the row of the last good release here for a subject that failed.
with referencia as (
    select * from {{ ref('int_calendario__referencia') }}
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

assuntos as (
    select 'oferta' as assunto
    union all
    select 'acordo' as assunto
    union all
    select 'fila' as assunto
    union all
    select 'proadi' as assunto
),

final as (
    select
        a.assunto,
        r.data_referencia,
        false as eh_desatualizado,
        g.eh_sintetico,
        case
            when g.eh_sintetico
                then 'DADOS SINTÉTICOS: cidade simulada, nos formatos do SISREG e do CNES; '
            when a.assunto = 'proadi' then 'Registro do PROADI-SUS, de quem opera o banco; '
            else 'SISREG e CNES, Ministério da Saúde; '
        end || 'Mapa Social da Saúde, {{ setting('responsavel') }}' as fonte,
        'CC BY 4.0' as licenca,
        '{{ invocation_id }}' as construcao_id
    from assuntos as a
    cross join referencia as r
    cross join origem as g
)

select * from final
