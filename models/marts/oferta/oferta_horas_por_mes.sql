-- Grain: complete month, executing unit, professional. Rule regra_horas_da_oferta; indicator 11.
with horas as (
    select * from {{ ref('int_oferta__horas_por_mes') }}
),

final as (
    select
        -- identificadores
        h.competencia,
        h.unidade_executante_cnes,
        h.profissional_id,
        -- datas
        h.contrato_competencia,
        -- categorias
        h.situacao_codigo,
        -- quantidades
        h.qtd_vagas_total,
        h.qtd_vagas_em_feriado,
        h.minutos_programados,
        h.minutos_em_feriado,
        h.minutos_do_bloco,
        cast(h.minutos_ofertados as double) / 60 as horas_ofertadas,
        h.qtd_contratos,
        h.qtd_horas_semanais,
        h.qtd_dias_uteis,
        cast(h.minutos_contratados as double) / 60 as horas_contratadas,
        {{ percentage('h.minutos_ofertados', 'h.minutos_contratados') }} as pct_horas_ofertadas
    from horas as h
)

select * from final
