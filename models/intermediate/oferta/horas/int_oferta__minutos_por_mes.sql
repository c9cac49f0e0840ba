-- Grain: month, executing unit, procedure, professional, family of occupations. Whole weeks are
-- counted, not days expanded: the slot-days are the largest table. Rule regra_horas_da_oferta.
with escalas as (
    select * from {{ ref('int_oferta__escalas') }}
),

linhas as (
    select * from {{ ref('stg_sisreg__escalas') }}
),

bloqueios as (
    select * from {{ ref('int_oferta__bloqueios') }}
),

diarias as (
    select
        e.escala_id,
        e.unidade_executante_cnes,
        e.procedimento_codigo,
        coalesce(e.profissional_id, 'nao_informado') as profissional_id,
        coalesce(left(l.profissional_cbo, 4), 'nao_informada') as cbo_familia,
        e.primeira_data,
        e.ultima_data,
        {{ slots_of_a_day('e') }} as qtd_vagas,
        -- slots without minutes (or of zero minutes) make the sum unknown
        {% for tipo in slot_kinds() %}
        case
            when e.qtd_vagas_{{ tipo }} = 0 then 0
            when l.minutos_{{ tipo }} > 0 then e.qtd_vagas_{{ tipo }} * l.minutos_{{ tipo }}
        end{% if not loop.last %} + {% else %} as minutos_das_vagas,{% endif %}
        {% endfor %}
        case when e.tem_horario then e.minuto_fim - e.minuto_inicio end as minutos_do_bloco
    from escalas as e
    inner join linhas as l
        on e._carga_id = l._carga_id and e._arquivo = l._arquivo and e._linha = l._linha
    where
        e.escala_destino = 'expandida'
        and (
            {% for tipo in slot_kinds() %}
            e.qtd_vagas_{{ tipo }} is distinct from 0 {%- if not loop.last %} or {% endif %}
            {% endfor %}
        )
),

mensais as (
    select
        d.escala_id,
        d.unidade_executante_cnes,
        d.procedimento_codigo,
        d.profissional_id,
        d.cbo_familia,
        d.primeira_data,
        d.ultima_data,
        d.qtd_vagas,
        d.minutos_das_vagas,
        coalesce(d.minutos_das_vagas, d.minutos_do_bloco) as minutos,
        {{ explode_months(competencia('d.primeira_data'), competencia('d.ultima_data')) }}
            as competencia
    from diarias as d
),

limitadas as (
    select
        m.escala_id,
        m.unidade_executante_cnes,
        m.procedimento_codigo,
        m.profissional_id,
        m.cbo_familia,
        m.competencia,
        m.qtd_vagas,
        m.minutos_das_vagas,
        m.minutos,
        {{ next_weekday('greatest(m.primeira_data, m.competencia)', isodow('m.primeira_data')) }}
            as primeira_do_mes,
        least(m.ultima_data, {{ last_day_of_month('m.competencia') }}) as ultima_do_mes
    from mensais as m
),

-- a schedule may have several stretches in a month, each with dates of its own
feriados as (
    select
        l.escala_id,
        l.primeira_do_mes,
        count(*) as qtd_dias
    from limitadas as l
    inner join bloqueios as b
        on
            l.escala_id = b.escala_id
            and l.primeira_do_mes <= b.data
            and l.ultima_do_mes >= b.data
    where b.minutos_ate_feriado > 0
    group by all
),

contadas as (
    select
        l.competencia,
        l.unidade_executante_cnes,
        l.procedimento_codigo,
        l.profissional_id,
        l.cbo_familia,
        l.qtd_vagas,
        l.minutos_das_vagas,
        l.minutos,
        {{ int_div(days_between('l.primeira_do_mes', 'l.ultima_do_mes'), 7) }} + 1 as qtd_dias,
        coalesce(f.qtd_dias, 0) as qtd_dias_feriado
    from limitadas as l
    left join feriados as f
        on l.escala_id = f.escala_id and l.primeira_do_mes = f.primeira_do_mes
    where l.primeira_do_mes <= l.ultima_do_mes
),

final as (
    select
        -- identificadores
        c.competencia,
        c.unidade_executante_cnes,
        c.procedimento_codigo,
        c.profissional_id,
        c.cbo_familia,
        -- quantidades
        cast(sum(c.qtd_vagas * c.qtd_dias) as bigint) as qtd_vagas_total,
        cast(sum(c.qtd_vagas * c.qtd_dias_feriado) as bigint) as qtd_vagas_em_feriado,
        -- one unknown schedule makes the sum unknown: a part of the hours proves nothing
        cast(
            case when count(*) = count(c.minutos) then sum(c.minutos * c.qtd_dias) end as bigint
        ) as minutos_programados,
        cast(
            case when count(*) = count(c.minutos) then sum(c.minutos * c.qtd_dias_feriado) end
            as bigint
        ) as minutos_em_feriado,
        cast(
            case
                when count(*) = count(c.minutos)
                    then sum(
                        case when c.minutos_das_vagas is null then c.minutos * c.qtd_dias else 0 end
                    )
            end as bigint
        ) as minutos_do_bloco
    from contadas as c
    group by all
)

select * from final
