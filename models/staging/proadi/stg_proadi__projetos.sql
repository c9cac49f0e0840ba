-- Grain: one row per raw row, all versions.
with source as (
    select * from {{ source('bruto_proadi', 'projeto') }}
),

final as (
    select
        -- identificadores
        _chave as registro_id,
        {{ digits_of('nup') }} as projeto_nup,
        {{ null_if_blank('termo_numero') }} as termo_numero,
        {{ null_if_blank('titulo') }} as projeto_titulo,
        {{ null_if_blank('secretaria_responsavel') }} as secretaria_responsavel,
        -- datas
        {{ plausible('vigencia_inicio', 'dmy') }} as data_vigencia_inicio,
        {{ plausible('vigencia_fim', 'dmy') }} as data_vigencia_fim,
        {{ plausible('gestor_local_anuencia_em', 'dmy') }} as data_anuencia_gestor,
        {{ plausible('dou_extrato_em', 'dmy') }} as data_publicacao,
        -- categorias
        lower({{ null_if_blank('natureza') }}) as natureza_codigo,
        -- quantidades
        {{ plausible('versao', 'integer', 'versao') }} as versao_numero,
        {{ plausible('area', 'integer', 'area') }} as area_codigo,
        -- indicadores
        {{ flag('demandado') }} as foi_demandado,
        {{ flag('tem_equipamentos') }} as tem_equipamentos,
        {{ flag('tem_ti') }} as tem_ti,
        {{ flag('tem_pesquisa') }} as tem_pesquisa,
        {{ flag('procedimentos_cnrac') }} as tem_procedimentos_cnrac,
        -- metadados
        {{ implausible([
            ('vigencia_inicio', 'dmy', 'data'),
            ('vigencia_fim', 'dmy', 'data'),
            ('gestor_local_anuencia_em', 'dmy', 'data'),
            ('dou_extrato_em', 'dmy', 'data'),
            ('versao', 'integer', 'versao'),
            ('area', 'integer', 'area'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
