-- Grain: last month of entry, months of entry taken together, procedure and days followed. How many
-- requests were followed for so long, and how they ended. Rule regra_probabilidade_atendimento.
{% set saidas = ['atendidos', 'sem_confirmacao', 'outras_saidas'] %}

with percursos as (
    select * from {{ ref('int_fila__percursos') }}
),

-- Whoever was seen or died before asking contradicts the sources, and tells nothing.
seguidos as (
    select
        {{ competencia('p.data_entrada') }} as competencia,
        p.procedimento_codigo,
        {{ days_between(
            'p.data_entrada', 'coalesce(p.data_saida, ' ~ data_referencia() ~ ')'
        ) }} as dias,
        case
            when p.saida_motivo = 'atendida' then 'atendidos'
            when p.saida_motivo = 'sem_confirmacao' then 'sem_confirmacao'
            when p.data_saida is not null then 'outras_saidas'
        end as saida
    from percursos as p
    where coalesce(p.data_saida >= p.data_entrada, true)
),

dias_do_mes as (
    select
        s.competencia,
        s.procedimento_codigo,
        s.dias,
        count(*) as qtd_pedidos,
        count(s.saida) as qtd_terminados,
        {%- for saida in saidas %}
        sum(case when s.saida = '{{ saida }}' then 1 else 0 end) as qtd_pedidos_{{ saida }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from seguidos as s
    group by s.competencia, s.procedimento_codigo, s.dias
),

-- Few enter in a month for one procedure: a year of them tells more, but of a time further back.
coortes as (
    select
        m.competencia as ultima_competencia,
        1 as coorte_meses,
        m.*
    from dias_do_mes as m
    union all
    select
        {{ explode_months(
            'm.competencia',
            'least(' ~ add_months('m.competencia', 11) ~ ', ' ~ competencia(data_referencia()) ~ ')'
        ) }} as ultima_competencia,
        12 as coorte_meses,
        m.*
    from dias_do_mes as m
),

final as (
    select
        c.ultima_competencia as competencia,
        c.coorte_meses,
        c.procedimento_codigo,
        c.dias,
        sum(c.qtd_pedidos) as qtd_pedidos,
        sum(c.qtd_terminados) as qtd_terminados,
        {%- for saida in saidas %}
        sum(c.qtd_pedidos_{{ saida }}) as qtd_pedidos_{{ saida }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from coortes as c
    group by c.ultima_competencia, c.coorte_meses, c.procedimento_codigo, c.dias
)

select * from final
