-- Grain: one row per raw row, all versions.
with source as (
    select * from {{ source('bruto_proadi', 'entidade') }}
),

final as (
    select
        -- identificadores
        _chave as registro_id,
        {{ pad_code(digits_of('cnpj'), 14) }} as entidade_cnpj,
        {{ pad_code('cnes', 7) }} as unidade_cnes,
        {{ null_if_blank('nome') }} as entidade_nome,
        -- datas
        {{ plausible('reconhecimento_em', 'dmy') }} as data_reconhecimento,
        {{ plausible('reconhecimento_validade', 'dmy') }} as data_reconhecimento_validade,
        {{ plausible('renovacao_protocolada_em', 'dmy') }} as data_renovacao,
        -- metadados
        {{ implausible([
            ('reconhecimento_em', 'dmy', 'data'),
            ('reconhecimento_validade', 'dmy', 'data'),
            ('renovacao_protocolada_em', 'dmy', 'data'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
