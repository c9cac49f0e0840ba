-- One row: the day whose end the build describes. Replaces current_date everywhere.
{% set dia_fixado = setting('data_referencia') %}

with cargas as (
    select * from {{ ref('int_calendario__cargas') }}
),

por_entidade as (
    select
        c.fonte,
        c.entidade,
        max(c.janela_fim) as fim_da_janela,
        max(c.visto_em) as ultimo_dia
    from cargas as c
    group by c.fonte, c.entidade
),

-- A day is fully loaded when the slowest index has it.
completas as (
    select
        cast(min(case when e.fonte = 'sisreg' then e.fim_da_janela end) as date) as fim_da_janela,
        max(e.ultimo_dia) as ultimo_dia
    from por_entidade as e
),

final as (
    select
        coalesce(
            cast({{ "'" ~ dia_fixado ~ "'" if dia_fixado else 'null' }} as date),
            {{ add_days('coalesce(c.fim_da_janela, c.ultimo_dia)', -1) }}
        ) as data_referencia
    from completas as c
)

select * from final
