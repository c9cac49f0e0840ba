-- 35 administrative regions in seven health regions, with the population of the census by health
-- region: a row lost or a figure mistyped in the seeds would bend every rate.
with territorio as (
    select * from {{ ref('dim_territorio') }}
),

regioes as (
    select
        t.regiao_saude_codigo,
        count(*) as qtd_regioes_administrativas,
        max(t.populacao_regiao_saude) as populacao
    from territorio as t
    group by t.regiao_saude_codigo
),

totais as (
    select
        count(*) as qtd_regioes_saude,
        sum(r.qtd_regioes_administrativas) as qtd_regioes_administrativas,
        sum(r.populacao) as populacao
    from regioes as r
)

select t.*
from totais as t
where
    t.qtd_regioes_saude <> 7
    or t.qtd_regioes_administrativas <> 35
    or t.populacao is distinct from 2807982
