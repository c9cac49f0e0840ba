-- Grain: schedule, date, kind of slot. What is blocked, cumulatively by cause: macro expanded_slots
-- (regra_ordem_das_causas).
with escalas as (
    select * from {{ ref('int_oferta__escalas') }}
),

minutos as (
    select * from {{ ref('int_oferta__bloqueios') }}
),

expandidas as (
    select
        e.escala_id,
        e.escala_codigo,
        e.central_executora_codigo,
        e.unidade_executante_cnes,
        e.procedimento_codigo,
        e.profissional_id,
        e.primeira_data,
        e.ultima_data,
        {{ minute_text('e.minuto_inicio') }} as hora_inicio,
        {{ minute_text('e.minuto_fim') }} as hora_fim,
        e.eh_agenda_local,
        e.qtd_vagas_primeira_vez,
        e.qtd_vagas_retorno,
        e.qtd_vagas_reserva
    from escalas as e
    where e.escala_destino = 'expandida'
),

{{ expanded_slots() }},

final as (
    select
        -- identificadores
        v.escala_id,
        v.escala_codigo,
        v.data,
        v.vaga_tipo,
        v.central_executora_codigo,
        v.unidade_executante_cnes,
        v.procedimento_codigo,
        v.profissional_id,
        v.hora_inicio,
        v.hora_fim,
        -- categorias
        v.eh_agenda_local,
        -- quantidades
        v.qtd_vagas_total,
        v.qtd_bloqueadas_ate_feriado,
        v.qtd_bloqueadas_ate_afastamento_unidade,
        v.qtd_vagas_bloqueadas
    from vagas as v
)

select * from final
