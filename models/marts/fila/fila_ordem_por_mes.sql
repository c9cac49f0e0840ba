-- Grain: month and procedure with a booking of somebody who waited. How many of the bookings passed
-- over somebody older and at least as urgent, and what explains them. Rule regra_ordem_fila.
with ordem as (
    select
        o.*,
        {{ competencia('o.data_agendamento') }} as competencia
    from {{ ref('int_fila__ordem') }} as o
),

contados as (
    select
        o.competencia,
        o.procedimento_codigo,
        count(*) as qtd_agendamentos,
        {%- for situacao in order_situations() %}
        sum(case when o.ordem_situacao = '{{ situacao }}' then 1 else 0 end) as qtd_{{ situacao }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from ordem as o
    group by o.competencia, o.procedimento_codigo
),

comparados as (
    select
        c.*,
        c.qtd_agendamentos - c.qtd_sem_comparacao as qtd_comparados
    from contados as c
),

final as (
    select
        c.competencia,
        c.procedimento_codigo,
        cast(c.qtd_agendamentos as integer) as qtd_agendamentos,
        {%- for situacao in order_situations() %}
        cast(c.qtd_{{ situacao }} as integer) as qtd_{{ situacao }},
        {%- endfor %}
        case
            when c.qtd_comparados >= {{ setting('minimo_percentil') }}
                then {{ percentage('c.qtd_sem_explicacao', 'c.qtd_comparados') }}
        end as pct_sem_explicacao,
        {%- for limite in ['minimo', 'maximo'] %}
        case
            when c.qtd_comparados >= {{ setting('minimo_percentil') }}
                then {{ wilson_bound('c.qtd_sem_explicacao', 'c.qtd_comparados', limite) }}
        end as pct_sem_explicacao_{{ limite }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from comparados as c
)

select * from final
