-- Grain: day seen, schedule. Schedules whose state differs from that of the day before, with both
-- states as they matter for slots; a state that was never seen is null. The rows of one version are
-- one state: what some of them can offer.
with escalas as (
    select * from {{ ref('int_oferta__escalas') }}
),

dias as (
    select * from {{ ref('int_oferta__versoes_dias') }}
),

estados as (
    select
        e.escala_codigo,
        e.visto_de,
        max(case when e.eh_presente then 1 else 0 end) = 1 as eh_presente,
        max(case when e.pode_ofertar then 1 else 0 end) = 1 as pode_ofertar,
        coalesce(
            max(case when e.pode_ofertar then e.escala_situacao end), max(e.escala_situacao)
        ) as escala_situacao,
        min(case when e.pode_ofertar then e.data_vigencia_inicial end) as data_vigencia_inicial,
        max(case when e.pode_ofertar then e.data_limite end) as data_limite,
        row_number() over (partition by e.escala_codigo order by e.visto_de) as ordem
    from escalas as e
    where coalesce(e.visto_ate >= e.visto_de, true)
    group by
        e.escala_codigo,
        e.visto_de
),

mudadas as (
    select
        d.visto_em,
        d.ultima_data_comum,
        e.escala_codigo,
        a.eh_presente as era_presente,
        a.pode_ofertar as podia_ofertar,
        a.escala_situacao as situacao_antes,
        a.data_vigencia_inicial as data_inicio_antes,
        a.data_limite as data_limite_antes,
        e.eh_presente,
        e.pode_ofertar,
        e.escala_situacao as situacao_depois,
        e.data_vigencia_inicial as data_inicio_depois,
        e.data_limite as data_limite_depois
    from estados as e
    inner join dias as d
        on e.visto_de = d.visto_em
    left join estados as a
        on e.escala_codigo = a.escala_codigo and e.ordem = a.ordem + 1
    where d.anterior_em is not null
),

-- what a new schedule renews: one of the same professional and place that ends just before it
-- begins
renovacoes as (
    select
        m.visto_em,
        m.escala_codigo
    from mudadas as m
    inner join escalas as e
        on m.escala_codigo = e.escala_codigo and m.visto_em = e.visto_de
    inner join escalas as a
        on
            e.profissional_id = a.profissional_id
            and e.unidade_executante_cnes = a.unidade_executante_cnes
            and e.procedimento_codigo = a.procedimento_codigo
            and e.escala_codigo <> a.escala_codigo
    where
        m.era_presente is null
        and a.pode_ofertar
        and a.visto_de < m.visto_em
        and coalesce(a.visto_ate >= {{ add_days('m.visto_em', -1) }}, true)
        and a.data_limite < e.data_vigencia_inicial
        and a.data_limite >= {{ add_days('e.data_vigencia_inicial', -setting('renovacao_dias')) }}
    group by all
),

final as (
    select
        -- identificadores
        m.visto_em,
        m.escala_codigo,
        -- datas
        m.ultima_data_comum,
        m.data_inicio_antes,
        m.data_limite_antes,
        m.data_inicio_depois,
        m.data_limite_depois,
        -- categorias
        m.situacao_antes,
        m.situacao_depois,
        m.era_presente,
        m.eh_presente,
        coalesce(m.podia_ofertar, false) as podia_ofertar,
        m.pode_ofertar,
        coalesce(m.escala_codigo = r.escala_codigo, false) as foi_renovada
    from mudadas as m
    left join renovacoes as r
        on m.visto_em = r.visto_em and m.escala_codigo = r.escala_codigo
    where coalesce(m.podia_ofertar, false) or m.pode_ofertar
)

select * from final
