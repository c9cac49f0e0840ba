{{ config(materialized='ephemeral') }}

-- Grain: closed month of the last twelve, and request that waited at its end: the days that it
-- would still wait by two estimates, and those that it did. Rule regra_estimativa_espera.
with meses as (
    select {{ explode_months(
        add_months(last_complete_month(), -11), last_complete_month()
    ) }} as competencia
),

finais as (
    select
        m.competencia,
        {{ last_day_of_month('m.competencia') }} as data_fim_mes
    from meses as m
),

estadias as (
    select * from {{ ref('int_fila__estadias') }}
),

agendamentos as (
    select * from {{ ref('int_fila__agendamentos') }}
),

-- How many leave the wait on each day, and how many of them with a booking.
saidas_por_dia as (
    select
        e.procedimento_codigo,
        e.data_fim,
        count(*) as qtd_saidas,
        sum(case when e.estado_seguinte = 'agendada' then 1 else 0 end) as qtd_agendadas
    from estadias as e
    where
        e.estado = 'aguardando'
        and e.data_fim is not null
        and e.estado_seguinte in ('agendada', 'encerrada')
    group by e.procedimento_codigo, e.data_fim
),

ritmos as (
    select
        f.competencia,
        s.procedimento_codigo,
        sum(s.qtd_saidas) as qtd_saidas,
        sum(s.qtd_agendadas) as qtd_agendadas
    from finais as f
    inner join saidas_por_dia as s
        on
            f.data_fim_mes >= s.data_fim
            and {{ add_days('f.data_fim_mes', -90) }} < s.data_fim
    group by f.competencia, s.procedimento_codigo
),

antecedencias as (
    select
        f.competencia,
        a.procedimento_codigo,
        {{ percentile(days_between('a.momento_agendada', 'a.momento_agendamento'), 0.5) }} as dias
    from finais as f
    inner join agendamentos as a
        on
            f.data_fim_mes >= cast(a.momento_agendada as date)
            and {{ add_days('f.data_fim_mes', -90) }} < cast(a.momento_agendada as date)
    where a.momento_agendamento is not null
    group by f.competencia, a.procedimento_codigo
),

posicoes as (
    select
        f.competencia,
        f.data_fim_mes,
        e.solicitacao_codigo,
        e.procedimento_codigo,
        row_number() over (
            partition by f.competencia, e.procedimento_codigo
            order by e.risco_codigo, s.momento_solicitacao, e.solicitacao_codigo
        ) as posicao
    from finais as f
    inner join estadias as e
        on
            f.data_fim_mes >= e.data_inicio
            and coalesce(f.data_fim_mes < e.data_fim, true)
    inner join {{ ref('int_fila__solicitacoes') }} as s
        on e.solicitacao_codigo = s.solicitacao_codigo
    where e.estado = 'aguardando'
),

final as (
    select
        p.competencia,
        p.solicitacao_codigo,
        p.procedimento_codigo,
        p.posicao,
        ceil(p.posicao * 90.0 / nullif(r.qtd_agendadas, 0)) as dias_sisreg,
        case
            when r.qtd_agendadas > 0 then ceil(p.posicao * 90.0 / r.qtd_saidas + a.dias)
        end as dias_proprios,
        case
            when c.data_atendimento > p.data_fim_mes
                then {{ days_between('p.data_fim_mes', 'c.data_atendimento') }}
        end as dias_esperados
    from posicoes as p
    left join ritmos as r
        on p.competencia = r.competencia and p.procedimento_codigo = r.procedimento_codigo
    left join antecedencias as a
        on p.competencia = a.competencia and p.procedimento_codigo = a.procedimento_codigo
    left join {{ ref('int_fila__percursos') }} as c
        on p.solicitacao_codigo = c.solicitacao_codigo
)

select * from final
