-- Grain: complete month, executing unit, procedure, professional, family of occupations. Rule
-- regra_oferta_esperada; indicator 12.
with minutos as (
    select * from {{ ref('int_oferta__minutos_por_mes') }}
),

horas as (
    select * from {{ ref('int_oferta__horas_por_mes') }}
),

parametros as (
    select
        p.cbo_familia,
        p.vigente_desde,
        p.consultas_por_hora,
        p.pct_horas_em_agenda,
        lead(p.vigente_desde) over (partition by p.cbo_familia order by p.vigente_desde) as proxima
    from {{ ref('parametros_oferta_esperada') }} as p
),

repartidas as (
    select
        m.competencia,
        m.unidade_executante_cnes,
        m.procedimento_codigo,
        m.profissional_id,
        m.cbo_familia,
        m.qtd_vagas_total,
        m.qtd_vagas_em_feriado,
        -- the hours of a contract name no procedure: each gets the share that its slots take
        {{ percentage('m.minutos_programados - m.minutos_em_feriado', 'h.minutos_ofertados') }}
            as pct_minutos,
        cast(h.minutos_contratados as double) / 60 as horas_contratadas,
        p.consultas_por_hora,
        p.pct_horas_em_agenda
    from minutos as m
    inner join horas as h
        on
            m.competencia = h.competencia
            and m.unidade_executante_cnes = h.unidade_executante_cnes
            and m.profissional_id = h.profissional_id
    left join parametros as p
        on
            m.cbo_familia = p.cbo_familia
            and m.competencia >= p.vigente_desde
            and m.competencia < coalesce(p.proxima, {{ ending() }})
),

esperadas as (
    select
        r.competencia,
        r.unidade_executante_cnes,
        r.procedimento_codigo,
        r.profissional_id,
        r.cbo_familia,
        r.qtd_vagas_total,
        r.qtd_vagas_em_feriado,
        r.pct_minutos,
        r.horas_contratadas,
        r.consultas_por_hora,
        r.pct_horas_em_agenda,
        r.horas_contratadas * r.pct_minutos / 100 as horas_do_procedimento,
        r.horas_contratadas * r.pct_minutos / 100
        * r.pct_horas_em_agenda / 100 * r.consultas_por_hora as vagas_esperadas
    from repartidas as r
),

final as (
    select
        -- identificadores
        e.competencia,
        e.unidade_executante_cnes,
        e.procedimento_codigo,
        e.profissional_id,
        -- categorias
        e.cbo_familia,
        -- quantidades
        e.qtd_vagas_total,
        e.qtd_vagas_em_feriado,
        e.pct_minutos,
        e.horas_contratadas,
        e.horas_do_procedimento,
        e.consultas_por_hora,
        e.pct_horas_em_agenda,
        e.vagas_esperadas,
        e.qtd_vagas_total - e.qtd_vagas_em_feriado - e.vagas_esperadas as vagas_alem_das_esperadas
    from esperadas as e
)

select * from final
