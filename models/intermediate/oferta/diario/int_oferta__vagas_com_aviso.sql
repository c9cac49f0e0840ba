-- Grain: month, executing unit. Active and scheduled slots as they were known retirada_aviso_dias
-- before each date, up to the reference day: each version counts on the dates that lie so many days
-- after those on which it was in force.
{% set aviso = setting('retirada_aviso_dias') %}

with escalas as (
    select * from {{ ref('int_oferta__escalas') }}
),

interrupcoes as (
    select * from {{ ref('int_oferta__interrupcoes') }}
),

periodos as (
    select
        {{ schedule_columns('e') }},
        greatest(e.primeira_ocorrencia, {{ add_days('e.visto_de', aviso) }}) as desde,
        least(e.data_limite, {{ add_days('e.visto_ate', aviso) }}, {{ data_referencia() }}) as ate
    from escalas as e
    -- without end it reached the day before it was seen, and had no slot to come
    where e.pode_ofertar and e.data_limite is not null
),

expandidas as (
    select
        p.*,
        {{ next_weekday('p.desde', 'p.dia_semana_numero') }} as primeira_data,
        p.ate as ultima_data
    from periodos as p
    where p.desde <= p.ate
),

{{ blocked_minutes(
    from_day=add_days('i.visto_de', aviso),
    to_day=add_days('i.visto_ate', aviso),
    up_to=['feriado', 'afastamento_profissional']
) }},

{{ expanded_slots(up_to=['feriado', 'afastamento_profissional']) }},

final as (
    select
        -- identificadores
        {{ competencia('v.data') }} as competencia,
        v.unidade_executante_cnes,
        -- quantidades
        cast(sum(v.qtd_vagas_ativas) as bigint) as qtd_vagas_conhecidas,
        cast(sum(v.qtd_vagas_total - v.qtd_bloqueadas_ate_feriado) as bigint)
            as qtd_programadas_conhecidas
    from vagas as v
    group by all
)

select * from final
