with acoes as (
    select * from {{ ref('acordo_acoes') }}
),

final as (
    select
        -- identificadores
        a.acao_codigo,
        a.eixo_codigo,
        a.eixo_nome,
        a.acao_descricao,
        a.responsavel,
        -- prazo
        a.prazo_trimestre,
        a.data_prazo,
        a.eh_prazo_vencido,
        a.prazo_situacao,
        a.dias_atraso,
        -- evidência
        a.evidencia_tipo,
        a.eh_feita_no_banco,
        a.data_evidencia,
        a.qtd_encontradas,
        a.qtd_esperadas,
        a.data_informada,
        a.fonte_informada,
        -- metadados
        a.data_referencia
    from acoes as a
)

select * from final
