-- Grain: one row per raw row, all versions.
with source as (
    select * from {{ source('bruto_sisreg', 'ppi') }}
),

final as (
    select
        -- identificadores
        _chave as ppi_chave,
        {{ null_if_blank('cod_central_solicitante') }} as central_solicitante_codigo,
        {{ null_if_blank('cod_central_exec') }} as central_executora_codigo,
        {{ pad_code('cod_procedimento_interno', 7) }} as procedimento_codigo,
        -- datas
        {{ plausible("competencia || '01'", 'compact') }} as competencia,
        -- quantidades
        {{ plausible('qtd_ppi', 'integer', 'limite') }} as qtd_ppi,
        -- metadados
        {{ implausible([
            ("competencia || '01'", 'compact', 'data'),
            ('qtd_ppi', 'integer', 'limite'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
