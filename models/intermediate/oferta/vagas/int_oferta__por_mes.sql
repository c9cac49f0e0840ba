-- Grain: month, executing central, executing unit, procedure. Days and kinds of slot added up; a
-- kind that no schedule offers is zero, a kind of which no quantity is known is null.
with vagas as (
    select * from {{ ref('int_oferta__vagas_por_dia') }}
),

por_tipo as (
    select
        {{ competencia('v.data') }} as competencia,
        v.central_executora_codigo,
        v.unidade_executante_cnes,
        v.procedimento_codigo,
        v.vaga_tipo,
        cast(sum(v.qtd_vagas_total) as bigint) as qtd_vagas_total,
        cast(sum(v.qtd_vagas_bloqueadas) as bigint) as qtd_vagas_bloqueadas,
        sum(v.qtd_bloqueadas_ate_feriado) as ate_feriado,
        sum(v.qtd_bloqueadas_ate_afastamento_unidade) as ate_afastamento_unidade,
        sum(v.qtd_vagas_bloqueadas) as ate_afastamento_profissional,
        cast(sum(v.qtd_vagas_total - v.qtd_vagas_bloqueadas) as bigint)
            as qtd_vagas_ativas
    from vagas as v
    group by all
),

final as (
    select
        -- identificadores
        t.competencia,
        t.central_executora_codigo,
        t.unidade_executante_cnes,
        t.procedimento_codigo,
        -- quantidades
        {% for tipo in slot_kinds() %}
        {% for medida in ['total', 'bloqueadas', 'ativas'] %}
        case
            when count(case when t.vaga_tipo = '{{ tipo }}' then 1 end) = 0 then 0
            else max(case when t.vaga_tipo = '{{ tipo }}' then t.qtd_vagas_{{ medida }} end)
        end as qtd_vagas_{{ medida }}_{{ tipo }},
        {% endfor %}
        {% endfor %}
        cast(sum(t.qtd_vagas_total) as bigint) as qtd_vagas_total,
        cast(sum(t.qtd_vagas_bloqueadas) as bigint) as qtd_vagas_bloqueadas,
        cast(sum(t.ate_feriado) as bigint) as qtd_vagas_bloqueadas_feriado,
        cast(sum(t.ate_afastamento_unidade - t.ate_feriado) as bigint)
            as qtd_vagas_bloqueadas_afastamento_unidade,
        cast(sum(t.ate_afastamento_profissional - t.ate_afastamento_unidade) as bigint)
            as qtd_vagas_bloqueadas_afastamento_profissional,
        cast(sum(t.qtd_vagas_ativas) as bigint) as qtd_vagas_ativas
    from por_tipo as t
    group by all
)

select * from final
