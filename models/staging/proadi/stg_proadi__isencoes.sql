-- Grain: one row per raw row, all versions.
with source as (
    select * from {{ source('bruto_proadi', 'isencao') }}
),

final as (
    select
        -- identificadores
        _chave as registro_id,
        {{ null_if_blank('termo_numero') }} as termo_numero,
        -- datas
        {{ plausible('informado_em', 'dmy') }} as data_informacao,
        -- quantidades
        {{ plausible('exercicio', 'integer', 'ano') }} as exercicio,
        cast({{ plausible('valor_estimado', 'decimal', 'reais') }} as decimal(18, 2))
            as valor_isencao_estimada,
        cast({{ plausible('valor_usufruido', 'decimal', 'reais') }} as decimal(18, 2))
            as valor_isencao_usufruida,
        -- metadados
        {{ implausible([
            ('informado_em', 'dmy', 'data'),
            ('valor_estimado', 'decimal', 'reais'),
            ('valor_usufruido', 'decimal', 'reais'),
            ('exercicio', 'integer', 'ano'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
