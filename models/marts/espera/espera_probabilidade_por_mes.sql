-- Grain: last month of entry, months of entry taken together, procedure and horizon. The chance of
-- being seen by a day, with the other ends as competing risks and what is still open on the
-- reference day as censored (Aalen-Johansen). Indicator 44. Rule regra_probabilidade_atendimento.
{% set saidas = ['atendidos', 'sem_confirmacao', 'outras_saidas'] %}
{% set horizontes = [30, 90, 180, 365] %}
{% set minimo_casos, minimo_seguidos = setting('minimo_percentil'), setting('minimo_seguidos') %}

with coortes as (
    select * from {{ ref('int_fila__coortes') }}
),

em_risco as (
    select
        c.*,
        sum(c.qtd_pedidos) over (
            partition by c.competencia, c.coorte_meses, c.procedimento_codigo
            order by c.dias desc
        ) as qtd_em_risco
    from coortes as c
),

-- The share that was still open before each day. When all that is left ends, no day follows.
curvas as (
    select
        r.*,
        coalesce(exp(sum(
            case
                when r.qtd_terminados < r.qtd_em_risco
                    then ln(1 - cast(r.qtd_terminados as double) / r.qtd_em_risco)
            end
        ) over (
            partition by r.competencia, r.coorte_meses, r.procedimento_codigo order by r.dias
            rows between unbounded preceding and 1 preceding
        )), 1) as parte_aberta
    from em_risco as r
),

horizontes as (
    {%- for dias in horizontes %}
    select {{ dias }} as horizonte_dias
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

medidas as (
    select
        c.competencia,
        c.coorte_meses,
        c.procedimento_codigo,
        h.horizonte_dias,
        sum(c.qtd_pedidos) as qtd_pedidos,
        sum(case when c.dias >= h.horizonte_dias then c.qtd_pedidos else 0 end) as qtd_seguidos,
        max(case when c.qtd_terminados = c.qtd_em_risco then 1 else 0 end) as todos_terminaram,
        sum(
            c.qtd_pedidos
            - case when c.dias <= h.horizonte_dias then c.qtd_terminados else 0 end
        ) as qtd_pedidos_em_aberto,
        {%- for saida in saidas %}
        sum(
            case when c.dias <= h.horizonte_dias then c.qtd_pedidos_{{ saida }} else 0 end
        ) as qtd_pedidos_{{ saida }},
        100 * sum(
            case
                when c.dias <= h.horizonte_dias
                    then c.parte_aberta * c.qtd_pedidos_{{ saida }} / c.qtd_em_risco
                else 0
            end
        ) as pct_pedidos_{{ saida }},
        {%- endfor %}
        100 * coalesce(min(
            case
                when c.dias <= h.horizonte_dias
                    then
                        c.parte_aberta
                        * (1 - cast(c.qtd_terminados as double) / c.qtd_em_risco)
            end
        ), 1) as pct_pedidos_em_aberto
    from curvas as c
    cross join horizontes as h
    group by c.competencia, c.coorte_meses, c.procedimento_codigo, h.horizonte_dias
),

julgadas as (
    select
        m.*,
        m.qtd_pedidos >= {{ minimo_casos }}
        and (
            m.qtd_seguidos >= {{ minimo_seguidos }}
            or m.todos_terminaram = 1
            -- Who entered on the last day of the month has been followed to the horizon too.
            or {{ days_between(last_day_of_month('m.competencia'), data_referencia()) }}
            >= m.horizonte_dias
        ) as eh_conhecida
    from medidas as m
),

final as (
    select
        j.competencia,
        cast(j.coorte_meses as integer) as coorte_meses,
        j.procedimento_codigo,
        cast(j.horizonte_dias as integer) as horizonte_dias,
        cast(j.qtd_pedidos as integer) as qtd_pedidos,
        {%- for saida in saidas %}
        cast(j.qtd_pedidos_{{ saida }} as integer) as qtd_pedidos_{{ saida }},
        {%- endfor %}
        cast(j.qtd_pedidos_em_aberto as integer) as qtd_pedidos_em_aberto,
        {%- for parte in saidas + ['em_aberto'] %}
        case
            when j.eh_conhecida then cast(j.pct_pedidos_{{ parte }} as double)
        end as pct_pedidos_{{ parte }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from julgadas as j
)

select * from final
