-- Grain: one row per request that somebody decided on: the first decision, and the first booking if
-- one followed. Rule regra_etapas_espera.
with estadias as (
    select * from {{ ref('int_fila__estadias') }}
),

intervalos as (
    select * from {{ ref('int_fila__intervalos') }}
),

solicitacoes as (
    select * from {{ ref('int_fila__solicitacoes') }}
),

comecos as (
    select
        e.solicitacao_codigo,
        e.ordem,
        e.procedimento_codigo,
        e.data_inicio,
        case when e.estado = 'encerrada' then 'negada' else e.estado end as decisao
    from estadias as e
    inner join intervalos as i
        on e.solicitacao_codigo = i.solicitacao_codigo and e.ordem = i.ordem
    where
        coalesce(e.estado_anterior, '') <> 'mudanca'
        and (
            e.estado in ('devolvida', 'agendada')
            or (e.estado = 'encerrada' and i.encerramento_motivo = 'negada')
        )
),

ordenados as (
    select
        c.*,
        row_number() over (partition by c.solicitacao_codigo order by c.ordem) as vez,
        row_number() over (
            partition by c.solicitacao_codigo, c.decisao order by c.ordem
        ) as vez_da_decisao
    from comecos as c
),

final as (
    select
        d.solicitacao_codigo,
        cast(s.momento_solicitacao as date) as data_solicitacao,
        d.decisao,
        d.data_inicio as data_decisao,
        d.procedimento_codigo,
        a.data_inicio as data_agendamento,
        a.procedimento_codigo as agendamento_procedimento_codigo
    from ordenados as d
    inner join solicitacoes as s on d.solicitacao_codigo = s.solicitacao_codigo
    left join ordenados as a
        on
            d.solicitacao_codigo = a.solicitacao_codigo
            and a.decisao = 'agendada'
            and a.vez_da_decisao = 1
    where d.vez = 1
)

select * from final
