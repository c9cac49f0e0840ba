-- One row: the day whose end the build describes. Replaces current_date everywhere.
{% set dia_fixado = var('data_referencia', none) %}

with cargas as (
    select * from {{ source('controle', 'cargas') }}
),

completas as (
    select
        cast(max(case when c.fonte = 'sisreg' then c.janela_fim end) as date) as fim_da_janela,
        cast(max(c.iniciada_em) as date) as ultimo_inicio
    from cargas as c
    where c.resultado = 'completa'
),

final as (
    select
        coalesce(
            cast({{ "'" ~ dia_fixado ~ "'" if dia_fixado else 'null' }} as date),
            {{ add_days('coalesce(c.fim_da_janela, c.ultimo_inicio)', -1) }}
        ) as data_referencia
    from completas as c
)

select * from final
