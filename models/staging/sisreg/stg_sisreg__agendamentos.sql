-- Grain: one row per raw row, all versions. The street address and the phone stay in raw: no
-- indicator needs them.
with source as (
    select * from {{ source('bruto_sisreg', 'agendamento') }}
),

final as (
    select
        -- identificadores
        {{ null_if_blank('solicitacao') }} as solicitacao_codigo,
        {{ pad_code('cod_cnes_exec', 7) }} as unidade_executante_cnes,
        {{ pad_code('cnes_solicitante', 7) }} as unidade_solicitante_cnes,
        case
            when {{ pad_code('codigo_interno', 7) }} <> '0000000'
                then {{ pad_code('codigo_interno', 7) }}
        end as procedimento_codigo,
        {{ pad_code('codigo_unificado', 10) }} as procedimento_sigtap,
        {{ pad_code('cpf_proficional_executante', 11, min_digits=9) }}
            as profissional_executante_cpf,
        {{ pad_code('cpf_profissional_solicitante', 11, min_digits=9) }}
            as profissional_solicitante_cpf,
        {{ pad_code('cns', 15) }} as paciente_cns,
        left({{ null_if_blank('ibge') }}, 6) as residencia_ibge6,
        left({{ null_if_blank('ibge_solicitante') }}, 6) as solicitante_ibge6,
        upper({{ null_if_blank('cid') }}) as cid_codigo,
        -- nomes
        {{ null_if_blank('descricao_procedimento') }} as procedimento_nome,
        {{ null_if_blank('nome_profissional_executante') }} as profissional_executante_nome,
        {{ null_if_blank('nome_profissional_solicitante') }} as profissional_solicitante_nome,
        {{ null_if_blank('unidade_fantasia') }} as unidade_solicitante_nome,
        {{ null_if_blank('mun_solicitante') }} as solicitante_municipio_nome,
        {{ null_if_blank('nome') }} as paciente_nome,
        {{ null_if_blank('nome_mae') }} as paciente_mae_nome,
        {{ null_if_blank('municipio') }} as residencia_municipio_nome,
        {{ null_if_blank('bairro') }} as residencia_bairro,
        {{ pad_code('cep', 8) }} as residencia_cep,
        {{ null_if_blank('operador_solicitante') }} as operador_solicitante_nome,
        {{ null_if_blank('operador_autorizador') }} as operador_autorizador_nome,
        -- datas e horários
        {{ plausible('data_agendamento', 'dmy_dots') }} as data_agendamento,
        {{ try_time_minutes('hr_agendamento') }} as minuto_agendamento,
        {{ plausible('data_solicitacao', 'dmy_dots') }} as data_solicitacao,
        {{ plausible('data_autorizacao', 'dmy_dots') }} as data_autorizacao,
        {{ plausible('dt_nascimento', 'dmy_dots', 'nascimento') }} as paciente_data_nascimento,
        -- categorias
        case trim(tipo) when '0' then 'primeira_vez' when '1' then 'retorno' end as vaga_tipo,
        upper({{ null_if_blank('sexo') }}) as paciente_sexo,
        upper({{ null_if_blank('situacao') }}) as agendamento_situacao,
        -- quantidades
        {{ plausible('idade', 'integer', 'idade') }} as paciente_idade_anos,
        {{ plausible('idade_meses', 'integer', 'idade_meses') }} as paciente_idade_meses,
        cast({{ plausible('valor_procedimento', 'decimal', 'valor') }} as decimal(12, 2))
            as valor_procedimento,
        -- metadados
        {{ implausible([
            ('data_agendamento', 'dmy_dots', 'data'),
            ('data_solicitacao', 'dmy_dots', 'data'),
            ('data_autorizacao', 'dmy_dots', 'data'),
            ('dt_nascimento', 'dmy_dots', 'nascimento'),
            ('idade', 'integer', 'idade'),
            ('idade_meses', 'integer', 'idade_meses'),
            ('valor_procedimento', 'decimal', 'valor'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
