-- Grain: date, unit (null: all units), first day of a stretch in which it was known to be closed by
-- a holiday. The one place that says whether a unit is closed on a day: its own word goes before
-- that of all units. On a day on which some unit works while others do not, each unit has rows of
-- its own. Rule: regra_feriados.
with vistos as (
    select * from {{ ref('int_calendario__feriados_vistos') }}
),

escalas as (
    select * from {{ ref('int_oferta__escalas') }}
),

unidades as (
    select e.unidade_executante_cnes
    from escalas as e
    where e.unidade_executante_cnes is not null
    group by e.unidade_executante_cnes
),

excecoes as (
    select v.data
    from vistos as v
    where v.unidade_executante_cnes is not null and v.abrangencia = 'nenhuma'
    group by v.data
),

lugares as (
    select
        v.data,
        cast(null as string) as unidade_executante_cnes
    from vistos as v
    left join excecoes as x on v.data = x.data
    where x.data is null

    union distinct

    select
        x.data,
        u.unidade_executante_cnes
    from excecoes as x
    cross join unidades as u

    union distinct

    select
        v.data,
        v.unidade_executante_cnes
    from vistos as v
    where v.unidade_executante_cnes is not null
),

-- stretches of the unit's own word and of that of all units, cut where either changes
cruzados as (
    select
        l.data,
        l.unidade_executante_cnes,
        greatest(g.visto_de, coalesce(p.visto_de, g.visto_de)) as visto_de,
        coalesce(p.feriado_origem, g.feriado_origem) as feriado_origem,
        case when p.feriado_origem is null then g.tem_bloqueio else p.tem_bloqueio end
            as tem_bloqueio
    from lugares as l
    inner join vistos as g
        on l.data = g.data and g.unidade_executante_cnes is null
    left join vistos as p
        on
            l.data = p.data
            and l.unidade_executante_cnes = p.unidade_executante_cnes
            and coalesce(g.visto_ate, {{ ending() }}) >= p.visto_de
            and g.visto_de <= coalesce(p.visto_ate, {{ ending() }})
),

mudancas as (
    select
        c.*,
        lag(c.tem_bloqueio) over (
            partition by c.data, c.unidade_executante_cnes order by c.visto_de
        ) as tinha_bloqueio,
        lag(c.feriado_origem) over (
            partition by c.data, c.unidade_executante_cnes order by c.visto_de
        ) as origem_anterior
    from cruzados as c
),

trechos as (
    select
        m.*,
        {{ add_days('lead(m.visto_de) over (
            partition by m.data, m.unidade_executante_cnes order by m.visto_de
        )', -1) }} as visto_ate
    from mudancas as m
    where
        m.tinha_bloqueio is null
        or m.tem_bloqueio <> m.tinha_bloqueio
        or m.feriado_origem is distinct from m.origem_anterior
),

final as (
    select
        -- identificadores
        {{ surrogate_key(['t.data', 't.unidade_executante_cnes']) }} as fechamento_id,
        t.unidade_executante_cnes,
        -- datas
        t.data,
        t.visto_de,
        t.visto_ate,
        -- what a later word changed after the day itself holds for no date any more
        case when t.visto_ate >= t.data then {{ add_days('t.data', 1) }} end as vale_de,
        -- categorias
        t.feriado_origem
    from trechos as t
    where t.tem_bloqueio
)

select * from final
