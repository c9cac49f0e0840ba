-- A card or CPF that two records share would multiply requests in the join, and with them every
-- count of the queue: rows out equal rows in.
with entradas as (
    select count(*) as qtd from {{ ref('int_pessoas__identificadores') }}
),

vinculos as (
    select count(*) as qtd from {{ ref('int_pessoas__identidade') }}
),

residencias as (
    select count(*) as qtd from {{ ref('int_pessoas__residencias') }}
),

periodos as (
    select count(*) as qtd from {{ ref('int_fila__vigencias') }}
),

pedidos as (
    select count(*) as qtd from {{ ref('int_fila__solicitacoes') }}
)

select
    e.qtd as qtd_entradas,
    v.qtd as qtd_vinculos,
    r.qtd as qtd_residencias,
    d.qtd as qtd_periodos,
    p.qtd as qtd_pedidos
from entradas as e
cross join vinculos as v
cross join residencias as r
cross join periodos as d
cross join pedidos as p
where e.qtd <> v.qtd or r.qtd <> d.qtd or e.qtd <> p.qtd
