-- Grain: month in which terms ended, side, term, step, norm. Rule: regra_proadi_prazos.
with prazos as (
    select * from {{ ref('proadi_prazos_por_objeto') }}
),

encerrados as (
    select
        p.*,
        {{ competencia('p.data_limite') }} as competencia
    from prazos as p
    where
        p.data_limite <= p.data_referencia
        and p.prazo_situacao_codigo in ('cumprida', 'cumprida_com_atraso', 'em_atraso')
),

final as (
    select
        -- identificadores
        e.competencia,
        e.responsavel_codigo,
        e.prazo_codigo,
        e.prazo_etapa,
        e.norma,
        -- quantidades
        count(*) as qtd_prazos,
        count(case when e.prazo_situacao_codigo = 'cumprida' then 1 end) as qtd_prazos_no_tempo,
        {{ proadi_share(
            "count(case when e.prazo_situacao_codigo = 'cumprida' then 1 end)", 'count(*)'
        ) }} as pct_no_tempo,
        case
            when count(*) >= {{ setting('proadi_minimo_prazos') }}
                then {{ percentile('cast(e.dias_atraso as double)', 0.5) }}
        end as mediana_dias_atraso,
        case
            when count(*) >= {{ setting('proadi_minimo_prazos') }}
                then {{ percentile('cast(e.dias_atraso as double)', 0.9) }}
        end as p90_dias_atraso,
        -- norma
        e.base_legal_em_vigor,
        -- metadados
        e.data_referencia
    from encerrados as e
    group by all
)

select * from final
