-- Grain: request that has an appointment. The kind of slot is the one the booking used: code 1 and
-- code 0 (undefined, seen on first visits only) are first visits, 2 is a return, 3 is reserve.
with solicitacoes as (
    select * from {{ ref('int_fila__solicitacoes') }}
),

saidas as (
    select * from {{ ref('int_fila__saidas') }}
),

agendamentos as (
    select
        s.solicitacao_codigo,
        s.unidade_executante_cnes,
        s.procedimento_agendado_codigo as procedimento_codigo,
        case
            when s.vaga_consumida_tipo in ('0', '1') then 'primeira_vez'
            when s.vaga_consumida_tipo = '2' then 'retorno'
            when s.vaga_consumida_tipo = '3' then 'reserva'
            else 'nao_informado'
        end as vaga_tipo,
        cast(s.momento_agendamento as date) as data_atendimento,
        f.momento_agendada as momento_marcacao,
        f.momento_encerramento,
        f.agendamento_desfecho
    from saidas as f
    inner join solicitacoes as s on f.solicitacao_codigo = s.solicitacao_codigo
    where f.agendamento_desfecho is not null
),

destinos as (
    select
        a.solicitacao_codigo,
        a.unidade_executante_cnes,
        a.procedimento_codigo,
        a.vaga_tipo,
        a.data_atendimento,
        a.momento_marcacao,
        a.momento_encerramento,
        case
            when a.agendamento_desfecho <> 'cancelada' then a.agendamento_desfecho
            -- a booking cancelled on the day itself, or later, gave nobody the time to use the slot
            when cast(a.momento_encerramento as date) < a.data_atendimento then 'liberada'
            else 'cancelada_tarde'
        end as marcacao_destino
    from agendamentos as a
),

final as (
    select
        -- identificadores
        d.solicitacao_codigo,
        {{ competencia('d.data_atendimento') }} as competencia,
        d.unidade_executante_cnes,
        d.procedimento_codigo,
        d.vaga_tipo,
        -- datas
        d.data_atendimento,
        d.momento_marcacao,
        case when d.marcacao_destino = 'liberada' then d.momento_encerramento end
            as momento_liberacao,
        -- categorias
        d.marcacao_destino
    from destinos as d
)

select * from final
