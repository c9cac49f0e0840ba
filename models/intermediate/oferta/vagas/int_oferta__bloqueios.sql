-- Grain: schedule, date; only the days that some cause touches. How: macro blocked_minutes.
with escalas as (
    select * from {{ ref('int_oferta__escalas') }}
),

interrupcoes as (
    select * from {{ ref('int_oferta__interrupcoes') }}
),

expandidas as (
    select
        e.escala_id,
        e.unidade_executante_cnes,
        e.procedimento_codigo,
        e.profissional_id,
        e.dia_semana_numero,
        e.tem_horario,
        e.bloco_inicio,
        e.bloco_fim,
        e.primeira_data,
        e.ultima_data
    from escalas as e
    where e.escala_destino = 'expandida'
),

{{ blocked_minutes() }},

final as (
    select
        -- identificadores
        m.escala_id,
        m.data,
        -- quantidades
        m.minutos_bloco,
        m.minutos_ate_feriado,
        m.minutos_ate_afastamento_unidade,
        m.minutos_ate_afastamento_profissional
    from minutos as m
)

select * from final
