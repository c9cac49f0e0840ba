-- Grain: month of the appointment, health region of residence and of the unit, where somebody was
-- due (regra_divulgacao_pessoas). Small counts are hidden when it is published. Indicator 9.
with agendamentos as (
    select * from {{ ref('absenteismo_por_residencia_por_mes') }}
),

estabelecimentos as (
    select * from {{ ref('pub_dim_estabelecimentos') }}
),

final as (
    select
        -- identificadores
        a.competencia,
        a.regiao_residencia_codigo,
        coalesce(e.regiao_saude_codigo, 'nao_identificada') as regiao_atendimento_codigo,
        -- quantidades
        cast(sum(a.qtd_agendamentos_devidos) as bigint) as qtd_agendamentos_devidos
    from agendamentos as a
    left join estabelecimentos as e on a.unidade_executante_cnes = e.unidade_cnes
    where {{ is_disclosed_month('a.competencia') }}
    group by
        a.competencia,
        a.regiao_residencia_codigo,
        coalesce(e.regiao_saude_codigo, 'nao_identificada')
)

select * from final
