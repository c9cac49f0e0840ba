-- Grain: one row per raw row, all versions. A quantity that is no whole number from zero up stays
-- null: it is unknown, not zero.
with source as (
    select * from {{ source('bruto_sisreg', 'escala_ambulatorial') }}
),

final as (
    select
        -- identificadores
        _chave as escala_codigo,
        {{ null_if_blank('cod_central_exec') }} as central_executora_codigo,
        {{ pad_code('cod_cnes_exec', 7) }} as unidade_executante_cnes,
        {{ pad_code('cod_procedimento_interno', 7) }} as procedimento_codigo,
        {{ pad_code('cod_procedimento_unificado', 10) }} as procedimento_sigtap,
        {{ pad_code('cpf_profissional_exec', 11, min_digits=9) }} as profissional_cpf,
        {{ pad_code('cod_cbo', 6) }} as profissional_cbo,
        -- nomes
        {{ null_if_blank('desc_central_exec') }} as central_executora_nome,
        {{ null_if_blank('desc_cnes_exec') }} as unidade_executante_nome,
        {{ null_if_blank('desc_procedimento_interno') }} as procedimento_nome,
        {{ null_if_blank('nome_profissional_exec') }} as profissional_nome,
        {{ null_if_blank('desc_cbo') }} as profissional_cbo_nome,
        {{ null_if_blank('nome_operador_criador') }} as operador_criador_nome,
        {{ null_if_blank('nome_operador_modificador') }} as operador_modificador_nome,
        -- datas e horários
        {{ plausible('data_de_vigencia_inicial', 'dmy') }} as data_vigencia_inicial,
        {{ plausible('data_de_vigencia_final', 'dmy') }} as data_vigencia_final,
        {{ null_if_blank('data_de_vigencia_final') }} is not null
        and {{ plausible('data_de_vigencia_final', 'dmy') }} is null
        -- 31/12/9999 says "no end", which is not an end that cannot be read
        and not {{ is_open_end('data_de_vigencia_final', 'dmy') }} as tem_vigencia_final_ilegivel,
        {{ try_time_minutes('hora_inicial') }} as minuto_inicio,
        {{ try_time_minutes('hora_final') }} as minuto_fim,
        {{ plausible('data_ultima_alteracao', 'dmy') }} as data_ultima_alteracao,
        {{ try_time_minutes('hora_ultima_alteracao') }} as minuto_ultima_alteracao,
        {{ plausible('data_da_insercao', 'dmy') }} as data_insercao,
        {{ try_time_minutes('hora_da_insercao') }} as minuto_insercao,
        {{ plausible('data_da_ultima_ativacao', 'dmy') }} as data_ultima_ativacao,
        {{ try_time_minutes('hora_da_ultima_ativacao') }} as minuto_ultima_ativacao,
        -- categorias
        {{ normalize_text(null_if_blank('status')) }} as escala_situacao,
        {{ normalize_text(null_if_blank('sigla_dia_semana')) }} as dia_semana_sigla,
        {{ weekday_number(normalize_text('sigla_dia_semana')) }} as dia_semana_numero,
        {{ flag('quebra_automatica') }} as tem_quebra_automatica,
        {{ flag('agenda_local') }} as eh_agenda_local,
        -- quantidades
        {{ plausible('qtd_vagas_prim_vez', 'integer', 'vagas') }} as qtd_vagas_primeira_vez,
        {{ plausible('qtd_vagas_retorno', 'integer', 'vagas') }} as qtd_vagas_retorno,
        {{ plausible('qtd_vagas_reserva', 'integer', 'vagas') }} as qtd_vagas_reserva,
        {{ plausible('qtd_minutos_prim_vez', 'integer', 'minutos') }} as minutos_primeira_vez,
        {{ plausible('qtd_minutos_retorno', 'integer', 'minutos') }} as minutos_retorno,
        {{ plausible('qtd_minutos_reserva', 'integer', 'minutos') }} as minutos_reserva,
        -- metadados
        {{ implausible([
            ('data_de_vigencia_inicial', 'dmy', 'data'),
            ('data_de_vigencia_final', 'dmy', 'data'),
            ('data_ultima_alteracao', 'dmy', 'data'),
            ('data_da_insercao', 'dmy', 'data'),
            ('data_da_ultima_ativacao', 'dmy', 'data'),
            ('qtd_vagas_prim_vez', 'integer', 'vagas'),
            ('qtd_vagas_retorno', 'integer', 'vagas'),
            ('qtd_vagas_reserva', 'integer', 'vagas'),
            ('qtd_minutos_prim_vez', 'integer', 'minutos'),
            ('qtd_minutos_retorno', 'integer', 'minutos'),
            ('qtd_minutos_reserva', 'integer', 'minutos'),
        ]) }} as valores_implausiveis,
        _carga_id,
        _arquivo,
        _linha,
        _carregado_em,
        _carga_ordem
    from source
)

select * from final
