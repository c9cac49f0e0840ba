-- The areas counted one by one never exceed their health region, and complete it where none is
-- missing. A figure that nobody published would show here.
with territorio_areas as (
    select * from {{ ref('territorio_areas') }}
),

territorio_regioes as (
    select * from {{ ref('territorio_regioes') }}
),

somas as (
    select
        a.regiao_saude_codigo,
        sum(a.populacao) as populacao,
        count(case when a.populacao_situacao = 'nao_encontrada' then 1 end) as qtd_sem_valor
    from territorio_areas as a
    group by a.regiao_saude_codigo
)

select
    s.regiao_saude_codigo,
    s.populacao as populacao_somada,
    r.populacao as populacao_da_regiao
from somas as s
inner join territorio_regioes as r
    on s.regiao_saude_codigo = r.regiao_saude_codigo
where
    s.populacao > r.populacao
    or (s.qtd_sem_valor = 0 and s.populacao <> r.populacao)
