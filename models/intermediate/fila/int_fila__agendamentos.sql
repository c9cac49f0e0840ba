-- Grain: one row per request and booking made by the end of data_referencia, with what was known
-- then of its outcome. Rules regra_saida_fila and regra_desfecho_agendamento.
with agendamentos as (
    select * from {{ ref('int_fila__agendamentos_feitos') }}
),

desfechos as (
    select * from {{ ref('int_fila__desfechos') }}
),

fatos as (
    select
        a.solicitacao_codigo,
        a.marcacao_codigo,
        d.momento,
        d.desfecho,
        d.eh_datado,
        row_number() over (
            partition by a.solicitacao_codigo, a.marcacao_codigo
            order by
                d.momento desc,
                case d.desfecho
                    when 'cancelada' then 1 when 'confirmada' then 2 when 'falta' then 3 else 4
                end asc
        ) as ordem_inversa
    from agendamentos as a
    inner join desfechos as d
        on
            a.solicitacao_codigo = d.solicitacao_codigo
            and (
                a.marcacao_codigo = d.marcacao_codigo
                or (
                    d.marcacao_codigo = 'em_vigor'
                    and a.momento_agendada <= d.momento
                    and (a.proxima_agendada is null or a.proxima_agendada > d.momento)
                )
            )
),

conhecidos as (
    select
        f.solicitacao_codigo,
        f.marcacao_codigo,
        max(case when f.ordem_inversa = 1 then f.desfecho end) as desfecho,
        coalesce(
            min(case when f.desfecho = 'cancelada' and f.eh_datado then f.momento end),
            min(case when f.desfecho = 'cancelada' then f.momento end)
        ) as momento_cancelada
    from fatos as f
    group by all
),

encerrados as (
    select
        a.*,
        c.desfecho,
        case
            when c.desfecho = 'cancelada' then c.momento_cancelada
            -- Replaced before its day came, by a booking that took its place in the source.
            when
                coalesce(c.desfecho, 'agendada') = 'agendada'
                and a.ultima_vista < a.proxima_vista
                and a.proxima_agendada < a.momento_agendamento
                then a.proxima_agendada
        end as momento_cancelada,
        coalesce(
            a.momento_agendamento,
            case when c.desfecho in ('confirmada', 'falta') then a.momento_conhecida end
        ) as momento_atendimento
    from agendamentos as a
    left join conhecidos as c
        on a.solicitacao_codigo = c.solicitacao_codigo and a.marcacao_codigo = c.marcacao_codigo
),

final as (
    select
        e.solicitacao_codigo,
        e.marcacao_codigo,
        e.momento_solicitacao,
        e.momento_agendada,
        e.proxima_agendada,
        e.momento_agendamento,
        case
            when e.momento_cancelada is not null
                then greatest(e.momento_cancelada, e.momento_agendada)
        end as momento_cancelada,
        -- Nothing ends before it began; `greatest` alone would close what is still open.
        case
            when coalesce(e.momento_cancelada, e.momento_atendimento) is not null
                then greatest(
                    least(e.momento_cancelada, e.momento_atendimento), e.momento_agendada
                )
        end as momento_encerramento,
        case
            when e.momento_cancelada is not null then 'agendamento_cancelado'
            when e.momento_atendimento is null then null
            when e.desfecho = 'confirmada' then 'atendida'
            when e.desfecho = 'falta' then 'falta'
            else 'sem_confirmacao'
        end as encerramento_motivo,
        case
            when e.momento_agendamento is null then null
            when e.momento_cancelada is not null then 'cancelada'
            when cast(e.momento_agendamento as date) > {{ data_referencia() }} then 'futura'
            when e.desfecho in ('confirmada', 'falta') then e.desfecho
            else 'sem_confirmacao'
        end as agendamento_desfecho,
        e.unidade_executante_cnes,
        e.procedimento_codigo,
        e.vaga_consumida_tipo
    from encerrados as e
)

select * from final
