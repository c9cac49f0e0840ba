-- Grain: action of the work plan. Rule: regra_prazos (macros/obligations.sql). A kind of evidence
-- without a row in int_acordo__evidencias is one that no warehouse can show.
with plano as (
    select * from {{ ref('acordo_plano_trabalho') }}
),

evidencias as (
    select * from {{ ref('int_acordo__evidencias') }}
),

juntas as (
    select
        p.acao_codigo,
        p.eixo_codigo,
        p.eixo_nome,
        p.acao_descricao,
        p.responsavel,
        p.prazo_trimestre,
        p.data_prazo,
        p.evidencia_tipo,
        p.data_informada,
        p.fonte_informada,
        e.qtd_encontradas,
        e.qtd_esperadas,
        e.data_evidencia,
        coalesce(e.eh_feita_no_banco, false) as eh_feita_no_banco,
        {{ data_referencia() }} as data_referencia
    from plano as p
    left join evidencias as e on p.evidencia_tipo = e.evidencia_tipo
),

situadas as (
    select
        j.*,
        {{ obligation_situation(
            'j.data_prazo', 'j.data_referencia', 'j.data_informada', 'j.data_evidencia',
            'j.eh_feita_no_banco'
        ) }} as prazo_situacao
    from juntas as j
),

final as (
    select
        -- identificadores
        s.acao_codigo,
        s.eixo_codigo,
        s.eixo_nome,
        s.acao_descricao,
        s.responsavel,
        -- prazo
        s.prazo_trimestre,
        s.data_prazo,
        s.data_prazo < s.data_referencia as eh_prazo_vencido,
        s.prazo_situacao,
        {{ obligation_days_late(
            's.prazo_situacao', 's.data_prazo', 's.data_referencia', 's.data_informada'
        ) }} as dias_atraso,
        -- evidência
        s.evidencia_tipo,
        s.eh_feita_no_banco,
        s.data_evidencia,
        cast(s.qtd_encontradas as bigint) as qtd_encontradas,
        s.qtd_esperadas,
        s.data_informada,
        s.fonte_informada,
        -- metadados
        s.data_referencia
    from situadas as s
)

select * from final
