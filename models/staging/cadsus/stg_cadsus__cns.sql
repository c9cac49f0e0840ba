-- Grain: one row per raw row, every version kept.
{{ config(materialized='by_load') }}

with source as (
    select * from {{ source('bruto_cadsus', 'cns') }}
),

final as (
    select
        -- identificadores
        {{ null_if_blank('id_pessoa') }} as cadsus_id,
        {{ pad_code('cns', 15) }} as cns,
        -- categorias
        upper({{ null_if_blank('tipo') }}) as cns_tipo,
        {{ flag('principal') }} as eh_principal,
        -- metadados
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
