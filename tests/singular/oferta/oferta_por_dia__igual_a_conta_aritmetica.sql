-- The slots of each schedule number are counted again from what was received, by arithmetic on
-- weekdays instead of expansion. The number is read as a number from raw; which file speaks for it
-- is asked anew on every day on which some file was seen. Nothing is taken from keys, stretches or
-- rows of the models: a slot lost or doubled by identity, versions, expansion or joins shows here.
with recebidas as (
    select
        try_cast(trim(b.cod_escala_ambulatorial) as bigint) as numero,
        c.visto_em,
        c.ordem,
        e.*
    from {{ source('bruto_sisreg', 'escala_ambulatorial') }} as b
    inner join {{ ref('int_calendario__cargas') }} as c
        on b._carga_id = c.carga_id
    inner join {{ ref('stg_sisreg__escalas') }} as e
        on b._carga_id = e._carga_id and b._linha = e._linha
),

arquivos as (
    select
        l.numero,
        l._carga_id,
        l.visto_em,
        l.ordem,
        l.visto_em <= {{ add_days(data_referencia(), 1) }} as chegou_a_tempo,
        min(l.visto_em) over (partition by l.numero) as primeiro_dia,
        min(l.ordem) over (partition by l.numero) as primeira_ordem,
        min(l.visto_em) over () as primeira_carga,
        max(coalesce(l.data_insercao <= {{ data_referencia() }}, true)) as existia
    from recebidas as l
    group by
        l.numero,
        l._carga_id,
        l.visto_em,
        l.ordem
),

faltas as (
    select
        try_cast(a.chave as bigint) as numero,
        a.evento,
        c.ordem as carga_ordem,
        c.visto_em
    from {{ source('controle', 'ausencias') }} as a
    inner join {{ ref('int_calendario__cargas') }} as c
        on a.carga_id = c.carga_id
    where
        a.tabela = 'bruto_sisreg.escala_ambulatorial'
        and c.visto_em <= {{ add_days(data_referencia(), 1) }}
),

-- days on which something new could be known; before the first of them counts what it said
vistos as (
    select a.visto_em
    from arquivos as a

    union distinct

    select f.visto_em
    from faltas as f
),

dias as (
    select
        v.visto_em,
        case when v.visto_em > min(v.visto_em) over () then v.visto_em end as desde,
        lead(v.visto_em) over (order by v.visto_em) as proximo_em
    from vistos as v
),

-- the newest word on presence by each day
presencas as (
    select
        d.visto_em,
        f.numero,
        f.evento,
        row_number() over (
            partition by d.visto_em, f.numero
            order by f.carga_ordem desc
        ) as ordem
    from dias as d
    inner join faltas as f
        on d.visto_em >= f.visto_em
),

-- the newest file that has the number, among those seen by the day; if it came later, its first
escolhidos as (
    select
        a.numero,
        a._carga_id,
        a.primeiro_dia,
        d.visto_em,
        d.desde,
        d.proximo_em,
        row_number() over (
            partition by a.numero, d.visto_em
            order by
                case when a.visto_em <= d.visto_em then 0 else 1 end,
                case when a.visto_em <= d.visto_em then a.ordem end desc,
                a.ordem
        ) as ordem
    from arquivos as a
    cross join dias as d
    where
        a.chegou_a_tempo
        or (
            a.ordem = a.primeira_ordem
            and (a.existia or a.visto_em = a.primeira_carga)
        )
),

vigentes as (
    select
        r.*,
        e.desde,
        {{ add_days('e.proximo_em', -1) }} as ate
    from escolhidos as e
    inner join recebidas as r
        on e.numero = r.numero and e._carga_id = r._carga_id
    left join presencas as s
        on e.numero = s.numero and e.visto_em = s.visto_em and s.ordem = 1
    where
        e.ordem = 1
        and coalesce(s.evento, 'presente') = 'presente'
        and r.escala_situacao in (
            'ATIVA', 'EXPIRADA'
            {%- if setting('contar_inativas_ate_alteracao') %}, 'INATIVA'{% endif %}
        )
        and r.unidade_executante_cnes is not null
        and r.procedimento_codigo is not null
        and r.data_vigencia_inicial is not null
        and r.dia_semana_numero is not null
        and not r.tem_vigencia_final_ilegivel
),

periodos as (
    select
        v.*,
        {{ days_between(
            "cast('0001-01-01' as date)", 'greatest(v.data_vigencia_inicial, v.desde)'
        ) }} as dia_inicial,
        {{ days_between(
            "cast('0001-01-01' as date)",
            'least(v.ate, coalesce(v.data_vigencia_final, ' ~ data_referencia() ~ '), '
            ~ "case when v.escala_situacao = 'INATIVA' then "
            ~ add_days('v.data_ultima_alteracao', -1) ~ ' else '
            ~ add_days(data_referencia(), setting('horizonte_dias')) ~ ' end, '
            ~ add_days(data_referencia(), setting('horizonte_dias')) ~ ')'
        ) }} as dia_final
    from vigentes as v
    where v.escala_situacao <> 'INATIVA' or v.data_ultima_alteracao is not null
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
        c.numero,
        '{{ tipo }}' as vaga_tipo,
        sum(c.qtd_dias) as qtd_linhas,
        sum(c.qtd_dias * c.qtd_vagas_{{ tipo }}) as qtd_vagas
    from contadas as c
    where c.qtd_dias > 0 and (c.qtd_vagas_{{ tipo }} <> 0 or c.qtd_vagas_{{ tipo }} is null)
    group by c.numero
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
),

obtidas as (
    select
        try_cast(o.escala_codigo as bigint) as numero,
        o.vaga_tipo,
        count(*) as qtd_linhas,
        sum(o.qtd_vagas_total) as qtd_vagas
    from {{ ref('oferta_por_dia') }} as o
    group by
        try_cast(o.escala_codigo as bigint),
        o.vaga_tipo
)

select
    coalesce(e.numero, o.numero) as numero,
    coalesce(e.vaga_tipo, o.vaga_tipo) as vaga_tipo,
    e.qtd_vagas as qtd_esperada,
    o.qtd_vagas as qtd_obtida
from esperadas as e
full outer join obtidas as o
    on e.numero = o.numero and e.vaga_tipo = o.vaga_tipo
where
    e.qtd_linhas is distinct from o.qtd_linhas
    or e.qtd_vagas is distinct from o.qtd_vagas
