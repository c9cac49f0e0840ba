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
        {{ try_date("competencia || '01'", 'compact') }} as competencia,
        -- quantidades
        {{ try_quantity('qtd_ppi') }} as qtd_ppi,
        -- metadados
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
