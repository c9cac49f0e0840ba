-- Grain: one row per raw row, all versions. A row is a place in the queue at the instant of export.
with source as (
    select * from {{ source('bruto_sisreg', 'fila_2018_03') }}
),

final as (
    select
        -- identificadores
        {{ null_if_blank('codigosolicitacao') }} as solicitacao_codigo,
        {{ pad_code('cnescentralreguladora', 7) }} as central_reguladora_cnes,
        {{ null_if_blank('descricaocentralreguladora') }} as central_reguladora_nome,
        {{ pad_code('cnescentralsolicitante', 7) }} as central_solicitante_cnes,
        {{ null_if_blank('descricaocentralsolicitante') }} as central_solicitante_nome,
        {{ pad_code('cnesestabelecimentosolicitante', 7) }} as unidade_solicitante_cnes,
        {{ null_if_blank('descricaoestabelecimentosolicitante') }} as unidade_solicitante_nome,
        -- datas
        {{ plausible('datahoraexportacao', 'timestamp_dmy') }} as momento_exportacao,
        {{ plausible('datasolicitacao', 'timestamp_dmy') }} as momento_solicitacao,
        -- categorias
        {{ integer_code('tipofila') }} as fila_tipo,
        {{ integer_code('classificacaorisco') }} as risco_codigo,
        {{ pad_code('procedimentocodigo', 7) }} as procedimento_codigo,
        {{ null_if_blank('procedimentodescricao') }} as procedimento_nome,
        {{ null_if_blank('grupoprocedimentocodigo') }} as procedimento_grupo_codigo,
        {{ null_if_blank('grupoprocedimentodescricao') }} as procedimento_grupo_nome,
        {{ pad_code('codigosigtap', 10) }} as procedimento_sigtap,
        {{ null_if_blank('descricaosigtap') }} as procedimento_sigtap_nome,
        {{ null_if_blank('posicao26') }} as posicao_26,
        -- quantidades
        {{ plausible('posicao', 'integer', 'posicao') }} as posicao_na_fila,
        {{ plausible('estimativaatendimento', 'integer', 'dias') }} as dias_estimados_fila,
        {{ plausible('estimativausuario', 'integer', 'dias') }} as dias_estimados_paciente,
        {{ plausible('producaomensal', 'decimal', 'limite') }} as media_agendamentos_mes,
        -- paciente
        {{ pad_code('cpf', 11, min_digits=9) }} as paciente_cpf,
        {{ pad_code('cns', 15) }} as paciente_cns,
        {{ null_if_blank('nomeusuario') }} as paciente_nome,
        {{ null_if_blank('nomemae') }} as paciente_mae_nome,
        {{ plausible('datanascimento', 'dmy', 'nascimento') }} as paciente_data_nascimento,
        case left(upper({{ null_if_blank('sexo') }}), 1)
            when 'M' then 'MASCULINO'
            when 'F' then 'FEMININO'
        end as paciente_sexo,
        -- metadados
        {{ implausible([
            ('datahoraexportacao', 'timestamp_dmy', 'data'),
            ('datasolicitacao', 'timestamp_dmy', 'data'),
            ('posicao', 'integer', 'posicao'),
            ('estimativaatendimento', 'integer', 'dias'),
            ('estimativausuario', 'integer', 'dias'),
            ('producaomensal', 'decimal', 'limite'),
            ('datanascimento', 'dmy', 'nascimento'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
