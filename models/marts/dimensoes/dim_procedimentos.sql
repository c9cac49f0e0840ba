-- One row per procedure that any SISREG source names. The newest name wins, the schedules' first:
-- they are the catalogue, the API repeats what was valid at the time. What was seen after the
-- reference day names only what had no name by then.
with procedimentos_solicitados as (
    select
        s._carga_id,
        s._carga_ordem,
        {{ explode('s.procedimentos') }} as procedimento
    from {{ ref('stg_sisreg__solicitacoes_ambulatoriais') }} as s
),

vistos as (
    select
        e.procedimento_codigo as codigo,
        e.procedimento_nome as nome,
        e.procedimento_sigtap as sigtap,
        2 as preferencia,
        e._carga_id,
        e._carga_ordem
    from {{ ref('stg_sisreg__escalas') }} as e

    union all

    select
        m.procedimento_codigo as codigo,
        m.procedimento_nome as nome,
        m.procedimento_sigtap as sigtap,
        1 as preferencia,
        m._carga_id,
        m._carga_ordem
    from {{ ref('stg_sisreg__marcacoes_ambulatoriais') }} as m

    union all

    select
        {{ pad_code('p.procedimento.codigo_interno', 7) }} as codigo,
        {{ null_if_blank('p.procedimento.descricao_interna') }} as nome,
        {{ pad_code('p.procedimento.codigo_sigtap', 10) }} as sigtap,
        1 as preferencia,
        p._carga_id,
        p._carga_ordem
    from procedimentos_solicitados as p

    union all

    {% for origem in [
        'stg_sisreg__marcacoes_ambulatoriais', 'stg_sisreg__solicitacoes_ambulatoriais'
    ] %}
    select
        g.grupo_codigo as codigo,
        g.grupo_nome as nome,
        null as sigtap,
        0 as preferencia,
        g._carga_id,
        g._carga_ordem
    from {{ ref(origem) }} as g

    union all
    {% endfor %}
    {% for origem in ['stg_sisreg__ppi', 'stg_sisreg__tetos'] %}
    select
        l.procedimento_codigo as codigo,
        null as nome,
        null as sigtap,
        0 as preferencia,
        l._carga_id,
        l._carga_ordem
    from {{ ref(origem) }} as l
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
),

agrupados as (
    select
        v.codigo,
        v.nome,
        v.sigtap,
        v.preferencia,
        max(case when c.visto_em <= {{ last_day_seen() }} then v._carga_ordem end)
            as ultima_carga_a_tempo,
        max(v._carga_ordem) as ultima_carga
    from vistos as v
    left join {{ ref('int_calendario__cargas') }} as c
        on v._carga_id = c.carga_id
    where v.codigo is not null
    group by
        v.codigo,
        v.nome,
        v.sigtap,
        v.preferencia
),

ordenados as (
    select
        a.codigo,
        a.nome,
        a.sigtap,
        row_number() over (
            partition by a.codigo
            order by
                a.nome is null asc,
                a.preferencia desc,
                a.ultima_carga_a_tempo desc nulls last,
                a.ultima_carga desc,
                a.nome asc
        ) as ordem_nome,
        row_number() over (
            partition by a.codigo
            order by
                a.sigtap is null asc,
                a.preferencia desc,
                a.ultima_carga_a_tempo desc nulls last,
                a.ultima_carga desc,
                a.sigtap asc
        ) as ordem_sigtap
    from agrupados as a
),

procedimentos as (
    select
        o.codigo,
        concat(left(o.codigo, 4), '000') as grupo_codigo,
        max(case when o.ordem_nome = 1 then o.nome end) as nome,
        max(case when o.ordem_sigtap = 1 then o.sigtap end) as sigtap
    from ordenados as o
    group by o.codigo
),

final as (
    select
        p.codigo as procedimento_codigo,
        p.nome as procedimento_nome,
        p.grupo_codigo,
        g.nome as grupo_nome,
        p.sigtap as sigtap_codigo,
        p.codigo = p.grupo_codigo as eh_grupo,
        {{ is_cnrac('p.sigtap') }} as eh_cnrac
    from procedimentos as p
    left join procedimentos as g
        on p.grupo_codigo = g.codigo
)

select * from final
