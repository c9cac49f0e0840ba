-- Grain: one row per raw row, all versions. A row is a place in the queue at the instant of export.
with source as (
    select * from {{ source('bruto_sisreg', 'fila_ambulatorial_2017_08') }}
),

final as (
    select
        -- identificadores
        {{ null_if_blank('cod_central_reguladora_executante') }} as central_reguladora_codigo,
        {{ null_if_blank('nome_central_reguladora_executante') }} as central_reguladora_nome,
        {{ null_if_blank('cod_central_reguladora_solicitante') }} as central_solicitante_codigo,
        {{ null_if_blank('nome_central_reguladora_solicitante') }} as central_solicitante_nome,
        {{ pad_code('cod_cnes_solicitante', 7) }} as unidade_solicitante_cnes,
        {{ null_if_blank('nome_unidade_solicitante') }} as unidade_solicitante_nome,
        -- datas
        {{ plausible('data_de_exportacao', 'dmy') }} as data_exportacao,
        {{ plausible('data_hora_da_solicitacao', 'timestamp_dmy') }} as momento_solicitacao,
        -- categorias
        {{ integer_code('cod_tipo_de_fila') }} as fila_tipo,
        {{ integer_code('cod_classificacao_de_risco') }} as risco_codigo,
        {{ pad_code('cod_do_procedimento_interno', 7) }} as procedimento_codigo,
        {{ null_if_blank('desc_procedimento_interno') }} as procedimento_nome,
        {{ pad_code('cod_procedimento_unificado_sigtap', 10) }} as procedimento_sigtap,
        {{ null_if_blank('desc_procedimento_unificado_sigtap') }} as procedimento_sigtap_nome,
        -- quantidades
        {{ plausible('posicao_na_fila', 'integer', 'posicao') }} as posicao_na_fila,
        -- paciente
        {{ pad_code('cpf_do_usuario', 11, min_digits=9) }} as paciente_cpf,
        {{ pad_code('cns_do_usuario', 15) }} as paciente_cns,
        {{ null_if_blank('nome_do_usuario') }} as paciente_nome,
        {{ null_if_blank('nome_da_mae_do_usuario') }} as paciente_mae_nome,
        {{ plausible('data_de_nascimento_do_usuario', 'dmy', 'nascimento') }}
            as paciente_data_nascimento,
        case left(upper({{ null_if_blank('sexo_do_usuario') }}), 1)
            when 'M' then 'MASCULINO'
            when 'F' then 'FEMININO'
        end as paciente_sexo,
        -- metadados
        {{ implausible([
            ('data_de_exportacao', 'dmy', 'data'),
            ('data_hora_da_solicitacao', 'timestamp_dmy', 'data'),
            ('posicao_na_fila', 'integer', 'posicao'),
            ('data_de_nascimento_do_usuario', 'dmy', 'nascimento'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
