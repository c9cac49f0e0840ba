-- Grain: month of the request and municipality of residence. Where those live who enter the queue.
-- Indicator 54. Rule regra_regiao_residencia.
with percursos as (
    select * from {{ ref('int_fila__percursos') }}
),

residencias as (
    select * from {{ ref('int_pessoas__residencias') }}
),

contagens as (
    select
        {{ competencia('p.data_entrada') }} as competencia,
        coalesce(r.residencia_municipio_ibge, 'nao_identificado') as residencia_municipio_ibge,
        count(*) as qtd_entradas
    from percursos as p
    left join residencias as r
        on p.solicitacao_codigo = r.solicitacao_codigo and r.vigencia = 1
    group by
        {{ competencia('p.data_entrada') }},
        coalesce(r.residencia_municipio_ibge, 'nao_identificado')
),

final as (
    select
        c.competencia,
        c.residencia_municipio_ibge,
        cast(c.qtd_entradas as integer) as qtd_entradas,
        {{ percentage('c.qtd_entradas', 'sum(c.qtd_entradas) over (partition by c.competencia)') }}
            as pct_entradas
    from contagens as c
)

select * from final
