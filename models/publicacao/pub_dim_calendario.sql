with calendario as (
    select * from {{ ref('dim_calendario') }}
),

final as (
    select
        c.data,
        c.competencia,
        c.ano,
        c.mes,
        c.dia_semana_numero,
        c.dia_semana_sigla,
        c.eh_feriado,
        c.feriado_descricao,
        c.eh_dia_util
    from calendario as c
)

select * from final
