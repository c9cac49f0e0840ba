-- Grain: month of the appointment, procedure booked; all units together (regra_divulgacao_pessoas).
-- Small counts are hidden when it is published. Indicators 47 and 48.
with {{ disclosed_procedures() }},

absenteismo as (
    select * from {{ ref('absenteismo_por_mes') }}
),

somados as (
    select
        a.competencia,
        coalesce(p.procedimento_codigo, 'demais') as procedimento_codigo,
        cast(sum(a.qtd_agendamentos_devidos) as bigint) as qtd_agendamentos_devidos,
        cast(sum(a.qtd_confirmados) as bigint) as qtd_confirmados,
        cast(sum(a.qtd_faltas) as bigint) as qtd_faltas,
        cast(sum(a.qtd_sem_confirmacao) as bigint) as qtd_sem_confirmacao
    from absenteismo as a
    left join procedimentos as p on a.procedimento_codigo = p.procedimento_codigo
    where {{ is_disclosed_month('a.competencia') }}
    group by a.competencia, coalesce(p.procedimento_codigo, 'demais')
),

final as (
    select
        -- identificadores
        s.competencia,
        s.procedimento_codigo,
        -- quantidades
        s.qtd_agendamentos_devidos,
        s.qtd_confirmados,
        s.qtd_faltas,
        s.qtd_sem_confirmacao,
        -- parcelas
        {{ absence_shares('s') }}
    from somados as s
)

select * from final
