-- Grain: month, executing unit, procedure, kind of slot that some schedule offers. What the ceiling
-- took is shared between the kinds in proportion to what each lost, by largest remainder with ties
-- in the order of the list; the rest of a kind's loss is the agreement's (PPI).
{% set tipos = ['primeira_vez', 'retorno', 'reserva'] %}

with oferta as (
    select * from {{ ref('oferta_real_por_mes') }}
),

por_tipo as (
    {% for tipo in tipos %}
    select
        o.competencia,
        o.central_executora_codigo,
        o.unidade_executante_cnes,
        o.procedimento_codigo,
        '{{ tipo }}' as vaga_tipo,
        {{ loop.index }} as tipo_ordem,
        o.qtd_vagas_total_{{ tipo }} as qtd_vagas_total,
        o.qtd_vagas_bloqueadas_{{ tipo }} as qtd_vagas_bloqueadas,
        o.qtd_vagas_ativas_{{ tipo }} as qtd_vagas_ativas,
        o.qtd_oferta_real_{{ tipo }} as qtd_oferta_real,
        o.qtd_vagas_ativas_{{ tipo }} - o.qtd_oferta_real_{{ tipo }} as qtd_limitadas,
        o.qtd_vagas_perdidas_teto as qtd_teto_a_repartir,
        o.qtd_vagas_perdidas_teto + o.qtd_vagas_perdidas_ppi as qtd_limitadas_todas
    from oferta as o
    where o.qtd_vagas_total_{{ tipo }} is distinct from 0
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
),

partes as (
    select
        t.*,
        {{ int_div(
            't.qtd_teto_a_repartir * t.qtd_limitadas', 'greatest(t.qtd_limitadas_todas, 1)'
        ) }} as parte,
        t.qtd_teto_a_repartir * t.qtd_limitadas % greatest(t.qtd_limitadas_todas, 1) as resto
    from por_tipo as t
),

ordenadas as (
    select
        p.*,
        sum(p.parte) over (
            partition by
                p.competencia,
                p.central_executora_codigo,
                p.unidade_executante_cnes,
                p.procedimento_codigo
        ) as partes_somadas,
        row_number() over (
            partition by
                p.competencia,
                p.central_executora_codigo,
                p.unidade_executante_cnes,
                p.procedimento_codigo
            order by p.resto desc nulls last, p.tipo_ordem asc
        ) as ordem_do_resto
    from partes as p
),

repartidas as (
    select
        r.*,
        case
            when r.ordem_do_resto <= r.qtd_teto_a_repartir - r.partes_somadas then r.parte + 1
            else r.parte
        end as qtd_vagas_perdidas_teto
    from ordenadas as r
),

final as (
    select
        -- identificadores
        r.competencia,
        r.unidade_executante_cnes,
        r.procedimento_codigo,
        r.vaga_tipo,
        -- quantidades
        cast(sum(r.qtd_vagas_total) as bigint) as qtd_vagas_total,
        cast(sum(r.qtd_vagas_bloqueadas) as bigint) as qtd_vagas_bloqueadas,
        cast(sum(r.qtd_vagas_ativas) as bigint) as qtd_vagas_ativas,
        cast(sum(r.qtd_vagas_perdidas_teto) as bigint) as qtd_vagas_perdidas_teto,
        cast(sum(r.qtd_limitadas - r.qtd_vagas_perdidas_teto) as bigint) as qtd_vagas_perdidas_ppi,
        cast(sum(r.qtd_oferta_real) as bigint) as qtd_oferta_real
    from repartidas as r
    group by
        r.competencia,
        r.unidade_executante_cnes,
        r.procedimento_codigo,
        r.vaga_tipo
)

select * from final
