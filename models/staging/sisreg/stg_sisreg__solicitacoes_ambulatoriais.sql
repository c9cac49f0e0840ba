-- Grain: one row per raw row, every version kept. Clocks are local time under a false Z; the
-- cancellation is shifted twice. Nested arrays stay whole: they are exploded where they are used.
{{ config(materialized='by_load') }}

with source as (
    select * from {{ source('bruto_sisreg', 'solicitacao_ambulatorial') }}
),

final as (
    select
        -- identificadores
        {{ null_if_blank('codigo_solicitacao') }} as solicitacao_codigo,
        {{ null_if_blank('codigo_central_reguladora') }} as central_reguladora_codigo,
        {{ null_if_blank('nome_central_reguladora') }} as central_reguladora_nome,
        {{ null_if_blank('codigo_uf_regulador') }} as uf_reguladora_ibge,
        upper({{ null_if_blank('sigla_uf_regulador') }}) as uf_reguladora_sigla,
        {{ null_if_blank('codigo_central_solicitante') }} as central_solicitante_codigo,
        {{ null_if_blank('nome_central_solicitante') }} as central_solicitante_nome,
        {{ pad_code('codigo_cnes_central_solicitante', 7) }} as central_solicitante_cnes,
        {{ null_if_blank('nome_cnes_central_solicitante') }} as central_solicitante_cnes_nome,
        {{ null_if_blank('codigo_uf_solicitante') }} as uf_solicitante_ibge,
        upper({{ null_if_blank('sigla_uf_solicitante') }}) as uf_solicitante_sigla,
        {{ pad_code('codigo_unidade_solicitante', 7) }} as unidade_solicitante_cnes,
        {{ null_if_blank('nome_unidade_solicitante') }} as unidade_solicitante_nome,
        {{ pad_code('codigo_unidade_desejada', 7) }} as unidade_desejada_cnes,
        {{ null_if_blank('nome_unidade_desejada') }} as unidade_desejada_nome,
        -- datas
        {{ plausible('data_solicitacao', 'timestamp') }} as momento_solicitacao,
        {{ plausible('data_atualizacao', 'timestamp') }} as momento_atualizacao,
        {{ plausible('data_desejada', 'iso') }} as data_desejada,
        {{ plausible('data_cancelamento', 'cancellation') }} as momento_cancelamento,
        -- categorias
        upper(
            concat_ws(
                ' / ',
                {{ status_part('status_solicitacao', 1) }},
                {{ status_part('status_solicitacao', 2) }},
                {{ status_part('status_solicitacao', 3) }}
            )
        ) as solicitacao_situacao,
        {{ normalize_text(status_part('status_solicitacao', 1)) }} as situacao_objeto,
        {{ normalize_text(status_part('status_solicitacao', 2)) }} as situacao_estado,
        {{ normalize_text(status_part('status_solicitacao', 3)) }} as situacao_ator,
        upper({{ null_if_blank('sigla_situacao') }}) as situacao_sigla,
        {{ integer_code('codigo_classificacao_risco') }} as risco_codigo,
        upper({{ null_if_blank('codigo_tipo_regulacao') }}) as regulacao_tipo,
        {{ integer_code('codigo_tipo_fila') }} as fila_tipo,
        {{ integer_code('codigo_tipo_vaga_solicitada') }} as vaga_solicitada_tipo,
        {{ pad_code('codigo_grupo_procedimento', 7) }} as grupo_codigo,
        {{ null_if_blank('nome_grupo_procedimento') }} as grupo_nome,
        {{ pad_code(array_item('procedimentos', 1) ~ '.codigo_interno', 7) }}
            as procedimento_codigo,
        procedimentos,
        laudo,
        upper({{ null_if_blank('codigo_cid_solicitado') }}) as cid_solicitado_codigo,
        {{ null_if_blank('descricao_cid_solicitado') }} as cid_solicitado_descricao,
        {{ flag('st_visualizado_regulador') }} as foi_visualizada_regulador,
        -- quantidades
        {{ array_length('procedimentos') }} as qtd_procedimentos,
        -- profissionais e operadores
        {{ pad_code('cpf_profissional_solicitante', 11) }} as profissional_solicitante_cpf,
        {{ null_if_blank('nome_medico_solicitante') }} as profissional_solicitante_nome,
        {{ null_if_blank('numero_crm') }} as profissional_crm,
        {{ null_if_blank('nome_operador_solicitante') }} as operador_solicitante_nome,
        {{ null_if_blank('nome_operador_videofonista') }} as operador_videofonista_nome,
        {{ null_if_blank('nome_operador_cancelamento') }} as operador_cancelamento_nome,
        {{ integer_code('codigo_perfil_cancelamento') }} as perfil_cancelamento_codigo,
        {{ null_if_blank('nome_perfil_cancelamento') }} as perfil_cancelamento_nome,
        -- paciente
        {{ pad_code('cpf_usuario', 11) }} as paciente_cpf,
        {{ pad_code('cns_usuario', 15) }} as paciente_cns,
        {{ null_if_blank('no_usuario') }} as paciente_nome,
        {{ null_if_blank('no_mae_usuario') }} as paciente_mae_nome,
        {{ plausible('dt_nascimento_usuario', 'iso', 'nascimento') }} as paciente_data_nascimento,
        upper({{ null_if_blank('sexo_usuario') }}) as paciente_sexo,
        {{ null_if_blank('telefone') }} as paciente_telefone,
        {{ null_if_blank('nome_municipio_nascimento') }} as paciente_nascimento_municipio_nome,
        upper({{ null_if_blank('uf_municipio_nascimento') }}) as paciente_nascimento_uf_sigla,
        upper({{ null_if_blank('uf_paciente_residencia') }}) as residencia_uf_sigla,
        {{ null_if_blank('municipio_paciente_residencia') }} as residencia_municipio_nome,
        {{ null_if_blank('bairro_paciente_residencia') }} as residencia_bairro,
        {{ pad_code('cep_paciente_residencia', 8) }} as residencia_cep,
        {{ null_if_blank('tipo_logradouro_paciente_residencia') }} as residencia_logradouro_tipo,
        {{ null_if_blank('endereco_paciente_residencia') }} as residencia_logradouro,
        {{ null_if_blank('numero_paciente_residencia') }} as residencia_numero,
        {{ null_if_blank('complemento_paciente_residencia') }} as residencia_complemento,
        -- metadados
        {{ null_if_blank('type') }} as documento_tipo,
        {{ null_if_blank('version') }} as documento_versao,
        {{ plausible('timestamp', 'timestamp') }} as momento_indexacao,
        {{ null_if_blank('carga_epoch') }} as espelho_carga_epoch,
        {{ implausible([
            ('data_solicitacao', 'timestamp', 'data'),
            ('data_atualizacao', 'timestamp', 'data'),
            ('data_desejada', 'iso', 'data'),
            ('data_cancelamento', 'cancellation', 'data'),
            ('dt_nascimento_usuario', 'iso', 'nascimento'),
            ('timestamp', 'timestamp', 'data'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
