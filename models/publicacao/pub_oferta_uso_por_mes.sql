-- Grain: month of the appointment, executing unit that has a booking; all procedures together
-- (regra_divulgacao_pessoas). Small counts are hidden when it is published. Late cancellations are
-- of very few, and are told with the others. The offer stands in pub_oferta_real_por_mes, which is
-- corrected, while what is told here of a month stays.
-- Indicators 17, 47 and 48.
with funil as (
    select * from {{ ref('oferta_funil_por_mes') }}
),

estabelecimentos as (
    select * from {{ ref('pub_dim_estabelecimentos') }}
),

somados as (
    select
        f.competencia,
        coalesce(e.regiao_saude_codigo, 'nao_identificada') as regiao_atendimento_codigo,
        f.unidade_executante_cnes,
        cast(sum(f.qtd_atendidas + f.qtd_faltas + f.qtd_sem_confirmacao) as bigint)
            as qtd_agendamentos_devidos,
        cast(sum(f.qtd_atendidas) as bigint) as qtd_confirmados,
        cast(sum(f.qtd_faltas) as bigint) as qtd_faltas,
        cast(sum(f.qtd_sem_confirmacao) as bigint) as qtd_sem_confirmacao,
        cast(sum(f.qtd_canceladas_tarde + f.qtd_liberadas) as bigint) as qtd_canceladas
    from funil as f
    left join estabelecimentos as e on f.unidade_executante_cnes = e.unidade_cnes
    where {{ is_disclosed_month('f.competencia') }}
    group by
        f.competencia,
        coalesce(e.regiao_saude_codigo, 'nao_identificada'),
        f.unidade_executante_cnes
    having sum(f.qtd_marcadas + f.qtd_liberadas) > 0
),

final as (
    select
        -- identificadores
        s.competencia,
        s.regiao_atendimento_codigo,
        s.unidade_executante_cnes,
        -- quantidades
        s.qtd_agendamentos_devidos,
        s.qtd_confirmados,
        s.qtd_faltas,
        s.qtd_sem_confirmacao,
        s.qtd_canceladas,
        -- parcelas
        {{ absence_shares('s') }}
    from somados as s
)

select * from final
