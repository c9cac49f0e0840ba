-- Grain: month of the appointment, executing unit and procedure booked. Indicators 47a, 47b, 47c
-- and 48. Rule regra_absenteismo: the truth lies between the minimum and the maximum.
with agendamentos as (
    select * from {{ ref('int_fila__agendamentos') }}
),

contagens as (
    select
        {{ competencia('g.momento_agendamento') }} as competencia,
        g.unidade_executante_cnes,
        g.procedimento_codigo,
        cast(count(*) as integer) as qtd_agendamentos_devidos,
        cast(sum(case when g.agendamento_desfecho = 'confirmada' then 1 else 0 end) as integer)
            as qtd_confirmados,
        cast(sum(case when g.agendamento_desfecho = 'falta' then 1 else 0 end) as integer)
            as qtd_faltas,
        cast(sum(case when g.agendamento_desfecho = 'sem_confirmacao' then 1 else 0 end) as integer)
            as qtd_sem_confirmacao
    from agendamentos as g
    where g.agendamento_desfecho in ('confirmada', 'falta', 'sem_confirmacao')
    group by
        {{ competencia('g.momento_agendamento') }},
        g.unidade_executante_cnes,
        g.procedimento_codigo
),

final as (
    select
        c.competencia,
        c.unidade_executante_cnes,
        c.procedimento_codigo,
        c.qtd_agendamentos_devidos,
        c.qtd_confirmados,
        c.qtd_faltas,
        c.qtd_sem_confirmacao,
        {{ absence_shares('c') }}
    from contagens as c
)

select * from final
