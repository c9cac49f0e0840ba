-- Grain: one row per raw row, all versions. Contacts, street address and the holder's numbers stay
-- in raw: no indicator needs them.
with source as (
    select * from {{ source('bruto_cnes', 'estabelecimento') }}
),

final as (
    select
        -- identificadores
        {{ pad_code('co_cnes', 7) }} as unidade_cnes,
        {{ null_if_blank('co_municipio_gestor') }} as municipio_gestor_ibge6,
        {{ null_if_blank('co_regiao_saude') }} as regiao_saude_cnes_codigo,
        -- nomes
        {{ null_if_blank('no_fantasia') }} as unidade_nome,
        {{ null_if_blank('no_razao_social') }} as razao_social,
        {{ null_if_blank('no_bairro') }} as bairro,
        {{ pad_code('co_cep', 8) }} as cep,
        -- datas
        {{ plausible('dt_atualizacao', 'dmy') }} as data_atualizacao,
        -- categorias
        {{ pad_code('tp_unidade', 2) }} as tipo_codigo,
        {{ pad_code('co_tipo_estabelecimento', 3) }} as tipo_estabelecimento_codigo,
        upper({{ null_if_blank('tp_gestao') }}) as gestao_tipo,
        {{ null_if_blank('co_natureza_jur') }} as natureza_juridica_codigo,
        {{ null_if_blank('co_motivo_desab') }} as motivo_desativacao_codigo,
        {{ null_if_blank('co_motivo_desab') }} is null as eh_ativo,
        {{ flag('st_contrato_formalizado') }} as tem_contrato_sus,
        -- metadados
        {{ implausible([
            ('dt_atualizacao', 'dmy', 'data'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
