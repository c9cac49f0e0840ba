-- Grain: month, executing central, executing unit, procedure. Days and kinds of slot added up; a
-- kind that no schedule offers is zero, a kind of which no quantity is known is null.
with oferta as (
    select * from {{ ref('oferta_por_dia') }}
),

por_tipo as (
    select
        o.competencia,
        o.central_executora_codigo,
        o.unidade_executante_cnes,
        o.procedimento_codigo,
        o.vaga_tipo,
        cast(sum(o.qtd_vagas_total) as bigint) as qtd_vagas_total,
        cast(sum(o.qtd_vagas_bloqueadas) as bigint) as qtd_vagas_bloqueadas,
        cast(sum(o.qtd_vagas_ativas) as bigint) as qtd_vagas_ativas
    from oferta as o
    group by
        o.competencia,
        o.central_executora_codigo,
        o.unidade_executante_cnes,
        o.procedimento_codigo,
        o.vaga_tipo
),

final as (
    select
        -- identificadores
        t.competencia,
        t.central_executora_codigo,
        t.unidade_executante_cnes,
        t.procedimento_codigo,
        -- quantidades
        {% for tipo in ['primeira_vez', 'retorno', 'reserva'] %}
        {% for medida in ['total', 'bloqueadas', 'ativas'] %}
        case
            when max(case when t.vaga_tipo = '{{ tipo }}' then 1 else 0 end) = 0 then 0
            else max(case when t.vaga_tipo = '{{ tipo }}' then t.qtd_vagas_{{ medida }} end)
        end as qtd_vagas_{{ medida }}_{{ tipo }},
        {% endfor %}
        {% endfor %}
        cast(sum(t.qtd_vagas_total) as bigint) as qtd_vagas_total,
        cast(sum(t.qtd_vagas_bloqueadas) as bigint) as qtd_vagas_bloqueadas,
        cast(sum(t.qtd_vagas_ativas) as bigint) as qtd_vagas_ativas
    from por_tipo as t
    group by
        t.competencia,
        t.central_executora_codigo,
        t.unidade_executante_cnes,
        t.procedimento_codigo
)

select * from final
