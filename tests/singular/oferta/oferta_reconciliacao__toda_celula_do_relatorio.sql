-- A cell of the report that got lost would be a difference passed over in silence.
with relatorio as (
    select * from {{ ref('int_oferta__relatorio') }}
),

reconciliacao as (
    select * from {{ ref('oferta_reconciliacao') }}
),

contadas as (
    {% for medida in report_measures() %}
    select
        '{{ medida }}' as medida,
        count(r.qtd_{{ medida }}) as qtd_celulas,
        sum(r.qtd_{{ medida }}) as soma
    from relatorio as r
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
),

reconciliadas as (
    select
        r.medida,
        count(r.qtd_sisreg) as qtd_celulas,
        sum(r.qtd_sisreg) as soma
    from reconciliacao as r
    group by r.medida
)

select
    c.medida,
    c.qtd_celulas,
    r.qtd_celulas as qtd_reconciliadas
from contadas as c
left join reconciliadas as r
    on c.medida = r.medida
where
    c.qtd_celulas <> coalesce(r.qtd_celulas, 0)
    or c.soma is distinct from r.soma
