-- Grain: one row per raw row, every version kept.
with source as (
    select * from {{ source('bruto_cadsus', 'consulta') }}
),

final as (
    select
        -- identificadores
        upper({{ null_if_blank('identificador_tipo') }}) as identificador_tipo,
        {{ null_if_blank('identificador') }} as identificador,
        -- datas
        {{ local_timestamp('momento_consulta') }} as momento_consulta,
        -- categorias
        lower({{ null_if_blank('resultado') }}) as consulta_resultado,
        -- quantidades
        {{ try_integer('qtd_candidatos') }} as qtd_candidatos,
        -- metadados
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
