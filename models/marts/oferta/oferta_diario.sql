-- Grain: day seen, executing central, executing unit, procedure, kind of slot, month, cause. Slots
-- of schedules by kind; what limits do to the real offer has the kind 'todos' and is never added to
-- them.
with vagas as (
    select * from {{ ref('int_oferta__diario_vagas') }}
),

limites as (
    select * from {{ ref('int_oferta__diario_limites') }}
),

reunidas as (
    select
        v.visto_em,
        v.central_executora_codigo,
        v.unidade_executante_cnes,
        v.procedimento_codigo,
        v.vaga_tipo,
        {{ competencia('v.data') }} as competencia,
        v.diario_causa,
        v.qtd_vagas_ganhas,
        v.qtd_vagas_perdidas
    from vagas as v
    -- not what only the agenda gained or lost, its slots being blocked
    where v.qtd_vagas_ganhas + v.qtd_vagas_perdidas > 0

    union all

    select
        l.visto_em,
        l.central_executora_codigo,
        l.unidade_executante_cnes,
        l.procedimento_codigo,
        'todos' as vaga_tipo,
        l.competencia,
        l.diario_causa,
        l.qtd_vagas_ganhas,
        l.qtd_vagas_perdidas
    from limites as l
),

final as (
    select
        -- identificadores
        r.visto_em,
        r.central_executora_codigo,
        r.unidade_executante_cnes,
        r.procedimento_codigo,
        r.vaga_tipo,
        r.competencia,
        -- categorias
        r.diario_causa,
        -- quantidades
        cast(sum(r.qtd_vagas_ganhas) as bigint) as qtd_vagas_ganhas,
        cast(sum(r.qtd_vagas_perdidas) as bigint) as qtd_vagas_perdidas
    from reunidas as r
    group by all
)

select * from final
