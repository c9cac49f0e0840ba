{{ config(materialized='view') }}

-- Grain: one row per request and fact of its own documents by the end of data_referencia: entry,
-- history, cancellation, situation. Rule regra_estados_solicitacao.
with solicitacoes as (
    select *
    from {{ ref('int_fila__solicitacoes') }}
    where momento_solicitacao is not null
),

versoes as (
    select * from {{ ref('int_fila__versoes') }}
),

laudos as (
    select * from {{ ref('int_fila__laudos') }}
),

com_agendamento as (
    select a.solicitacao_codigo
    from {{ ref('int_fila__agendamentos') }} as a
    group by a.solicitacao_codigo
),

-- `etapa` orders what happened at one instant.
fatos as (
    select
        s.solicitacao_codigo,
        s.momento_solicitacao as momento,
        0 as etapa,
        'pedido' as origem,
        case when s.nasceu_inexistente then 'encerrada' else 'aguardando' end as estado,
        case when s.nasceu_inexistente then 'outras' else '' end as motivo
    from solicitacoes as s
    union all
    select
        l.solicitacao_codigo,
        l.momento_laudo as momento,
        t.etapa,
        t.origem,
        t.estado,
        t.motivo
    from laudos as l
    inner join (
        values
        ('DEVOLVIDA', 1, 'laudo', 'devolvida', ''),
        ('PENDENTE', 2, 'laudo', 'aguardando', ''),
        ('REENVIADA', 2, 'reenvio', 'aguardando', ''),
        ('NEGADA', 3, 'laudo', 'encerrada', 'negada'),
        ('CANCELADA', 3, 'cancelamento', 'encerrada', 'cancelada'),
        ('AGENDADA', 4, 'laudo', 'agendada', ''),
        ('AUTORIZADA', 4, 'laudo', 'agendada', '')
    ) as t (laudo_situacao, etapa, origem, estado, motivo)
        on l.laudo_situacao = t.laudo_situacao
    union all
    select
        v.solicitacao_codigo,
        v.momento_cancelamento as momento,
        3 as etapa,
        'cancelamento' as origem,
        'encerrada' as estado,
        'cancelada' as motivo
    from versoes as v
    where
        cast(v.momento_cancelamento as date) <= {{ data_referencia() }}
        and (
            v.situacao_grupo in ('cancelada', 'agendamento_cancelado', 'indefinida')
            or v.momento_cancelamento <= v.momento_versao
        )
    union all
    select
        v.solicitacao_codigo,
        v.momento_versao as momento,
        6 as etapa,
        case
            when v.situacao_grupo in ('cancelada', 'agendamento_cancelado') then 'cancelamento'
            else 'situacao'
        end as origem,
        case
            when v.situacao_grupo in ('aguardando', 'devolvida', 'agendada') then v.situacao_grupo
            else 'encerrada'
        end as estado,
        case
            when v.situacao_grupo in ('aguardando', 'devolvida', 'agendada') then ''
            when v.situacao_grupo = 'confirmada' then 'atendida'
            when v.situacao_grupo = 'agendamento_cancelado' then 'cancelada'
            when v.situacao_grupo = 'inexistente' then 'outras'
            else v.situacao_grupo
        end as motivo
    from versoes as v
    left join com_agendamento as c on v.solicitacao_codigo = c.solicitacao_codigo
    where
        v.eh_datada
        and v.situacao_grupo <> 'indefinida'
        and (
            c.solicitacao_codigo is null
            -- The bookings tell by themselves how they went.
            or v.situacao_grupo not in ('agendada', 'confirmada', 'falta')
        )
),

final as (
    select
        f.solicitacao_codigo,
        f.momento,
        f.etapa,
        f.origem,
        f.estado,
        f.motivo
    from fatos as f
    -- Versions tell the same fact again and again.
    group by all
)

select * from final
