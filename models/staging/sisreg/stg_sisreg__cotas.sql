-- Grain: one row per raw row, all versions.
with source as (
    select * from {{ source('bruto_sisreg', 'cota') }}
),

final as (
    select
        -- identificadores
        {{ pad_code('cod_cnes_solicitante', 7) }} as unidade_solicitante_cnes,
        {{ pad_code('cod_procedimento_interno', 7) }} as procedimento_codigo,
        -- datas
        {{ plausible("competencia || '01'", 'compact') }} as competencia,
        -- categorias
        upper({{ null_if_blank('tipo_ppi') }}) as ppi_tipo,
        -- quantidades
        {{ plausible('qtd_cota', 'integer', 'limite') }} as qtd_cota,
        -- metadados
        {{ implausible([
            ("competencia || '01'", 'compact', 'data'),
            ('qtd_cota', 'integer', 'limite'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
