-- As many areas, health regions and people as the control totals say: a row lost or a figure
-- mistyped in the seeds would bend every rate. A total that is null is unknown and judges nothing.
{%- set totais = {
    'qtd_areas': setting('territorio_qtd_areas'),
    'qtd_regioes': setting('territorio_qtd_regioes'),
    'populacao': setting('territorio_populacao'),
} %}

with territorio as (
    select * from {{ ref('dim_territorio') }}
),

regioes as (
    select
        t.regiao_saude_codigo,
        count(*) as qtd_areas,
        max(t.populacao_regiao_saude) as populacao
    from territorio as t
    group by t.regiao_saude_codigo
),

totais as (
    select
        count(*) as qtd_regioes,
        sum(r.qtd_areas) as qtd_areas,
        sum(r.populacao) as populacao
    from regioes as r
)

select t.*
from totais as t
where
    false
    {% for coluna, total in totais.items() if total is not none %}
    or t.{{ coluna }} is distinct from {{ total }}
    {% endfor %}
