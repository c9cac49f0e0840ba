-- Grain: one row per raw row, all versions.
with source as (
    select * from {{ source('bruto_proadi', 'bem') }}
),

final as (
    select
        -- identificadores
        _chave as registro_id,
        {{ digits_of('nup') }} as projeto_nup,
        {{ null_if_blank('item') }} as item_codigo,
        {{ null_if_blank('descricao') }} as item_descricao,
        {{ pad_code(digits_of('donatario_cnpj'), 14) }} as donatario_cnpj,
        -- datas
        {{ plausible('doacao_em', 'dmy') }} as data_doacao,
        -- quantidades
        {{ plausible('quantidade', 'integer', 'quantidade') }} as qtd_itens,
        cast({{ plausible('valor_unitario', 'decimal', 'reais') }} as decimal(18, 2))
            as valor_unitario,
        cast({{ plausible('valor_total', 'decimal', 'reais') }} as decimal(18, 2)) as valor_total,
        -- metadados
        {{ implausible([
            ('doacao_em', 'dmy', 'data'),
            ('valor_unitario', 'decimal', 'reais'),
            ('valor_total', 'decimal', 'reais'),
            ('quantidade', 'integer', 'quantidade'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
