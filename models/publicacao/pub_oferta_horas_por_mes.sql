-- Grain: complete month, executing unit. Hours of those of whom both numbers are known, where
-- enough of them have schedules (regra_divulgacao_das_horas; regra_horas_da_oferta). Indicator 11.
with horas as (
    select * from {{ ref('int_oferta__horas_por_mes') }}
),

-- who has no contract in the register, no CPF, or unknown hours cannot be compared
profissionais as (
    select
        h.*,
        h.profissional_id <> 'nao_informado'
        and h.minutos_ofertados is not null
        and h.minutos_contratados is not null as eh_comparado
    from horas as h
),

unidades as (
    select
        p.competencia,
        p.unidade_executante_cnes,
        max(p.contrato_competencia) as contrato_competencia,
        max(p.qtd_dias_uteis) as qtd_dias_uteis,
        sum(case when p.eh_comparado then 1 else 0 end) as qtd_comparados,
        sum(case when p.eh_comparado and p.situacao_codigo <> 'sem_escala' then 1 else 0 end)
        >= {{ setting('minimo_profissionais') }} as eh_divulgada,
        sum(case when p.eh_comparado then p.minutos_ofertados end) as minutos_ofertados,
        sum(case when p.eh_comparado then p.minutos_contratados end) as minutos_contratados
    from profissionais as p
    group by all
),

final as (
    select
        -- identificadores
        u.competencia,
        u.unidade_executante_cnes,
        -- datas
        u.contrato_competencia,
        -- categorias
        u.eh_divulgada,
        -- quantidades
        u.qtd_dias_uteis,
        case when u.eh_divulgada then cast(u.qtd_comparados as bigint) end
            as qtd_profissionais_comparados,
        case when u.eh_divulgada then cast(u.minutos_ofertados as double) / 60 end
            as horas_ofertadas,
        case when u.eh_divulgada then cast(u.minutos_contratados as double) / 60 end
            as horas_contratadas,
        case
            when u.eh_divulgada
                then {{ percentage('u.minutos_ofertados', 'u.minutos_contratados') }}
        end as pct_horas_ofertadas
    from unidades as u
)

select * from final
