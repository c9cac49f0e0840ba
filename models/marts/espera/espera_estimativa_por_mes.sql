-- Grain: closed month of the last twelve, and procedure with a queue. How long those who waited at
-- its end would still wait, by SISREG's estimate and by ours, and how far both were from what those
-- waited who were seen since. Indicators 30 and 46. Rule regra_estimativa_espera.
with estimativas as (
    select
        e.*,
        -- One error for both: the two are compared on the same requests.
        case
            when e.dias_sisreg is not null and e.dias_proprios is not null then e.dias_esperados
        end as dias_conferidos
    from {{ ref('int_fila__estimativas') }} as e
),

final as (
    select
        e.competencia,
        e.procedimento_codigo,
        cast(count(*) as integer) as qtd_aguardando,
        cast(count(e.dias_sisreg) as integer) as qtd_estimados,
        cast(count(e.dias_conferidos) as integer) as qtd_conferidos,
        {%- for estimativa in ['sisreg', 'proprios'] %}
        case
            when count(e.dias_{{ estimativa }}) >= {{ setting('minimo_percentil') }}
                then cast({{ percentile('e.dias_' ~ estimativa, 0.5) }} as double)
        end as dias_{{ estimativa }}_p50,
        case
            when count(e.dias_conferidos) >= {{ setting('minimo_percentil') }}
                then cast(
                    {{ percentile(
                        '100.0 * abs(e.dias_' ~ estimativa ~ ' - e.dias_conferidos) / e.dias_conferidos',
                        0.5
                    ) }} as double
                )
        end as pct_erro_{{ estimativa }}_p50,
        case
            when count(e.dias_conferidos) >= {{ setting('minimo_percentil') }}
                then {{ percentage(
                    'sum(case when abs(e.dias_' ~ estimativa ~ ' - e.dias_conferidos) <= 30 then 1 else 0 end)',
                    'count(e.dias_conferidos)'
                ) }}
        end as pct_{{ estimativa }}_em_30_dias
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from estimativas as e
    group by e.competencia, e.procedimento_codigo
)

select * from final
