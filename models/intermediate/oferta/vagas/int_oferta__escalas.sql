-- Grain: raw row, first day of a stretch in which it was in force or gone. Each has exactly one
-- fate (escala_destino); only 'expandida' gives slots, on each seventh day from primeira_data to
-- ultima_data, so that each date counts by one version of its schedule. The rows of one version
-- are numbered, because nothing in them need differ. Rules: regra_oferta_total,
-- regra_versoes_da_oferta.
with linhas as (
    select
        e.*,
        'bruto_sisreg.escala_ambulatorial' as tabela,
        e.escala_codigo as registro_id,
        row_number() over (
            partition by e.escala_codigo, e._carga_id
            order by
                e.dia_semana_numero,
                e.minuto_inicio,
                e.minuto_fim,
                e.profissional_cpf,
                e.unidade_executante_cnes,
                e.procedimento_codigo,
                e.data_vigencia_inicial,
                e._linha
        ) as linha_da_versao
    from {{ ref('stg_sisreg__escalas') }} as e
),

{{ record_versions(
    'linhas',
    dated='coalesce(r.data_insercao <= ' ~ data_referencia() ~ ', true)',
    more=['vale_de', 'eh_ultimo_trecho']
) }},

situadas as (
    select
        t.*,
        -- the first reason that applies; null while none does
        case
            when t.visto_ate < t.visto_de then 'versao_anterior'
            when not t.eh_presente then 'desaparecida'
            when t.escala_situacao = 'EXCLUIDA' then 'excluida'
            when
                t.escala_situacao = 'INATIVA'
                and (
                    not {{ setting('contar_inativas_ate_alteracao') }}
                    or t.data_ultima_alteracao is null
                )
                then 'inativa'
            when coalesce(t.escala_situacao, '') not in ('ATIVA', 'EXPIRADA', 'INATIVA')
                then 'situacao_desconhecida'
            when t.unidade_executante_cnes is null or t.procedimento_codigo is null
                then 'sem_unidade_ou_procedimento'
            when t.data_vigencia_inicial is null then 'sem_vigencia_inicial'
            -- an end that cannot be read is not "no end": slots would run on without proof
            when t.tem_vigencia_final_ilegivel then 'vigencia_final_ilegivel'
            when t.data_vigencia_final < t.data_vigencia_inicial then 'vigencia_invertida'
            when t.dia_semana_numero is null then 'dia_semana_invalido'
        end as destino_sem_vagas,
        -- what the row itself allows, whenever it was seen
        {{ next_weekday('t.data_vigencia_inicial', 't.dia_semana_numero') }}
            as primeira_ocorrencia,
        least(
            t.data_vigencia_final,
            case
                when t.escala_situacao = 'INATIVA'
                    then {{ add_days('t.data_ultima_alteracao', -1) }}
            end
        ) as data_limite,
        greatest(t.data_vigencia_inicial, t.vale_de) as desde
    from trechos as t
),

recortadas as (
    select
        s.*,
        {{ next_weekday('s.desde', 's.dia_semana_numero') }} as primeira_data,
        least(
            case
                when s.data_vigencia_final is null
                    then least(s.data_limite, {{ data_referencia() }})
                else s.data_limite
            end,
            {{ add_days(data_referencia(), setting('horizonte_dias')) }}
        ) as ultima_possivel
    from situadas as s
),

final as (
    select
        -- identificadores
        {{ surrogate_key(['r.escala_codigo', 'r.linha_da_versao']) }} as escala_id,
        r.escala_codigo,
        coalesce(r.central_executora_codigo, 'nao_informada') as central_executora_codigo,
        r.unidade_executante_cnes,
        r.procedimento_codigo,
        {{ pseudonym("'profissional:' || r.profissional_cpf") }} as profissional_id,
        -- datas e horários
        r.visto_de,
        r.visto_ate,
        r.vale_de,
        r.dia_semana_numero,
        r.primeira_data,
        least(r.ultima_possivel, r.visto_ate) as ultima_data,
        r.primeira_ocorrencia,
        r.data_limite,
        r.data_vigencia_inicial,
        r.data_vigencia_final,
        r.minuto_inicio,
        r.minuto_fim,
        -- without usable hours the block is the whole day
        coalesce(r.minuto_fim > r.minuto_inicio, false) as tem_horario,
        case when r.minuto_fim > r.minuto_inicio then r.minuto_inicio else 0 end as bloco_inicio,
        case when r.minuto_fim > r.minuto_inicio then r.minuto_fim else 24 * 60 end as bloco_fim,
        -- categorias
        case
            when r.destino_sem_vagas is not null then r.destino_sem_vagas
            when r.primeira_data <= least(r.ultima_possivel, r.visto_ate) then 'expandida'
            -- replaced before any of its dates came
            when r.visto_ate is not null and r.primeira_data <= r.ultima_possivel
                then 'versao_anterior'
            else 'sem_data_no_periodo'
        end as escala_destino,
        r.escala_situacao,
        r.eh_agenda_local,
        r.destino_sem_vagas is null as pode_ofertar,
        -- in force as known, with a date in its validity even if an earlier version had them all
        coalesce(
            r.visto_ate is null
            and r.destino_sem_vagas is null
            and r.primeira_ocorrencia <= r.ultima_possivel,
            false
        ) as eh_vigente,
        r.eh_presente,
        r.eh_ultimo_trecho,
        -- quantidades
        r.qtd_vagas_primeira_vez,
        r.qtd_vagas_retorno,
        r.qtd_vagas_reserva,
        -- metadados
        r._carga_id,
        r._arquivo,
        r._linha,
        r._carga_ordem
    from recortadas as r
)

select * from final
