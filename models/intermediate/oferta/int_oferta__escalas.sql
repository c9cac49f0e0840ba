-- Grain: one row per raw row, each with exactly one fate (escala_destino); only 'expandida' gives
-- slots, on each seventh day from primeira_data to ultima_data. Rules: regra_oferta_total.
with escalas as (
    select * from {{ ref('stg_sisreg__escalas') }}
),

ausencias as (
    select * from {{ source('controle', 'ausencias') }}
),

ultimos_eventos as (
    select
        a.chave,
        max_by(a.evento, a.registrado_em) as evento
    from ausencias as a
    where a.tabela = 'bruto_sisreg.escala_ambulatorial'
    group by a.chave
),

situadas as (
    select
        e.escala_id,
        e.escala_codigo,
        e.central_executora_codigo,
        e.unidade_executante_cnes,
        e.procedimento_codigo,
        e.profissional_cpf,
        e.dia_semana_numero,
        e.minuto_inicio,
        e.minuto_fim,
        e.escala_situacao,
        e.eh_agenda_local,
        e.qtd_vagas_primeira_vez,
        e.qtd_vagas_retorno,
        e.qtd_vagas_reserva,
        e._carga_id,
        e._arquivo,
        e._linha,
        e._carregado_em,
        -- the first reason that applies; null while none does
        case
            when
                row_number() over (
                    partition by e.escala_id
                    order by e._carregado_em desc, e._linha desc
                ) > 1
                then 'versao_anterior'
            when u.evento = 'ausente' then 'desaparecida'
            when e.escala_situacao = 'EXCLUIDA' then 'excluida'
            when
                e.escala_situacao = 'INATIVA'
                and (
                    not {{ var('contar_inativas_ate_alteracao') }}
                    or e.data_ultima_alteracao is null
                )
                then 'inativa'
            when coalesce(e.escala_situacao, '') not in ('ATIVA', 'EXPIRADA', 'INATIVA')
                then 'situacao_desconhecida'
            when e.unidade_executante_cnes is null or e.procedimento_codigo is null
                then 'sem_unidade_ou_procedimento'
            when e.data_vigencia_inicial is null then 'sem_vigencia_inicial'
            -- an end that cannot be read is not "no end": slots would run on without proof
            when e.tem_vigencia_final_ilegivel then 'vigencia_final_ilegivel'
            when e.data_vigencia_final < e.data_vigencia_inicial then 'vigencia_invertida'
            when e.dia_semana_numero is null then 'dia_semana_invalido'
        end as destino_sem_vagas,
        -- the weekday's first occurrence in the validity
        {{ add_days(
            'e.data_vigencia_inicial',
            '(e.dia_semana_numero - ' ~ isodow('e.data_vigencia_inicial') ~ ' + 7) % 7'
        ) }} as primeira_data,
        least(
            coalesce(e.data_vigencia_final, {{ data_referencia() }}),
            {{ add_days(data_referencia(), var('horizonte_dias')) }},
            case
                when e.escala_situacao = 'INATIVA'
                    then {{ add_days('e.data_ultima_alteracao', -1) }}
                else cast('9999-12-31' as date)
            end
        ) as ultima_data
    from escalas as e
    left join ultimos_eventos as u
        on e.escala_chave = u.chave
),

final as (
    select
        -- identificadores
        s.escala_id,
        s.escala_codigo,
        coalesce(s.central_executora_codigo, 'nao_informada') as central_executora_codigo,
        s.unidade_executante_cnes,
        s.procedimento_codigo,
        {{ pseudonym("'profissional:' || s.profissional_cpf") }} as profissional_id,
        -- datas e horários
        s.dia_semana_numero,
        s.primeira_data,
        s.ultima_data,
        s.minuto_inicio,
        s.minuto_fim,
        -- without usable hours the block is the whole day
        coalesce(s.minuto_fim > s.minuto_inicio, false) as tem_horario,
        case when s.minuto_fim > s.minuto_inicio then s.minuto_inicio else 0 end as bloco_inicio,
        case when s.minuto_fim > s.minuto_inicio then s.minuto_fim else 24 * 60 end as bloco_fim,
        -- categorias
        coalesce(
            s.destino_sem_vagas,
            case when s.primeira_data <= s.ultima_data then 'expandida' end,
            'sem_data_no_periodo'
        ) as escala_destino,
        s.escala_situacao,
        s.eh_agenda_local,
        -- quantidades
        s.qtd_vagas_primeira_vez,
        s.qtd_vagas_retorno,
        s.qtd_vagas_reserva,
        -- metadados
        s._carga_id,
        s._arquivo,
        s._linha,
        s._carregado_em
    from situadas as s
)

select * from final
