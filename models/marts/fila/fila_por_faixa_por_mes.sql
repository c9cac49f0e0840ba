-- Grain: month, procedure and band of days waited. Indicator 24. Rule regra_relogio_espera.
with esperas as (
    select * from {{ ref('int_fila__esperas') }}
),

final as (
    select
        e.competencia,
        e.procedimento_codigo,
        case
            when e.dias <= 30 then 'ate_30'
            when e.dias <= 60 then '31_a_60'
            when e.dias <= 90 then '61_a_90'
            when e.dias <= 180 then '91_a_180'
            when e.dias <= 365 then '181_a_365'
            when e.dias <= 730 then '366_a_730'
            else 'acima_de_730'
        end as faixa_espera,
        cast(count(*) as integer) as qtd_aguardando
    from esperas as e
    where e.situacao = 'aguardando'
    group by all
)

select * from final
