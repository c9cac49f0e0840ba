-- What a load brought is still there, row by row: raw is never edited, and a row that went missing
-- would change the queue of past days without a trace. Nothing of raw is without its load.
with brutas as (
    {%- for tabela in graph.sources.values() | selectattr('schema', 'ne', 'controle') %}
    select
        t._carga_id as carga_id,
        count(*) as qtd
    from {{ source(tabela.source_name, tabela.name) }} as t
    group by t._carga_id
    union all
    {%- endfor %}
    select
        cast(null as string) as carga_id,
        0 as qtd
),

contadas as (
    select
        b.carga_id,
        sum(b.qtd) as qtd
    from brutas as b
    where b.carga_id is not null
    group by b.carga_id
)

select
    coalesce(c.carga_id, b.carga_id) as carga_id,
    c.qtd_carregadas,
    b.qtd as qtd_brutas
from {{ source('controle', 'cargas') }} as c
full outer join contadas as b on c.carga_id = b.carga_id
where
    (c.resultado = 'completa' and c.qtd_carregadas <> coalesce(b.qtd, 0))
    or (c.carga_id is null and b.qtd > 0)
