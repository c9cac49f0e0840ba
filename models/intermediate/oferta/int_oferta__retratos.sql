-- Grain: day seen, step, schedule, date; only slots that something changed on that day may touch.
-- Step 0 is the picture of the day before; then come, one after the other, what is new of the
-- schedules (1), holidays (2), leaves of units (3) and of professionals (4). What a step changes is
-- due to it (regra_diario_da_oferta).
{% set causas = [
    ('feriado', 'e.dia_semana_numero = ' ~ isodow('i.data_inicio'), 2),
    ('afastamento_unidade', 'i.unidade_executante_cnes = e.unidade_executante_cnes', 3),
    ('afastamento_profissional', 'i.profissional_id = e.profissional_id', 4),
] %}
{% set alinhada = "({0}.dia_semana_numero - {1} + 7) % 7" %}

with escalas as (
    select
        e.escala_id,
        e.escala_codigo,
        e.central_executora_codigo,
        e.unidade_executante_cnes,
        e.procedimento_codigo,
        e.profissional_id,
        e.visto_de,
        e.visto_ate,
        e.dia_semana_numero,
        e.primeira_ocorrencia,
        e.data_limite,
        e.tem_horario,
        e.bloco_inicio,
        e.bloco_fim,
        e.qtd_vagas_primeira_vez,
        e.qtd_vagas_retorno,
        e.qtd_vagas_reserva
    from {{ ref('int_oferta__escalas') }} as e
    -- without end it reaches the day before it is seen: it has no slot to come
    where e.pode_ofertar and e.data_limite is not null
),

interrupcoes as (
    select * from {{ ref('int_oferta__interrupcoes') }}
),

dias as (
    select * from {{ ref('int_oferta__dias_vistos') }}
),

mudancas as (
    select * from {{ ref('int_oferta__mudancas') }}
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
    inner join dias as d
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
    from mudancas as m
    inner join escalas as e
        on
            m.escala_codigo = e.escala_codigo
            and m.visto_em >= e.visto_de
            and coalesce(e.visto_ate >= {{ add_days('m.visto_em', -1) }}, true)
    {% for causa, igualdade, passo in causas %}

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
            {{ igualdade }}
            and i.visto_em >= e.visto_de
            and coalesce(i.visto_em <= e.visto_ate, true)
            and i.data_inicio <= e.data_limite
            and i.data_fim >= e.primeira_ocorrencia
            and coalesce(i.unidade_executante_cnes, e.unidade_executante_cnes)
            = e.unidade_executante_cnes
            and coalesce(i.procedimento_codigo, e.procedimento_codigo) = e.procedimento_codigo
    where i.causa_bloqueio = '{{ causa }}'
    {% endfor %}
),

datas as (
    select
        p.visto_em,
        p.escala_codigo,
        {{ explode_days(
            add_days('p.desde', alinhada.format('p', isodow('p.desde'))), 'p.ate', 7
        ) }} as data
    from periodos as p
),

pontos as (
    select
        d.visto_em,
        d.escala_codigo,
        d.data
    from datas as d
    group by
        d.visto_em,
        d.escala_codigo,
        d.data
),

passos as (
    {% for passo in range(5) %}
    select {{ passo }} as passo
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

expandidas as (
    select
        p.visto_em,
        s.passo,
        e.*,
        {% for causa, igualdade, passo in causas %}
        case
            when s.passo < {{ passo }} then {{ add_days('p.visto_em', -1) }} else p.visto_em
        end as instante_{{ causa }},
        {% endfor %}
        p.data,
        p.data as primeira_data,
        p.data as ultima_data
    from pontos as p
    cross join passos as s
    inner join escalas as e
        on
            p.escala_codigo = e.escala_codigo
            -- each row of each version on its own weekday
            and e.dia_semana_numero = {{ isodow('p.data') }}
            and p.data >= e.primeira_ocorrencia
            and p.data <= e.data_limite
            and e.visto_de
            <= case when s.passo = 0 then {{ add_days('p.visto_em', -1) }} else p.visto_em end
            and coalesce(
                e.visto_ate
                >= case when s.passo = 0 then {{ add_days('p.visto_em', -1) }} else p.visto_em end,
                true
            )
),

{{ blocked_minutes(
    keys=['visto_em', 'passo'],
    from_day='cast(null as date)',
    to_day='cast(null as date)',
    valid='i.visto_de <= e.instante_{causa} and coalesce(i.visto_ate >= e.instante_{causa}, true)'
) }},

contadas as (
    select
        e.visto_em,
        e.passo,
        e.escala_id,
        e.escala_codigo,
        e.central_executora_codigo,
        e.unidade_executante_cnes,
        e.procedimento_codigo,
        e.bloco_inicio,
        e.bloco_fim,
        {% for tipo in ['primeira_vez', 'retorno', 'reserva'] %}
        cast(
            e.qtd_vagas_{{ tipo }} - {{ ceil_div(
                'e.qtd_vagas_' ~ tipo ~ ' * coalesce(m.minutos_ate_afastamento_profissional, 0)',
                'coalesce(m.minutos_bloco, 1)'
            ) }} as bigint
        ) as qtd_vagas_ativas_{{ tipo }},
        {% endfor %}
        e.data
    from expandidas as e
    left join minutos as m
        on
            e.visto_em = m.visto_em
            and e.passo = m.passo
            and e.escala_id = m.escala_id
            and e.data = m.data
),

final as (
    select
        -- identificadores
        c.visto_em,
        c.passo,
        c.escala_id,
        c.escala_codigo,
        c.data,
        c.central_executora_codigo,
        c.unidade_executante_cnes,
        c.procedimento_codigo,
        -- horários
        c.bloco_inicio,
        c.bloco_fim,
        -- quantidades
        c.qtd_vagas_ativas_primeira_vez,
        c.qtd_vagas_ativas_retorno,
        c.qtd_vagas_ativas_reserva
    from contadas as c
)

select * from final
