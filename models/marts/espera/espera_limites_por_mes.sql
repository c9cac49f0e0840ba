-- Grain: month and procedure. How much of the queue, and of those seen, stayed within the limit of
-- `limites_espera` in force in the month. Indicators 39 to 42. Rule regra_limite_espera.
with esperas as (
    select *
    from {{ ref('int_fila__esperas') }}
    -- Negative waits and unknown ones are within no limit: espera_por_mes counts them.
    where dias >= 0
),

pares as (
    select
        e.competencia,
        e.procedimento_codigo
    from esperas as e
    group by e.competencia, e.procedimento_codigo
),

limites as (
    {{ wait_limits('pares') }}
),

julgadas as (
    select
        e.*,
        l.limite_dias
    from esperas as e
    left join limites as l
        on e.competencia = l.competencia and e.procedimento_codigo = l.procedimento_codigo
),

somadas as (
    select
        j.competencia,
        j.procedimento_codigo,
        max(j.limite_dias) as limite_dias,
        {%- for situacao, nome in [('aguardando', 'aguardando'), ('atendido', 'atendidas')] %}
        sum(case when j.situacao = '{{ situacao }}' then 1 else 0 end) as qtd_{{ nome }},
        sum(
            case
                when j.limite_dias is null then null
                when j.situacao = '{{ situacao }}' and j.dias <= j.limite_dias then 1
                else 0
            end
        ) as qtd_{{ nome }}_no_limite,
        {%- endfor %}
        {%- for dias, nome in [(365, 'um_ano'), (730, 'dois_anos')] %}
        sum(
            case when j.situacao = 'aguardando' and j.dias > {{ dias }} then 1 else 0 end
        ) as qtd_aguardando_mais_de_{{ nome }},
        {%- endfor %}
        sum(
            case
                when j.limite_dias is null then null
                when j.situacao = 'aguardando' and j.dias > j.limite_dias
                    then j.dias - j.limite_dias
                else 0
            end
        ) as dias_alem_do_limite
    from julgadas as j
    group by j.competencia, j.procedimento_codigo
),

final as (
    select
        s.competencia,
        s.procedimento_codigo,
        cast(s.limite_dias as integer) as limite_dias,
        {%- for nome in ['aguardando', 'atendidas'] %}
        cast(s.qtd_{{ nome }} as integer) as qtd_{{ nome }},
        cast(s.qtd_{{ nome }}_no_limite as integer) as qtd_{{ nome }}_no_limite,
        {{ percentage('s.qtd_' ~ nome ~ '_no_limite', 's.qtd_' ~ nome) }}
            as pct_{{ nome }}_no_limite,
        {%- endfor %}
        cast(s.qtd_aguardando_mais_de_um_ano as integer) as qtd_aguardando_mais_de_um_ano,
        cast(s.qtd_aguardando_mais_de_dois_anos as integer) as qtd_aguardando_mais_de_dois_anos,
        cast(s.dias_alem_do_limite as bigint) as dias_alem_do_limite
    from somadas as s
)

select * from final
