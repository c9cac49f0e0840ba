{{ config(materialized='view') }}

-- Grain: schedule, date, kind of slot. A view, because the days of a whole network are stored once,
-- in the intermediate table; here each cause gets what it adds to those before it.
with vagas as (
    select * from {{ ref('int_oferta__vagas_por_dia') }}
),

causas as (
    select
        v.escala_id,
        v.escala_codigo,
        v.data,
        v.vaga_tipo,
        v.central_executora_codigo,
        v.unidade_executante_cnes,
        v.procedimento_codigo,
        v.profissional_id,
        v.hora_inicio,
        v.hora_fim,
        v.eh_agenda_local,
        v.qtd_vagas_total,
        v.qtd_vagas_bloqueadas as bloqueadas,
        v.qtd_bloqueadas_ate_feriado as feriado,
        v.qtd_bloqueadas_ate_afastamento_unidade - v.qtd_bloqueadas_ate_feriado
            as afastamento_unidade,
        v.qtd_vagas_bloqueadas - v.qtd_bloqueadas_ate_afastamento_unidade
            as afastamento_profissional
    from vagas as v
),

final as (
    select
        -- identificadores
        c.escala_id,
        c.escala_codigo,
        c.data,
        {{ competencia('c.data') }} as competencia,
        c.vaga_tipo,
        c.central_executora_codigo,
        c.unidade_executante_cnes,
        c.procedimento_codigo,
        c.profissional_id,
        c.hora_inicio,
        c.hora_fim,
        -- categorias
        c.eh_agenda_local,
        -- quantidades
        c.qtd_vagas_total,
        c.bloqueadas as qtd_vagas_bloqueadas,
        c.feriado as qtd_vagas_bloqueadas_feriado,
        c.afastamento_unidade as qtd_vagas_bloqueadas_afastamento_unidade,
        c.afastamento_profissional as qtd_vagas_bloqueadas_afastamento_profissional,
        c.qtd_vagas_total - c.bloqueadas as qtd_vagas_ativas,
        case
            when c.bloqueadas > 0
                then
                    case c.bloqueadas
                        when c.feriado then 'feriado'
                        when c.afastamento_unidade then 'afastamento_unidade'
                        when c.afastamento_profissional then 'afastamento_profissional'
                        else 'multiplas'
                    end
        end as causa_bloqueio
    from causas as c
)

select * from final
