-- Grain: request and booking. The kind of slot is the one the booking used.
with marcadas as (
    select * from {{ ref('int_fila__agendamentos') }}
),

agendamentos as (
    select
        g.solicitacao_codigo,
        g.marcacao_codigo,
        g.unidade_executante_cnes,
        g.procedimento_codigo,
        {{ consumed_slot_kind('g.vaga_consumida_tipo') }} as vaga_tipo,
        cast(g.momento_agendamento as date) as data_atendimento,
        g.momento_agendada as momento_marcacao,
        g.momento_cancelada,
        g.agendamento_desfecho
    from marcadas as g
    where g.agendamento_desfecho is not null
),

destinos as (
    select
        a.solicitacao_codigo,
        a.marcacao_codigo,
        a.unidade_executante_cnes,
        a.procedimento_codigo,
        a.vaga_tipo,
        a.data_atendimento,
        a.momento_marcacao,
        a.momento_cancelada,
        case
            when a.agendamento_desfecho <> 'cancelada' then a.agendamento_desfecho
            -- a booking cancelled on the day itself, or later, gave nobody the time to use the slot
            when cast(a.momento_cancelada as date) < a.data_atendimento then 'liberada'
            else 'cancelada_tarde'
        end as marcacao_destino
    from agendamentos as a
),

final as (
    select
        -- identificadores
        d.solicitacao_codigo,
        d.marcacao_codigo,
        {{ competencia('d.data_atendimento') }} as competencia,
        d.unidade_executante_cnes,
        d.procedimento_codigo,
        d.vaga_tipo,
        -- datas
        d.data_atendimento,
        d.momento_marcacao,
        case when d.marcacao_destino = 'liberada' then d.momento_cancelada end
            as momento_liberacao,
        -- categorias
        d.marcacao_destino
    from destinos as d
)

select * from final
