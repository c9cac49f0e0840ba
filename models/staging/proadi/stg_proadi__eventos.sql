-- Grain: one row per raw row, all versions.
with source as (
    select * from {{ source('bruto_proadi', 'evento') }}
),

final as (
    select
        -- identificadores
        _chave as registro_id,
        case
            when
                lower(trim(objeto_tipo)) in ('projeto', 'entidade')
                then {{ digits_of('objeto_numero') }}
            else {{ null_if_blank('objeto_numero') }}
        end
            as objeto_numero,
        {{ null_if_blank('ocorrencia') }} as ocorrencia,
        {{ null_if_blank('norma_citada') }} as norma_citada,
        -- datas
        {{ plausible('ocorrido_em', 'dmy') }} as data_evento,
        -- categorias
        lower({{ null_if_blank('objeto_tipo') }}) as objeto_tipo,
        lower({{ null_if_blank('documento') }}) as documento_codigo,
        lower({{ null_if_blank('tipo') }}) as evento_codigo,
        lower({{ null_if_blank('resultado') }}) as resultado_codigo,
        -- metadados
        {{ implausible([
            ('ocorrido_em', 'dmy', 'data'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
