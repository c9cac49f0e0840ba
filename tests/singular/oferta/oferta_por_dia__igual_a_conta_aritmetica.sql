-- Each schedule's slots are counted again from staging, by arithmetic on weekdays instead of
-- expansion and with the current version found by a maximum instead of a window. A slot lost or
-- doubled by the expansion, the versions or the joins shows here.
with escalas as (
    select * from {{ ref('stg_sisreg__escalas') }}
),

ausencias as (
    select * from {{ source('controle', 'ausencias') }}
),

oferta as (
    select * from {{ ref('oferta_por_dia') }}
),

ultimas_cargas as (
    select
        e.escala_id,
        max(e._carregado_em) as carregado_em
    from escalas as e
    group by e.escala_id
),

ultimas_linhas as (
    select
        e.escala_id,
        e._carregado_em,
        max(e._linha) as linha
    from escalas as e
    inner join ultimas_cargas as u
        on e.escala_id = u.escala_id and e._carregado_em = u.carregado_em
    group by
        e.escala_id,
        e._carregado_em
),

sumidas as (
    select a.chave
    from ausencias as a
    where
        a.tabela = 'bruto_sisreg.escala_ambulatorial'
        and not exists (
            select 1
            from ausencias as b
            where b.tabela = a.tabela and b.chave = a.chave and b.registrado_em > a.registrado_em
        )
        and a.evento = 'ausente'
),

vigentes as (
    select
        e.*,
        case
            when e.escala_situacao = 'INATIVA' then {{ add_days('e.data_ultima_alteracao', -1) }}
            else {{ add_days(data_referencia(), var('horizonte_dias')) }}
        end as limite
    from escalas as e
    inner join ultimas_linhas as u
        on
            e.escala_id = u.escala_id
            and e._carregado_em = u._carregado_em
            and e._linha = u.linha
    where
        e.escala_situacao in (
            'ATIVA', 'EXPIRADA'
            {%- if var('contar_inativas_ate_alteracao') %}, 'INATIVA'{% endif %}
        )
        and e.unidade_executante_cnes is not null
        and e.procedimento_codigo is not null
        and e.data_vigencia_inicial is not null
        and e.dia_semana_numero is not null
        and e.escala_chave not in (select s.chave from sumidas as s)
),

periodos as (
    select
        v.*,
        {{ days_between("cast('0001-01-01' as date)", 'v.data_vigencia_inicial') }} as dia_inicial,
        {{ days_between(
            "cast('0001-01-01' as date)",
            'least(coalesce(v.data_vigencia_final, ' ~ data_referencia() ~ '), v.limite, '
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
        c.qtd_dias as qtd_linhas,
        c.qtd_dias * c.qtd_vagas_{{ tipo }} as qtd_vagas
    from contadas as c
    where c.qtd_dias > 0 and (c.qtd_vagas_{{ tipo }} <> 0 or c.qtd_vagas_{{ tipo }} is null)
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
