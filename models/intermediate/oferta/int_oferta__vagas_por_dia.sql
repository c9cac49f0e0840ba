-- Grain: schedule, date, kind of slot. Blocked slots = slots × united minutes ÷ minutes of the
-- block, rounded up, in whole numbers, cumulatively by cause (regra_ordem_das_causas).
with escalas as (
    select * from {{ ref('int_oferta__escalas') }}
),

bloqueios as (
    select * from {{ ref('int_oferta__bloqueios') }}
),

-- a kind without slots has no row; a kind whose quantity is unknown has one, without measures
escalas_por_tipo as (
    {% for tipo in ['primeira_vez', 'retorno', 'reserva'] %}
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
        '{{ tipo }}' as vaga_tipo,
        cast(e.qtd_vagas_{{ tipo }} as bigint) as qtd_vagas_total
    from escalas as e
    where e.escala_destino = 'expandida' and e.qtd_vagas_{{ tipo }} is distinct from 0
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
),

dias as (
    select
        e.escala_id,
        e.escala_codigo,
        e.central_executora_codigo,
        e.unidade_executante_cnes,
        e.procedimento_codigo,
        e.profissional_id,
        e.hora_inicio,
        e.hora_fim,
        e.eh_agenda_local,
        e.vaga_tipo,
        e.qtd_vagas_total,
        {{ explode_days('e.primeira_data', 'e.ultima_data', 7) }} as data
    from escalas_por_tipo as e
),

final as (
    select
        -- identificadores
        d.escala_id,
        d.escala_codigo,
        d.data,
        d.vaga_tipo,
        d.central_executora_codigo,
        d.unidade_executante_cnes,
        d.procedimento_codigo,
        d.profissional_id,
        d.hora_inicio,
        d.hora_fim,
        -- categorias
        d.eh_agenda_local,
        -- quantidades
        {% for causa in ['feriado', 'afastamento_unidade', 'afastamento_profissional'] %}
        {{ ceil_div(
            'd.qtd_vagas_total * coalesce(b.minutos_ate_' ~ causa ~ ', 0)',
            'coalesce(b.minutos_bloco, 1)'
        ) }} as qtd_bloqueadas_ate_{{ causa }},
        {% endfor %}
        d.qtd_vagas_total
    from dias as d
    left join bloqueios as b
        on d.escala_id = b.escala_id and d.data = b.data
)

select * from final
