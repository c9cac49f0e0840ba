-- Grain: one row per raw row, all versions.
with source as (
    select * from {{ source('bruto_proadi', 'termo') }}
),

final as (
    select
        -- identificadores
        _chave as registro_id,
        {{ null_if_blank('termo_numero') }} as termo_numero,
        {{ null_if_blank('sei_numero') }} as sei_numero,
        {{ pad_code(digits_of('cnpj'), 14) }} as entidade_cnpj,
        -- datas
        {{ plausible('trienio_inicio', 'dmy') }} as data_trienio_inicio,
        {{ plausible('trienio_fim', 'dmy') }} as data_trienio_fim,
        {{ plausible('vigencia_inicio', 'dmy') }} as data_vigencia_inicio,
        {{ plausible('vigencia_fim', 'dmy') }} as data_vigencia_fim,
        {{ plausible('solicitado_em', 'dmy') }} as data_solicitacao,
        {{ plausible('assinado_em', 'dmy') }} as data_assinatura,
        {{ plausible('dou_extrato_em', 'dmy') }} as data_publicacao,
        -- categorias
        lower({{ null_if_blank('instrumento') }}) as instrumento_codigo,
        lower({{ null_if_blank('base_estimativa') }}) as base_estimativa_codigo,
        -- quantidades
        {{ plausible('versao', 'integer', 'versao') }} as versao_numero,
        cast({{ plausible('valor_isencao_estimado', 'decimal', 'reais') }} as decimal(18, 2))
            as valor_isencao_estimado,
        -- indicadores
        {{ flag('prorrogado') }} as foi_prorrogado,
        -- metadados
        {{ implausible([
            ('trienio_inicio', 'dmy', 'data'),
            ('trienio_fim', 'dmy', 'data'),
            ('vigencia_inicio', 'dmy', 'data'),
            ('vigencia_fim', 'dmy', 'data'),
            ('solicitado_em', 'dmy', 'data'),
            ('assinado_em', 'dmy', 'data'),
            ('dou_extrato_em', 'dmy', 'data'),
            ('valor_isencao_estimado', 'decimal', 'reais'),
            ('versao', 'integer', 'versao'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
