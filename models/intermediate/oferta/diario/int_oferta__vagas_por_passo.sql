-- Grain: day seen, step, schedule, date, kind of slot; only slots that the day may change.
-- Step 0 is the picture of the day before; then come, one after the other, what is new of the
-- schedules (1), holidays (2), leaves of units (3) and of professionals (4). What a step changes is
-- due to it (regra_diario_da_oferta).
with escalas as (
    select *
    from {{ ref('int_oferta__escalas') }}
    -- without end it reaches the day before it is seen: it has no slot to come
    where pode_ofertar and data_limite is not null
),

interrupcoes as (
    select * from {{ ref('int_oferta__interrupcoes') }}
),

-- versions of holidays and leaves that began or ended
interrupcoes_mudadas as (
    select
        d.visto_em,
        d.ultima_data_comum,
        i.causa_bloqueio,
        i.unidade_executante_cnes,
        i.profissional_id,
        i.procedimento_codigo,
        i.data_inicio,
        i.data_fim
    from interrupcoes as i
    inner join {{ ref('int_oferta__versoes_dias') }} as d
        on i.visto_de = d.visto_em or {{ add_days('i.visto_ate', 1) }} = d.visto_em
    where d.anterior_em is not null and i.data_fim >= d.visto_em
),

periodos as (
    select
        m.visto_em,
        e.escala_codigo,
        e.dia_semana_numero,
        greatest(e.primeira_ocorrencia, m.visto_em) as desde,
        least(e.data_limite, m.ultima_data_comum) as ate
    from {{ ref('int_oferta__escalas_mudadas') }} as m
    inner join escalas as e
        on
            m.escala_codigo = e.escala_codigo
            and m.visto_em >= e.visto_de
            and coalesce(e.visto_ate >= {{ add_days('m.visto_em', -1) }}, true)
    {% for causa in block_causes() %}

    union all

    select
        i.visto_em,
        e.escala_codigo,
        e.dia_semana_numero,
        greatest(e.primeira_ocorrencia, i.visto_em, i.data_inicio) as desde,
        least(e.data_limite, i.ultima_data_comum, i.data_fim) as ate
    from interrupcoes_mudadas as i
    inner join escalas as e
        on
            {{ interruption_meets(causa) }}
            and i.visto_em >= e.visto_de
            and coalesce(i.visto_em <= e.visto_ate, true)
            and i.data_inicio <= e.data_limite
            and i.data_fim >= e.primeira_ocorrencia
    {% endfor %}
),

-- a slot that several changes touch is looked at once
ocorrencias as (
    select distinct
        p.visto_em,
        p.escala_codigo,
        {{ explode_days(next_weekday('p.desde', 'p.dia_semana_numero'), 'p.ate', 7) }} as data
    from periodos as p
),

-- the day whose end each step shows of schedules and of each cause
passos as (
    select
        p.visto_em,
        p.escala_codigo,
        p.data as primeira_data,
        p.data as ultima_data,
        {% for causa in block_causes() %}
        case
            when s.passo < {{ loop.index + 1 }} then {{ add_days('p.visto_em', -1) }}
            else p.visto_em
        end as instante_{{ causa }},
        {% endfor %}
        case when s.passo = 0 then {{ add_days('p.visto_em', -1) }} else p.visto_em end
            as instante_escala,
        s.passo
    from ocorrencias as p
    cross join (values (0), (1), (2), (3), (4)) as s (passo)
),

expandidas as (
    select
        s.*,
        {{ schedule_columns('e') }}
    from passos as s
    inner join escalas as e
        on
            s.escala_codigo = e.escala_codigo
            -- each row of each version on its own weekday
            and e.dia_semana_numero = {{ isodow('s.primeira_data') }}
            and s.primeira_data between e.primeira_ocorrencia and e.data_limite
            and s.instante_escala >= e.visto_de
            and coalesce(s.instante_escala <= e.visto_ate, true)
),

{{ blocked_minutes(
    keys=['visto_em', 'passo'],
    from_day='cast(null as date)',
    to_day='cast(null as date)',
    valid='i.visto_de <= e.instante_{causa} and coalesce(i.visto_ate >= e.instante_{causa}, true)',
    up_to=['feriado', 'afastamento_profissional']
) }},

{{ expanded_slots(
    keys=['visto_em', 'passo'],
    with_empty=true,
    up_to=['feriado', 'afastamento_profissional']
) }},

final as (
    select
        -- identificadores
        v.visto_em,
        v.passo,
        v.escala_id,
        v.escala_codigo,
        v.data,
        v.vaga_tipo,
        v.central_executora_codigo,
        v.unidade_executante_cnes,
        v.procedimento_codigo,
        -- horários
        v.bloco_inicio,
        v.bloco_fim,
        -- quantidades
        v.qtd_vagas_ativas,
        v.qtd_vagas_total - v.qtd_bloqueadas_ate_feriado as qtd_programadas
    from vagas as v
)

select * from final
