-- Grain: one row per request and period in which it was counted in one cell of the queue.
-- Rule regra_versao_vigente.
with vigencias as (
    select * from {{ ref('int_fila__vigencias') }}
),

residencias as (
    select * from {{ ref('int_pessoas__residencias') }}
),

lidos as (
    select
        v.solicitacao_codigo,
        v.vigencia,
        v.vale_de,
        {{ request_procedure('v') }} as procedimento_codigo,
        coalesce(r.regiao_saude_codigo, 'nao_identificada') as regiao_saude_codigo,
        {{ request_risk('v') }} as risco_codigo
    from vigencias as v
    left join residencias as r
        on v.solicitacao_codigo = r.solicitacao_codigo and v.vigencia = r.vigencia
),

comparados as (
    select
        l.*,
        lag(l.procedimento_codigo) over (
            partition by l.solicitacao_codigo order by l.vigencia
        ) as procedimento_anterior,
        lag(l.regiao_saude_codigo) over (
            partition by l.solicitacao_codigo order by l.vigencia
        ) as regiao_anterior,
        lag(l.risco_codigo) over (
            partition by l.solicitacao_codigo order by l.vigencia
        ) as risco_anterior
    from lidos as l
),

final as (
    select
        c.solicitacao_codigo,
        c.vigencia,
        c.vale_de,
        lead(c.vale_de) over (
            partition by c.solicitacao_codigo order by c.vigencia
        ) as vale_ate,
        c.procedimento_codigo,
        c.regiao_saude_codigo,
        c.risco_codigo
    from comparados as c
    where
        c.vigencia = 1
        or c.procedimento_codigo <> c.procedimento_anterior
        or c.regiao_saude_codigo <> c.regiao_anterior
        or c.risco_codigo <> c.risco_anterior
)

select * from final
