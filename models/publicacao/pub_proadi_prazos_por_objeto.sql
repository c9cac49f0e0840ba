-- Grain: object, term, step, occurrence, order. The mart as it is: no person, no free text.
with proadi as (
    select * from {{ ref('proadi_prazos_por_objeto') }}
),

final as (
    select
        p.objeto_tipo,
        p.objeto_numero,
        p.prazo_codigo,
        p.prazo_etapa,
        p.ocorrencia,
        p.evento_ordem,
        p.termo_numero,
        p.responsavel_codigo,
        p.data_inicio,
        p.data_limite,
        p.data_limite_outra,
        p.data_cumprimento,
        p.dias_prazo,
        p.dias_suspensos,
        p.dias_atraso,
        p.prazo_situacao_codigo,
        p.foi_prorrogado,
        p.foi_reduzido,
        p.norma_citada,
        p.foi_citada_norma_revogada,
        p.norma,
        p.dispositivo,
        p.base_legal_em_vigor,
        p.foi_vigente_no_fato,
        p.data_referencia
    from proadi as p
)

select * from final
