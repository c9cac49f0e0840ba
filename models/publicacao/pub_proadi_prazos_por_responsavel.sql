-- Grain: month, side, term, step, norm. The mart as it is: no person, no free text.
with proadi as (
    select * from {{ ref('proadi_prazos_por_responsavel') }}
),

final as (
    select
        p.competencia,
        p.responsavel_codigo,
        p.prazo_codigo,
        p.prazo_etapa,
        p.norma,
        p.qtd_prazos,
        p.qtd_prazos_no_tempo,
        p.pct_no_tempo,
        p.mediana_dias_atraso,
        p.p90_dias_atraso,
        p.base_legal_em_vigor,
        p.data_referencia
    from proadi as p
)

select * from final
