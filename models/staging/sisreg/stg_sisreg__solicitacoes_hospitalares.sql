-- Grain: one row per raw row, every version kept. This index has no history, no cancellation and
-- keeps dates and times apart.
{{ config(materialized='by_load') }}

with source as (
    select * from {{ source('bruto_sisreg', 'solicitacao_hospitalar') }}
),

final as (
    select
        -- identificadores
        {{ null_if_blank('codigo_solicitacao') }} as solicitacao_codigo,
        {{ null_if_blank('numero_aih') }} as aih_numero,
        {{ null_if_blank('numero_digito_aih') }} as aih_digito,
        {{ null_if_blank('codigo_central_reguladora') }} as central_reguladora_codigo,
        {{ null_if_blank('nome_central_reguladora') }} as central_reguladora_nome,
        {{ null_if_blank('codigo_uf_regulador') }} as uf_reguladora_ibge,
        upper({{ null_if_blank('sigla_uf_regulador') }}) as uf_reguladora_sigla,
        {{ null_if_blank('codigo_central_solicitante') }} as central_solicitante_codigo,
        {{ null_if_blank('nome_central_solicitante') }} as central_solicitante_nome,
        {{ null_if_blank('codigo_uf_solicitante') }} as uf_solicitante_ibge,
        upper({{ null_if_blank('sigla_uf_solicitante') }}) as uf_solicitante_sigla,
        {{ pad_code('codigo_unidade_solicitante', 7) }} as unidade_solicitante_cnes,
        {{ null_if_blank('nome_unidade_solicitante') }} as unidade_solicitante_nome,
        {{ pad_code('codigo_unidade_desejada', 7) }} as unidade_desejada_cnes,
        {{ null_if_blank('nome_unidade_desejada') }} as unidade_desejada_nome,
        {{ pad_code('codigo_unidade_executante', 7) }} as unidade_executante_cnes,
        {{ null_if_blank('nome_unidade_executante') }} as unidade_executante_nome,
        {{ null_if_blank('logradouro_unidade_executante') }} as unidade_executante_logradouro,
        {{ null_if_blank('numero_unidade_executante') }} as unidade_executante_numero,
        {{ null_if_blank('complemento_unidade_executante') }} as unidade_executante_complemento,
        {{ null_if_blank('bairro_unidade_executante') }} as unidade_executante_bairro,
        {{ null_if_blank('municipio_unidade_executante') }} as unidade_executante_municipio_nome,
        {{ pad_code('cep_unidade_executante', 8) }} as unidade_executante_cep,
        {{ null_if_blank('telefone_unidade_executante') }} as unidade_executante_telefone,
        {{ pad_code('codigo_unidade_referencia', 7) }} as unidade_referencia_cnes,
        {{ null_if_blank('nome_unidade_referencia') }} as unidade_referencia_nome,
        -- datas
        -- The date comes with a time of its own beside it; without one the day begins the wait.
        coalesce(
            {{ plausible(
                "left(data_solicitacao, 10) || 'T' || trim(hora_solicitacao)", 'timestamp'
            ) }},
            {{ plausible('left(data_solicitacao, 10)', 'timestamp') }}
        ) as momento_solicitacao,
        {{ plausible('data_atualizacao', 'timestamp') }} as momento_atualizacao,
        {{ plausible('data_atualizacao_solicitacao', 'timestamp') }}
            as momento_atualizacao_solicitacao,
        {{ plausible('data_atualizacao_marcacao', 'timestamp') }} as momento_atualizacao_marcacao,
        {{ plausible('data_desejada', 'iso') }} as data_desejada,
        {{ minute_text(try_time_minutes('hora_autorizacao')) }} as hora_autorizacao,
        {{ plausible('data_reserva', 'iso') }} as data_reserva,
        {{ plausible('data_internacao', 'iso') }} as data_internacao,
        {{ plausible('data_previsao_alta', 'iso') }} as data_previsao_alta,
        {{ plausible('data_alta', 'iso') }} as data_alta,
        {{ minute_text(try_time_minutes('hora_alta')) }} as hora_alta,
        -- categorias
        upper({{ null_if_blank('status') }}) as internacao_situacao,
        {{ integer_code('codigo_classificacao_risco') }} as risco_codigo,
        upper({{ null_if_blank('carater') }}) as carater,
        {{ integer_code('codigo_natureza_lesao') }} as natureza_lesao_codigo,
        {{ null_if_blank('descricao_natureza_lesao') }} as natureza_lesao_descricao,
        upper({{ null_if_blank('codigo_cid') }}) as cid_solicitado_codigo,
        {{ null_if_blank('descricao_cid') }} as cid_solicitado_descricao,
        {{ pad_code('codigo_procedimento', 10) }} as internacao_procedimento_sigtap,
        {{ null_if_blank('descricao_procedimento') }} as internacao_procedimento_nome,
        {{ null_if_blank('nome_leito') }} as leito_nome,
        {{ null_if_blank('nome_leito_complementar') }} as leito_complementar_nome,
        {{ null_if_blank('nome_clinica') }} as clinica_nome,
        {{ null_if_blank('nome_clinica_complementar') }} as clinica_complementar_nome,
        -- quantidades
        cast({{ plausible('valor_proc_aih', 'decimal', 'valor') }} as decimal(12, 2)) as valor_aih,
        -- profissionais e operadores
        {{ pad_code('cpf_medico_solicitante', 11) }} as profissional_solicitante_cpf,
        {{ null_if_blank('nome_medico_solicitante') }} as profissional_solicitante_nome,
        {{ pad_code('cpf_profissional_executante', 11) }} as profissional_executante_cpf,
        {{ null_if_blank('nome_operador_solicitante') }} as operador_solicitante_nome,
        {{ null_if_blank('nome_operador_autorizacao') }} as operador_autorizador_nome,
        {{ null_if_blank('operador_internacao') }} as operador_internacao_nome,
        {{ null_if_blank('operador_alta') }} as operador_alta_nome,
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
        {{ null_if_blank('nome_responsavel') }} as responsavel_nome,
        {{ null_if_blank('telefone_responsavel') }} as responsavel_telefone,
        -- metadados
        {{ null_if_blank('type') }} as documento_tipo,
        {{ null_if_blank('version') }} as documento_versao,
        {{ plausible('timestamp', 'timestamp') }} as momento_indexacao,
        {{ null_if_blank('carga_epoch') }} as espelho_carga_epoch,
        {{ implausible([
            ('data_solicitacao', 'timestamp', 'data'),
            ('data_atualizacao', 'timestamp', 'data'),
            ('data_atualizacao_solicitacao', 'timestamp', 'data'),
            ('data_atualizacao_marcacao', 'timestamp', 'data'),
            ('data_desejada', 'iso', 'data'),
            ('data_reserva', 'iso', 'data'),
            ('data_internacao', 'iso', 'data'),
            ('data_previsao_alta', 'iso', 'data'),
            ('data_alta', 'iso', 'data'),
            ('dt_nascimento_usuario', 'iso', 'nascimento'),
            ('valor_proc_aih', 'decimal', 'valor'),
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
