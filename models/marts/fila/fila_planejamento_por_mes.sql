-- Grain: closed month and procedure, from the third month of the data on. How many bookings a month
-- bring the queue to its target within a year, and how the same plan of a year before came out.
-- Rule regra_planejamento_fila.
{% set meses = 12 %}

with fila as (
    select
        f.competencia,
        f.procedimento_codigo,
        sum(f.qtd_estoque_inicial) as qtd_estoque_inicial,
        sum(f.qtd_entradas) as qtd_entradas,
        sum(f.qtd_agendamentos) as qtd_agendamentos,
        -- What leaves without a booking, less what comes back.
        sum(
            f.qtd_estoque_inicial + f.qtd_entradas - f.qtd_agendamentos - f.qtd_aguardando
        ) as qtd_outras_saidas
    from {{ ref('fila_por_mes') }} as f
    group by f.competencia, f.procedimento_codigo
),

equilibrios as (
    select * from {{ ref('fila_equilibrio_por_mes') }}
),

ofertas as (
    select
        e.competencia,
        e.procedimento_codigo,
        -- What is not known of one unit is not known of all.
        case when count(*) = count(o.qtd_oferta_real) then sum(o.qtd_oferta_real) end as qtd_vagas
    from equilibrios as e
    inner join {{ ref('oferta_real_por_mes') }} as o
        on
            e.procedimento_codigo = o.procedimento_codigo
            and e.competencia >= o.competencia
            and {{ add_months('e.competencia', -2) }} <= o.competencia
    group by e.competencia, e.procedimento_codigo
),

trimestres as (
    select
        f.competencia,
        f.procedimento_codigo,
        {%- for medida in ['estoque_inicial', 'entradas', 'agendamentos', 'outras_saidas'] %}
        sum(f.qtd_{{ medida }}) over trimestre as qtd_{{ medida }},
        {%- endfor %}
        sum(f.qtd_agendamentos) over ano as qtd_agendamentos_ano
    from fila as f
    window
        trimestre as (
            partition by f.procedimento_codigo order by f.competencia
            rows between 2 preceding and current row
        ),
        ano as (
            partition by f.procedimento_codigo order by f.competencia
            rows between {{ meses - 1 }} preceding and current row
        )
),

medidos as (
    select
        e.competencia,
        e.procedimento_codigo,
        e.qtd_aguardando,
        e.limite_dias,
        e.fila_alvo,
        cast(t.qtd_entradas as double) / 3 as entradas_mes,
        cast(t.qtd_agendamentos as double) / 3 as agendamentos_mes,
        cast(o.qtd_vagas as double) / 3 as vagas_reais_mes,
        cast(t.qtd_agendamentos_ano as double) / {{ meses }} as agendamentos_mes_do_ano,
        cast(t.qtd_outras_saidas as double) / nullif(t.qtd_estoque_inicial, 0) as saida_mes
    from equilibrios as e
    inner join trimestres as t
        on e.competencia = t.competencia and e.procedimento_codigo = t.procedimento_codigo
    left join ofertas as o
        on e.competencia = o.competencia and e.procedimento_codigo = o.procedimento_codigo
),

planos as (
    select
        m.*,
        {{ bookings_needed(
            'm.qtd_aguardando', 'm.entradas_mes', 'm.saida_mes', 'm.fila_alvo', meses
        ) }} as agendamentos_mes_necessarios,
        {{ queue_expected(
            'a.qtd_aguardando', 'a.entradas_mes', 'a.saida_mes', 'm.agendamentos_mes_do_ano', meses
        ) }} as fila_prevista,
        -- `greatest` passes over what is null.
        a.competencia is not null as tem_plano
    from medidos as m
    left join medidos as a
        on
            {{ add_months('m.competencia', -meses) }} = a.competencia
            and m.procedimento_codigo = a.procedimento_codigo
),

final as (
    select
        p.competencia,
        p.procedimento_codigo,
        p.qtd_aguardando,
        p.entradas_mes,
        p.agendamentos_mes,
        100 * p.saida_mes as pct_saida_mes,
        p.vagas_reais_mes,
        p.limite_dias,
        p.fila_alvo,
        case when p.fila_alvo is not null then p.agendamentos_mes_necessarios end
            as agendamentos_mes_necessarios,
        case when p.tem_plano then p.fila_prevista end as fila_prevista,
        case
            when p.tem_plano
                then {{ percentage('p.fila_prevista - p.qtd_aguardando', 'p.qtd_aguardando') }}
        end as pct_erro_plano
    from planos as p
)

select * from final
