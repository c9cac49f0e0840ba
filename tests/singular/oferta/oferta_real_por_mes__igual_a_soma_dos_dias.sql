-- Month totals equal the days they come from, place by place and kind by kind: a join that
-- multiplies or drops a unit, or a measure taken for another, shows here.
{% set tipos = ['primeira_vez', 'retorno', 'reserva'] %}
{% set medidas = ['total', 'bloqueadas', 'ativas'] %}
{% set causas = ['feriado', 'afastamento_unidade', 'afastamento_profissional'] %}

with oferta as (
    select * from {{ ref('oferta_por_dia') }}
),

oferta_real as (
    select * from {{ ref('oferta_real_por_mes') }}
),

obtidos as (
    select
        r.competencia,
        r.central_executora_codigo,
        r.unidade_executante_cnes,
        r.procedimento_codigo,
        {% for medida in medidas %}
        sum(r.qtd_vagas_{{ medida }}) as qtd_{{ medida }},
        {% for tipo in tipos %}
        sum(r.qtd_vagas_{{ medida }}_{{ tipo }}) as qtd_{{ medida }}_{{ tipo }},
        {% endfor %}
        {% endfor %}
        {% for causa in causas %}
        sum(r.qtd_vagas_bloqueadas_{{ causa }}) as qtd_{{ causa }},
        {% endfor %}
        count(*) as qtd_linhas
    from oferta_real as r
    group by
        r.competencia,
        r.central_executora_codigo,
        r.unidade_executante_cnes,
        r.procedimento_codigo
),

esperados as (
    select
        o.competencia,
        o.central_executora_codigo,
        o.unidade_executante_cnes,
        o.procedimento_codigo,
        {% for medida in medidas %}
        sum(o.qtd_vagas_{{ medida }}) as qtd_{{ medida }},
        {% for tipo in tipos %}
        sum(case when o.vaga_tipo = '{{ tipo }}' then o.qtd_vagas_{{ medida }} end)
            as qtd_{{ medida }}_{{ tipo }},
        {% endfor %}
        {% endfor %}
        {% for causa in causas %}
        sum(o.qtd_vagas_bloqueadas_{{ causa }}) as qtd_{{ causa }},
        {% endfor %}
        count(*) as qtd_linhas
    from oferta as o
    group by
        o.competencia,
        o.central_executora_codigo,
        o.unidade_executante_cnes,
        o.procedimento_codigo
)

select
    coalesce(e.competencia, r.competencia) as competencia,
    coalesce(e.unidade_executante_cnes, r.unidade_executante_cnes) as unidade_executante_cnes,
    coalesce(e.procedimento_codigo, r.procedimento_codigo) as procedimento_codigo,
    e.qtd_total as qtd_esperada,
    r.qtd_total as qtd_obtida
from esperados as e
full outer join obtidos as r
    on
        e.competencia = r.competencia
        and e.central_executora_codigo = r.central_executora_codigo
        and e.unidade_executante_cnes = r.unidade_executante_cnes
        and e.procedimento_codigo = r.procedimento_codigo
where
    e.competencia is null
    or r.qtd_linhas is distinct from 1
    {% for medida in medidas %}
    or e.qtd_{{ medida }} is distinct from r.qtd_{{ medida }}
    {% for tipo in tipos %}
    or coalesce(e.qtd_{{ medida }}_{{ tipo }}, 0) <> coalesce(r.qtd_{{ medida }}_{{ tipo }}, 0)
    {% endfor %}
    {% endfor %}
    {% for causa in causas %}
    or e.qtd_{{ causa }} is distinct from r.qtd_{{ causa }}
    {% endfor %}
