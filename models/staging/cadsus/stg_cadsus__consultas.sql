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
        {{ plausible('momento_consulta', 'timestamp') }} as momento_consulta,
        -- categorias
        lower({{ null_if_blank('resultado') }}) as consulta_resultado,
        -- quantidades
        {{ plausible('qtd_candidatos', 'integer', 'posicao') }} as qtd_candidatos,
        -- metadados
        {{ implausible([
            ('momento_consulta', 'timestamp', 'data'),
            ('qtd_candidatos', 'integer', 'posicao'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
