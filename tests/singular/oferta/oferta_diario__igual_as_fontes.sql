-- The mart only adds up: no movement of a schedule and no change of a limit is lost or doubled.
with mart as (
    select
        d.visto_em,
        case when d.vaga_tipo = 'todos' then 'limites' else 'vagas' end as especie,
        sum(d.qtd_vagas_ganhas) as qtd_ganhas,
        sum(d.qtd_vagas_perdidas) as qtd_perdidas
    from {{ ref('oferta_diario') }} as d
    group by
        d.visto_em,
        case when d.vaga_tipo = 'todos' then 'limites' else 'vagas' end
),

fontes as (
    select
        v.visto_em,
        'vagas' as especie,
        sum(v.qtd_vagas_ganhas) as qtd_ganhas,
        sum(v.qtd_vagas_perdidas) as qtd_perdidas
    from {{ ref('int_oferta__diario_vagas') }} as v
    group by v.visto_em

    union all

    select
        l.visto_em,
        'limites' as especie,
        sum(l.qtd_vagas_ganhas) as qtd_ganhas,
        sum(l.qtd_vagas_perdidas) as qtd_perdidas
    from {{ ref('int_oferta__diario_limites') }} as l
    group by l.visto_em
)

select
    coalesce(m.visto_em, f.visto_em) as visto_em,
    coalesce(m.especie, f.especie) as especie
from mart as m
full outer join fontes as f
    on m.visto_em = f.visto_em and m.especie = f.especie
where
    m.qtd_ganhas is distinct from f.qtd_ganhas
    or m.qtd_perdidas is distinct from f.qtd_perdidas
