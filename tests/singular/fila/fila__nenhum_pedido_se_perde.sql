-- A request dropped between raw and the queue (an empty history, a version chosen twice) would
-- shorten the queue without a trace. Each code of the two indices has exactly one request.
with documentos as (
    select s.solicitacao_codigo
    from {{ ref('stg_sisreg__solicitacoes_ambulatoriais') }} as s
    union all
    select m.solicitacao_codigo
    from {{ ref('stg_sisreg__marcacoes_ambulatoriais') }} as m
),

brutos as (
    select count(distinct d.solicitacao_codigo) as qtd from documentos as d
),

pedidos as (
    select count(*) as qtd from {{ ref('int_fila__solicitacoes') }}
),

saidas as (
    select count(*) as qtd from {{ ref('int_fila__saidas') }}
)

select
    b.qtd as qtd_brutos,
    p.qtd as qtd_pedidos,
    s.qtd as qtd_saidas
from brutos as b
cross join pedidos as p
cross join saidas as s
where b.qtd <> p.qtd or p.qtd <> s.qtd
