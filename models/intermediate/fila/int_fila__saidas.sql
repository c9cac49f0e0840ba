-- Grain: one row per request: when it was booked, when and why it closed, what became of the
-- appointment, by the end of data_referencia. Rules regra_estados_solicitacao and regra_saida_fila.
with solicitacoes as (
    select * from {{ ref('int_fila__solicitacoes') }}
),

laudos as (
    select * from {{ ref('int_fila__laudos') }}
),

negativas as (
    select
        l.solicitacao_codigo,
        max(l.momento_laudo) as momento_negativa
    from laudos as l
    where l.laudo_situacao = 'NEGADA'
    group by l.solicitacao_codigo
),

marcos as (
    select
        s.*,
        n.momento_negativa,
        coalesce(
            s.situacao_grupo in ('agendada', 'confirmada', 'falta', 'agendamento_cancelado')
            or (
                -- Criterion 4: without a telling situation, only a full booking proves itself.
                s.situacao_grupo in ('cancelada', 'indefinida')
                and s.momento_aprovacao is not null
                and s.momento_agendamento is not null
            ), false
        ) as tem_agendamento
    from solicitacoes as s
    left join negativas as n on s.solicitacao_codigo = n.solicitacao_codigo
),

saidas_brutas as (
    select
        m.*,
        case
            when m.tem_agendamento then
                greatest(
                    m.momento_solicitacao,
                    coalesce(
                        m.momento_aprovacao, least(m.momento_atualizacao, m.momento_agendamento)
                    )
                )
        end as momento_agendada,
        case
            when m.situacao_grupo in ('cancelada', 'agendamento_cancelado')
                then coalesce(m.momento_cancelamento, m.momento_atualizacao)
            when m.situacao_grupo = 'indefinida' then m.momento_cancelamento
        end as momento_cancelada,
        case
            when m.situacao_grupo = 'negada'
                then coalesce(m.momento_negativa, m.momento_atualizacao)
            when m.situacao_grupo = 'indefinida' then m.momento_negativa
        end as momento_negada,
        case
            when m.momento_agendamento is not null then m.momento_agendamento
            when m.situacao_grupo in ('confirmada', 'falta')
                then coalesce(m.momento_confirmacao, m.momento_atualizacao)
        end as momento_atendimento
    from marcos as m
),

encerramentos as (
    -- A booking ends with its appointment or its cancellation, whichever comes first.
    select
        b.*,
        case
            when b.situacao_grupo = 'inexistente' then b.momento_solicitacao
            when b.tem_agendamento then least(b.momento_atendimento, b.momento_cancelada)
            else coalesce(b.momento_cancelada, b.momento_negada)
        end as momento_encerramento
    from saidas_brutas as b
),

final as (
    select
        e.solicitacao_codigo,
        e.momento_agendada,
        -- Nothing ends before it began; `greatest` alone would close what is still open.
        case
            when e.momento_encerramento is not null
                then greatest(
                    e.momento_encerramento, coalesce(e.momento_agendada, e.momento_solicitacao)
                )
        end as momento_encerramento,
        case
            when e.momento_encerramento is null then null
            when e.situacao_grupo = 'inexistente' then 'outras'
            when e.tem_agendamento and e.momento_cancelada is not null then 'agendamento_cancelado'
            when e.tem_agendamento and e.situacao_grupo = 'confirmada' then 'atendida'
            when e.tem_agendamento and e.situacao_grupo = 'falta' then 'falta'
            when e.tem_agendamento then 'sem_confirmacao'
            when e.momento_cancelada is not null then 'cancelada'
            else 'negada'
        end as encerramento_motivo,
        case
            when not e.tem_agendamento or e.momento_agendamento is null then null
            when cast(e.momento_cancelada as date) <= {{ data_referencia() }} then 'cancelada'
            when cast(e.momento_agendamento as date) > {{ data_referencia() }} then 'futura'
            when e.situacao_grupo = 'confirmada' then 'confirmada'
            when e.situacao_grupo = 'falta' then 'falta'
            else 'sem_confirmacao'
        end as agendamento_desfecho
    from encerramentos as e
)

select * from final
