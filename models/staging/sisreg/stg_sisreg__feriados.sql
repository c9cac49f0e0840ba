-- Grain: one row per raw row, all versions.
with source as (
    select * from {{ source('bruto_sisreg', 'feriado') }}
),

final as (
    select
        -- identificadores
        _chave as feriado_chave,
        {{ pad_code('cod_cnes_exec', 7) }} as unidade_executante_cnes,
        -- datas
        {{ plausible('data', 'dmy') }} as data,
        -- categorias
        lower({{ null_if_blank('abrangencia') }}) as abrangencia,
        {{ null_if_blank('descricao') }} as feriado_descricao,
        -- metadados
        {{ implausible([
            ('data', 'dmy', 'data'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
