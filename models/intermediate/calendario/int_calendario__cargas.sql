-- Grain: complete load known on the day conhecido_em. The only place that leaves loads out by day.
with cargas as (
    select * from {{ source('controle', 'cargas') }}
),

datadas as (
    select
        c.carga_id,
        c.fonte,
        c.entidade,
        c.janela_fim,
        c.iniciada_em,
        c.ordem,
        c.qtd_recebidas,
        c.eh_sintetica,
        -- warehouses of before the day was kept have only the start of the load
        cast(coalesce(c.janela_fim, {{ local_clock('c.iniciada_em') }}) as date) as visto_em
    from cargas as c
    where c.resultado = 'completa'
),

final as (
    select
        -- identificadores
        d.carga_id,
        d.fonte,
        d.entidade,
        -- datas
        d.visto_em,
        d.janela_fim,
        d.iniciada_em,
        -- quantidades
        d.ordem,
        d.qtd_recebidas,
        -- indicadores
        d.eh_sintetica
    from datadas as d
    where {{ known_on('d.visto_em') }}
)

select * from final
