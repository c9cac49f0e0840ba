-- The regions of a month hold all slots, all real offers and everybody who waits: a unit without a
-- region, or in two, would move offer from one territory to another unseen.
with territorio as (
    select * from {{ ref('oferta_por_territorio_por_mes') }}
),

oferta_real as (
    select * from {{ ref('oferta_real_por_mes') }}
),

fila as (
    select * from {{ ref('fila_por_mes') }}
),

obtidos as (
    select
        t.competencia,
        coalesce(sum(t.qtd_vagas_ativas), 0) as qtd_ativas,
        coalesce(sum(t.qtd_oferta_real), 0) as qtd_reais,
        sum(t.qtd_aguardando_inicio) as qtd_aguardando
    from territorio as t
    group by t.competencia
),

ofertados as (
    select
        o.competencia,
        coalesce(sum(o.qtd_vagas_ativas), 0) as qtd_ativas,
        coalesce(sum(o.qtd_oferta_real), 0) as qtd_reais
    from oferta_real as o
    group by o.competencia
),

esperados as (
    select
        f.competencia,
        sum(f.qtd_estoque_inicial) as qtd_aguardando
    from fila as f
    where f.procedimento_codigo <> 'nao_informado'
    group by f.competencia
)

select
    t.competencia,
    t.qtd_reais as qtd_reais_no_territorio,
    o.qtd_reais as qtd_reais_na_fonte,
    t.qtd_aguardando as qtd_aguardando_no_territorio,
    e.qtd_aguardando as qtd_aguardando_na_fonte
from obtidos as t
left join ofertados as o
    on t.competencia = o.competencia
left join esperados as e
    on t.competencia = e.competencia
where
    t.qtd_ativas <> coalesce(o.qtd_ativas, 0)
    or t.qtd_reais <> coalesce(o.qtd_reais, 0)
    or t.qtd_aguardando is distinct from e.qtd_aguardando
