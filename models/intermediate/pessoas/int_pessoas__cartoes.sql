-- Grain: one row per valid card known to CadSUS, with the one record it belongs to. A card that
-- stands in two records would multiply requests, so it is given to one of them.
with cartoes as (
    select c.*
    from {{ ref('stg_cadsus__cns') }} as c
    where {{ of_known_load('c') }}
),

cadastros as (
    select * from {{ ref('int_pessoas__cadastros') }}
),

pares as (
    select
        c.cns,
        c.cadsus_id,
        max(c.cns_tipo = 'D') as eh_definitivo,
        max(c._carga_ordem) as _carga_ordem
    from cartoes as c
    where {{ cns_is_valid('c.cns') }} and c.cadsus_id is not null
    group by c.cns, c.cadsus_id
),

pares_pseudonimos as (
    select
        {{ pseudonym("'cns:' || p.cns") }} as cns_id,
        {{ pseudonym("'cadsus:' || p.cadsus_id") }} as cadastro_id,
        coalesce(p.eh_definitivo, false) as eh_definitivo,
        p._carga_ordem
    from pares as p
),

pares_ordenados as (
    -- Protection prevails; then the record seen last.
    select
        p.cns_id,
        p.cadastro_id,
        p.eh_definitivo,
        row_number() over (
            partition by p.cns_id
            order by d.eh_protegido desc, p._carga_ordem desc, p.cadastro_id asc
        ) as ordem
    from pares_pseudonimos as p
    inner join cadastros as d on p.cadastro_id = d.cadastro_id
),

final as (
    select
        p.cns_id,
        p.cadastro_id,
        p.eh_definitivo
    from pares_ordenados as p
    where p.ordem = 1
)

select * from final
