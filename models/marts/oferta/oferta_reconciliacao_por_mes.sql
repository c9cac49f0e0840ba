-- Grain: month, explanation. How much of the report agrees, is explained, and is not.
with reconciliacao as (
    select * from {{ ref('oferta_reconciliacao') }}
),

contadas as (
    select
        r.competencia,
        r.explicacao,
        count(*) as qtd_celulas,
        cast(sum(abs(r.qtd_diferenca)) as bigint) as qtd_vagas_de_diferenca
    from reconciliacao as r
    group by all
),

final as (
    select
        -- identificadores
        c.competencia,
        c.explicacao,
        -- quantidades
        c.qtd_celulas,
        {{ percentage('c.qtd_celulas', 'sum(c.qtd_celulas) over (partition by c.competencia)') }}
            as pct_celulas,
        c.qtd_vagas_de_diferenca
    from contadas as c
)

select * from final
