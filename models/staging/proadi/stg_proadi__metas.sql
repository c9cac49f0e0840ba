-- Grain: one row per raw row, all versions.
with source as (
    select * from {{ source('bruto_proadi', 'meta') }}
),

final as (
    select
        -- identificadores
        _chave as registro_id,
        {{ digits_of('nup') }} as projeto_nup,
        {{ null_if_blank('indicador') }} as indicador_codigo,
        {{ null_if_blank('semestre') }} as semestre,
        -- categorias
        lower({{ null_if_blank('nivel') }}) as nivel_codigo,
        -- quantidades
        {{ plausible('semestre', 'year', 'ano') }} as exercicio,
        {{ parse_as('linha_base', 'decimal') }} as linha_base,
        {{ parse_as('previsto', 'decimal') }} as meta_prevista,
        {{ parse_as('realizado', 'decimal') }} as meta_realizada,
        -- metadados
        {{ implausible([
            ('semestre', 'year', 'ano'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
