-- Each schedule's slots are counted again from staging, by arithmetic on weekdays instead of
-- expansion, and each version is found by asking, on every day on which schedules were seen, which
-- one was the newest then. A slot lost or doubled by expansion, versions or joins shows here.
with escalas as (
    select
        e.*,
        c.visto_em
    from {{ ref('stg_sisreg__escalas') }} as e
    inner join {{ ref('int_calendario__cargas') }} as c
        on e._carga_id = c.carga_id
),

ausencias as (
    select
        a.*,
        c.visto_em
    from {{ source('controle', 'ausencias') }} as a
    inner join {{ ref('int_calendario__cargas') }} as c
        on a.carga_id = c.carga_id
    where a.tabela = 'bruto_sisreg.escala_ambulatorial'
),

oferta as (
    select * from {{ ref('oferta_por_dia') }}
),

chaves as (
    select
        e.escala_id,
        min(e.visto_em) as primeiro_dia,
        count(*) > 1 or max(
            case when e.escala_chave in (select a.chave from ausencias as a) then 1 else 0 end
        ) = 1 as mudou
    from escalas as e
    group by e.escala_id
),

dias as (
    select
        c.visto_em,
        min(c.visto_em) over () as primeiro_dia,
        lead(c.visto_em) over (order by c.visto_em) as proximo_em
    from {{ ref('int_calendario__cargas') }} as c
    where c.entidade = 'escala'
    group by c.visto_em
),

-- what never changed needs no stretches
trechos as (
    select
        k.escala_id,
        cast(null as date) as desde,
        cast(null as date) as ate,
        k.primeiro_dia as sabido_em,
        cast(null as date) as ausente_em
    from chaves as k
    where not k.mudou

    union all

    select
        k.escala_id,
        case when d.visto_em > d.primeiro_dia then d.visto_em end as desde,
        {{ add_days('d.proximo_em', -1) }} as ate,
        greatest(d.visto_em, k.primeiro_dia) as sabido_em,
        case when d.visto_em >= k.primeiro_dia then d.visto_em end as ausente_em
    from chaves as k
    cross join dias as d
    where k.mudou
),

vigentes as (
    select
        t.desde,
        t.ate,
        e.*,
        case
            when e.escala_situacao = 'INATIVA' then {{ add_days('e.data_ultima_alteracao', -1) }}
            else {{ add_days(data_referencia(), var('horizonte_dias')) }}
        end as limite
    from trechos as t
    inner join escalas as e
        on t.escala_id = e.escala_id and t.sabido_em >= e.visto_em
    where
        not exists (
            select 1
            from escalas as f
            where
                f.escala_id = e.escala_id
                and f.visto_em <= t.sabido_em
                and (
                    f._carregado_em > e._carregado_em
                    or (f._carregado_em = e._carregado_em and f._linha > e._linha)
                )
        )
        and not exists (
            select 1
            from ausencias as a
            where
                a.chave = e.escala_chave
                and a.visto_em <= t.ausente_em
                and a.evento = 'ausente'
                and not exists (
                    select 1
                    from ausencias as b
                    where
                        b.chave = a.chave
                        and b.visto_em <= t.ausente_em
                        and b.registrado_em > a.registrado_em
                )
        )
        and e.escala_situacao in (
            'ATIVA', 'EXPIRADA'
            {%- if var('contar_inativas_ate_alteracao') %}, 'INATIVA'{% endif %}
        )
        and e.unidade_executante_cnes is not null
        and e.procedimento_codigo is not null
        and e.data_vigencia_inicial is not null
        and e.dia_semana_numero is not null
        and not e.tem_vigencia_final_ilegivel
),

periodos as (
    select
        v.*,
        {{ days_between(
            "cast('0001-01-01' as date)", 'greatest(v.data_vigencia_inicial, v.desde)'
        ) }} as dia_inicial,
        {{ days_between(
            "cast('0001-01-01' as date)",
            'least(v.ate, coalesce(v.data_vigencia_final, ' ~ data_referencia() ~ '), v.limite, '
            ~ add_days(data_referencia(), var('horizonte_dias')) ~ ')'
        ) }} as dia_final
    from vigentes as v
),

-- 0001-01-01 is a Monday: weeks up to a day, counted at the schedule's weekday
contadas as (
    select
        p.*,
        greatest(
            {{ int_div('p.dia_final + 8 - p.dia_semana_numero', '7') }}
            - {{ int_div('p.dia_inicial + 7 - p.dia_semana_numero', '7') }},
            0
        ) as qtd_dias
    from periodos as p
),

esperadas as (
    {% for tipo in ['primeira_vez', 'retorno', 'reserva'] %}
    select
        c.escala_id,
        '{{ tipo }}' as vaga_tipo,
        sum(c.qtd_dias) as qtd_linhas,
        sum(c.qtd_dias * c.qtd_vagas_{{ tipo }}) as qtd_vagas
    from contadas as c
    where c.qtd_dias > 0 and (c.qtd_vagas_{{ tipo }} <> 0 or c.qtd_vagas_{{ tipo }} is null)
    group by c.escala_id
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
),

obtidas as (
    select
        o.escala_id,
        o.vaga_tipo,
        count(*) as qtd_linhas,
        sum(o.qtd_vagas_total) as qtd_vagas
    from oferta as o
    group by
        o.escala_id,
        o.vaga_tipo
)

select
    coalesce(e.escala_id, o.escala_id) as escala_id,
    coalesce(e.vaga_tipo, o.vaga_tipo) as vaga_tipo,
    e.qtd_vagas as qtd_esperada,
    o.qtd_vagas as qtd_obtida
from esperadas as e
full outer join obtidas as o
    on e.escala_id = o.escala_id and e.vaga_tipo = o.vaga_tipo
where
    e.qtd_linhas is distinct from o.qtd_linhas
    or e.qtd_vagas is distinct from o.qtd_vagas
