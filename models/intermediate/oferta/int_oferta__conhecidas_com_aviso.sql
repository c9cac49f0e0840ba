-- Grain: month, executing unit. Active slots as they were known retirada_aviso_dias before each
-- date, up to the reference day: each version counts on the dates that lie so many days after those
-- on which it was in force.
{% set aviso = setting('retirada_aviso_dias') %}
{% set alinhada = "({0}.dia_semana_numero - {1} + 7) % 7" %}

with escalas as (
    select * from {{ ref('int_oferta__escalas') }}
),

interrupcoes as (
    select * from {{ ref('int_oferta__interrupcoes') }}
),

periodos as (
    select
        e.*,
        greatest(e.primeira_ocorrencia, {{ add_days('e.visto_de', aviso) }}) as desde,
        least(e.data_limite, {{ add_days('e.visto_ate', aviso) }}, {{ data_referencia() }}) as ate
    from escalas as e
    -- without end it reached the day before it was seen, and had no slot to come
    where e.pode_ofertar and e.data_limite is not null
),

expandidas as (
    select
        p.escala_id,
        p.unidade_executante_cnes,
        p.procedimento_codigo,
        p.profissional_id,
        p.dia_semana_numero,
        p.tem_horario,
        p.bloco_inicio,
        p.bloco_fim,
        p.qtd_vagas_primeira_vez,
        p.qtd_vagas_retorno,
        p.qtd_vagas_reserva,
        {{ add_days('p.desde', alinhada.format('p', isodow('p.desde'))) }} as primeira_data,
        p.ate as ultima_data
    from periodos as p
    where p.desde <= p.ate
),

{{ blocked_minutes(
    from_day=add_days('i.visto_de', aviso),
    to_day=add_days('i.visto_ate', aviso)
) }},

datas as (
    select
        e.*,
        {{ explode_days('e.primeira_data', 'e.ultima_data', 7) }} as data
    from expandidas as e
),

ativas as (
    {% for tipo in ['primeira_vez', 'retorno', 'reserva'] %}
    select
        {{ competencia('d.data') }} as competencia,
        d.unidade_executante_cnes,
        d.qtd_vagas_{{ tipo }} - {{ ceil_div(
            'd.qtd_vagas_' ~ tipo ~ ' * coalesce(m.minutos_ate_afastamento_profissional, 0)',
            'coalesce(m.minutos_bloco, 1)'
        ) }} as qtd_vagas
    from datas as d
    left join minutos as m
        on d.escala_id = m.escala_id and d.data = m.data
    where d.qtd_vagas_{{ tipo }} is distinct from 0
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
),

final as (
    select
        -- identificadores
        a.competencia,
        a.unidade_executante_cnes,
        -- quantidades
        cast(sum(a.qtd_vagas) as bigint) as qtd_vagas_conhecidas
    from ativas as a
    group by
        a.competencia,
        a.unidade_executante_cnes
)

select * from final
