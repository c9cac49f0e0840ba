-- Grain: date, executing unit, procedure, kind of slot. No professional and no schedule leave.
with oferta as (
    select * from {{ ref('oferta_por_dia') }}
),

final as (
    select
        -- identificadores
        o.data,
        o.competencia,
        o.unidade_executante_cnes,
        o.procedimento_codigo,
        -- categorias
        o.vaga_tipo,
        -- quantidades
        cast(sum(o.qtd_vagas_total) as bigint) as qtd_vagas_total,
        cast(sum(o.qtd_vagas_bloqueadas) as bigint) as qtd_vagas_bloqueadas,
        cast(sum(o.qtd_vagas_bloqueadas_feriado) as bigint) as qtd_vagas_bloqueadas_feriado,
        cast(sum(o.qtd_vagas_bloqueadas_afastamento_unidade) as bigint)
            as qtd_vagas_bloqueadas_afastamento_unidade,
        cast(sum(o.qtd_vagas_bloqueadas_afastamento_profissional) as bigint)
            as qtd_vagas_bloqueadas_afastamento_profissional,
        cast(sum(o.qtd_vagas_ativas) as bigint) as qtd_vagas_ativas,
        cast(sum(case when o.qtd_vagas_total is null then 1 else 0 end) as bigint)
            as qtd_escalas_sem_quantidade
    from oferta as o
    group by
        o.data,
        o.competencia,
        o.unidade_executante_cnes,
        o.procedimento_codigo,
        o.vaga_tipo
)

select * from final
