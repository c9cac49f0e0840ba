-- Grain: month, procedure and band of days waited. Indicator 24. Rule regra_relogio_espera.
with esperas as (
    select * from {{ ref('int_fila__esperas') }}
),

final as (
    select
        e.competencia,
        e.procedimento_codigo,
        {{ wait_band('e.dias') }} as faixa_espera,
        cast(count(*) as integer) as qtd_aguardando
    from esperas as e
    where e.situacao = 'aguardando'
    group by all
)

select * from final
