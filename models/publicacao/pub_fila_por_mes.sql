-- Grain: month, procedure. Who came to the queue, left it and waits, beside how long those seen had
-- waited (regra_divulgacao_pessoas). Small counts are hidden when it is published.
-- Indicators 20, 21, 25, 26, 37 and 38.
with {{ disclosed_procedures() }},

fila as (
    select * from {{ ref('fila_por_mes') }}
),

espera as (
    select * from {{ ref('espera_por_mes') }}
),

movimentos as (
    select
        f.competencia,
        f.procedimento_codigo,
        {{ disclosed_queue() }},
        0 as qtd_atendidas
    from fila as f
    group by f.competencia, f.procedimento_codigo
    union all
    select
        e.competencia,
        e.procedimento_codigo,
        {%- for nome in disclosed_flows() %}
        0 as qtd_{{ nome }},
        {%- endfor %}
        0 as qtd_aguardando,
        e.qtd_atendidas
    from espera as e
),

somados as (
    select
        m.competencia,
        coalesce(p.procedimento_codigo, 'demais') as procedimento_codigo,
        {%- for nome in disclosed_flows() %}
        sum(m.qtd_{{ nome }}) as qtd_{{ nome }},
        {%- endfor %}
        sum(m.qtd_aguardando) as qtd_aguardando,
        sum(m.qtd_atendidas) as qtd_atendidas
    from movimentos as m
    left join procedimentos as p on m.procedimento_codigo = p.procedimento_codigo
    where {{ is_disclosed_month('m.competencia') }}
    group by m.competencia, coalesce(p.procedimento_codigo, 'demais')
),

final as (
    select
        -- identificadores
        s.competencia,
        s.procedimento_codigo,
        -- quantidades
        {%- for nome in disclosed_flows() %}
        cast(s.qtd_{{ nome }} as bigint) as qtd_{{ nome }},
        {%- endfor %}
        cast(s.qtd_aguardando as bigint) as qtd_aguardando,
        cast(s.qtd_atendidas as bigint) as qtd_atendidas,
        -- tempos
        e.dias_em_fila_p50,
        e.dias_em_fila_p90,
        e.dias_espera_media,
        e.dias_espera_p50,
        e.dias_espera_p90
    from somados as s
    -- who is told of together has no percentile: it would mix queues
    left join espera as e
        on s.competencia = e.competencia and s.procedimento_codigo = e.procedimento_codigo
)

select * from final
