-- Grain: closed month and procedure, from the third month of the data on. Whether the bookings of a
-- quarter keep pace with what enters, and what the queue would need. Indicators 28, 29, 31, 32, 34.
-- Rule regra_equilibrio_fila.
with fila as (
    select
        f.competencia,
        f.procedimento_codigo,
        sum(f.qtd_entradas) as qtd_entradas,
        sum(f.qtd_agendamentos) as qtd_agendamentos,
        sum(f.qtd_aguardando) as qtd_aguardando
    from {{ ref('fila_por_mes') }} as f
    group by f.competencia, f.procedimento_codigo
),

limites as (
    {{ wait_limits('fila') }}
),

idades as (
    select
        e.competencia,
        e.procedimento_codigo,
        avg(e.dias) as dias_em_fila_media
    from {{ ref('int_fila__esperas') }} as e
    where e.situacao = 'aguardando'
    group by e.competencia, e.procedimento_codigo
),

inicio as (
    select {{ add_months('min(f.competencia)', 2) }} as terceira_competencia
    from fila as f
),

trimestres as (
    select
        f.competencia,
        f.procedimento_codigo,
        f.qtd_aguardando,
        {%- for medida in ['entradas', 'agendamentos'] %}
        sum(f.qtd_{{ medida }}) over (
            partition by f.procedimento_codigo order by f.competencia
            rows between 2 preceding and current row
        ) as qtd_{{ medida }}_trimestre,
        {%- endfor %}
        {{ days_between(add_months('f.competencia', -2), add_months('f.competencia', 1)) }} as dias
    from fila as f
),

medidos as (
    select
        t.*,
        l.limite_dias,
        i.dias_em_fila_media,
        cast(t.qtd_entradas_trimestre as double) / t.dias as entradas_por_dia
    from trimestres as t
    cross join inicio as c
    left join limites as l
        on t.competencia = l.competencia and t.procedimento_codigo = l.procedimento_codigo
    left join idades as i
        on t.competencia = i.competencia and t.procedimento_codigo = i.procedimento_codigo
    where
        t.competencia >= c.terceira_competencia
        and t.competencia <= {{ last_complete_month() }}
        and greatest(t.qtd_aguardando, t.qtd_entradas_trimestre, t.qtd_agendamentos_trimestre) > 0
),

final as (
    select
        m.competencia,
        m.procedimento_codigo,
        cast(m.qtd_aguardando as integer) as qtd_aguardando,
        cast(m.qtd_entradas_trimestre as integer) as qtd_entradas_trimestre,
        cast(m.qtd_agendamentos_trimestre as integer) as qtd_agendamentos_trimestre,
        cast(m.qtd_entradas_trimestre as double)
        / nullif(m.qtd_agendamentos_trimestre, 0) as carga,
        3 * cast(m.qtd_aguardando as double)
        / nullif(m.qtd_agendamentos_trimestre, 0) as meses_para_atender,
        cast(m.limite_dias as integer) as limite_dias,
        m.entradas_por_dia * m.limite_dias / 4 as fila_alvo,
        -- Half a year, which is 26 weeks, to bring the queue to its target.
        7 * m.entradas_por_dia
        + (m.qtd_aguardando - m.entradas_por_dia * m.limite_dias / 4) / 26 as vagas_semana_alivio,
        2 * cast(m.dias_em_fila_media as double) / m.limite_dias as pressao
    from medidos as m
)

select * from final
