-- Hours are counted by whole weeks and schedules by days: minutes or slots that differ between the
-- two would accuse people of hours that no schedule has. Slot-days are summed again here, each with
-- the minutes of its schedule; months in which a block had to tell are compared by slots only.
with horas as (
    select * from {{ ref('oferta_horas_por_mes') }}
),

vagas as (
    select * from {{ ref('oferta_por_dia') }}
),

escalas as (
    select * from {{ ref('int_oferta__escalas') }}
),

linhas as (
    select * from {{ ref('stg_sisreg__escalas') }}
),

minutos_das_escalas as (
    select
        e.escala_id,
        e.primeira_data,
        e.ultima_data,
        l.minutos_primeira_vez,
        l.minutos_retorno,
        l.minutos_reserva
    from escalas as e
    inner join linhas as l
        on e._carga_id = l._carga_id and e._arquivo = l._arquivo and e._linha = l._linha
    where e.escala_destino = 'expandida'
),

somadas as (
    select
        v.competencia,
        v.unidade_executante_cnes,
        coalesce(v.profissional_id, 'nao_informado') as profissional_id,
        sum(v.qtd_vagas_total) as qtd_vagas,
        sum(v.qtd_vagas_bloqueadas_feriado) as qtd_vagas_em_feriado,
        sum(
            v.qtd_vagas_total * case v.vaga_tipo
                when 'primeira_vez' then m.minutos_primeira_vez
                when 'retorno' then m.minutos_retorno
                else m.minutos_reserva
            end
        ) as minutos
    from vagas as v
    inner join minutos_das_escalas as m
        on
            v.escala_id = m.escala_id
            and v.data >= m.primeira_data
            and v.data <= m.ultima_data
    where v.competencia <= {{ last_complete_month() }}
    group by
        v.competencia,
        v.unidade_executante_cnes,
        coalesce(v.profissional_id, 'nao_informado')
)

select
    coalesce(h.competencia, s.competencia) as competencia,
    coalesce(h.unidade_executante_cnes, s.unidade_executante_cnes) as unidade_executante_cnes,
    h.qtd_vagas_total,
    s.qtd_vagas,
    h.minutos_programados,
    s.minutos
from horas as h
full outer join somadas as s
    on
        h.competencia = s.competencia
        and h.unidade_executante_cnes = s.unidade_executante_cnes
        and h.profissional_id = s.profissional_id
where
    (s.competencia is null and h.situacao_codigo <> 'sem_escala' and h.qtd_vagas_total > 0)
    or (s.competencia is not null and h.qtd_vagas_total is distinct from s.qtd_vagas)
    or (
        s.competencia is not null
        and coalesce(h.qtd_vagas_em_feriado, 0) <> coalesce(s.qtd_vagas_em_feriado, 0)
    )
    or (
        s.competencia is not null
        and h.minutos_do_bloco = 0
        and h.minutos_programados is distinct from s.minutos
    )
