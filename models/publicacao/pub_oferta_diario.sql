-- Grain: day seen, executing central, executing unit, procedure, kind of slot, month, cause. What
-- agenda and holidays give and take; no number hangs on a leave (regra_divulgacao_do_diario).
with diario as (
    select * from {{ ref('int_oferta__diario_vagas') }}
),

final as (
    select
        -- identificadores
        d.visto_em,
        d.central_executora_codigo,
        d.unidade_executante_cnes,
        d.procedimento_codigo,
        d.vaga_tipo,
        {{ competencia('d.data') }} as competencia,
        -- categorias
        d.diario_causa,
        -- quantidades
        cast(sum(d.qtd_programadas_ganhas) as bigint) as qtd_programadas_ganhas,
        cast(sum(d.qtd_programadas_perdidas) as bigint) as qtd_programadas_perdidas
    from diario as d
    where d.qtd_programadas_ganhas + d.qtd_programadas_perdidas > 0
    group by all
)

select * from final
