-- Grain: one row per raw row, all versions.
with source as (
    select * from {{ source('bruto_sisreg', 'teto') }}
),

final as (
    select
        -- identificadores
        _chave as teto_chave,
        {{ pad_code('cod_cnes_exec', 7) }} as unidade_executante_cnes,
        {{ pad_code('cod_procedimento_interno', 7) }} as procedimento_codigo,
        -- datas
        {{ plausible("competencia || '01'", 'compact') }} as competencia,
        -- quantidades
        {{ plausible('qtd_teto', 'integer', 'limite') }} as qtd_teto,
        -- metadados
        {{ implausible([
            ("competencia || '01'", 'compact', 'data'),
            ('qtd_teto', 'integer', 'limite'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
