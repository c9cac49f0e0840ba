-- Grain: day seen, schedule. Schedules whose state differs from that of the day before, with both
-- states as they matter for slots; a state that was never seen is null.
with escalas as (
    select * from {{ ref('int_oferta__escalas') }}
),

dias as (
    select * from {{ ref('int_oferta__dias_vistos') }}
),

estados as (
    select
        e.*,
        row_number() over (partition by e.escala_id order by e.visto_de) as ordem
    from escalas as e
    where coalesce(e.visto_ate >= e.visto_de, true)
),

mudancas as (
    select
        d.visto_em,
        d.ultima_data_comum,
        e.escala_id,
        e.escala_codigo,
        e.unidade_executante_cnes,
        e.procedimento_codigo,
        e.profissional_id,
        e.data_vigencia_inicial,
        a.eh_presente as era_presente,
        a.pode_ofertar as podia_ofertar,
        a.escala_situacao as situacao_antes,
        a.data_limite as data_limite_antes,
        e.eh_presente,
        e.pode_ofertar,
        e.escala_situacao as situacao_depois,
        e.data_limite as data_limite_depois
    from estados as e
    inner join dias as d
        on e.visto_de = d.visto_em
    left join estados as a
        on e.escala_id = a.escala_id and e.ordem = a.ordem + 1
    where d.anterior_em is not null
),

-- a number that left under one key and came under another on the same day moved its day or hours
trocas as (
    select
        m.visto_em,
        m.escala_codigo
    from mudancas as m
    where m.escala_codigo is not null
    group by
        m.visto_em,
        m.escala_codigo
    having
        max(case when m.eh_presente and not coalesce(m.era_presente, false) then 1 else 0 end) = 1
        and max(case when m.era_presente and not m.eh_presente then 1 else 0 end) = 1
),

-- what a new schedule renews: one of the same professional and place that ends just before it
-- begins
renovacoes as (
    select
        m.visto_em,
        m.escala_id
    from mudancas as m
    inner join estados as a
        on
            m.profissional_id = a.profissional_id
            and m.unidade_executante_cnes = a.unidade_executante_cnes
            and m.procedimento_codigo = a.procedimento_codigo
            and m.escala_id <> a.escala_id
    where
        m.era_presente is null
        and a.pode_ofertar
        and a.visto_de < m.visto_em
        and coalesce(a.visto_ate >= {{ add_days('m.visto_em', -1) }}, true)
        and a.data_limite < m.data_vigencia_inicial
        and a.data_limite >= {{ add_days('m.data_vigencia_inicial', -var('renovacao_dias')) }}
    group by
        m.visto_em,
        m.escala_id
),

final as (
    select
        -- identificadores
        m.visto_em,
        m.escala_id,
        -- datas
        m.ultima_data_comum,
        m.data_limite_antes,
        m.data_limite_depois,
        -- categorias
        m.situacao_antes,
        m.situacao_depois,
        m.era_presente,
        m.eh_presente,
        coalesce(m.podia_ofertar, false) as podia_ofertar,
        m.pode_ofertar,
        case
            when t.escala_codigo is null then false
            else m.eh_presente <> coalesce(m.era_presente, false)
        end as foi_trocada,
        coalesce(m.escala_id = r.escala_id, false) as foi_renovada
    from mudancas as m
    left join trocas as t
        on m.visto_em = t.visto_em and m.escala_codigo = t.escala_codigo
    left join renovacoes as r
        on m.visto_em = r.visto_em and m.escala_id = r.escala_id
    where coalesce(m.podia_ofertar, false) or m.pode_ofertar
)

select * from final
