-- The kinds of a unit and procedure hold all that its month has, by what took it: a remainder given
-- to nobody, or to two kinds, would move slots between ceiling and agreement unseen.
{% set medidas = [
    'qtd_vagas_total',
    'qtd_vagas_bloqueadas',
    'qtd_vagas_ativas',
    'qtd_vagas_perdidas_teto',
    'qtd_vagas_perdidas_ppi',
    'qtd_oferta_real',
] %}

with tipos as (
    select
        t.competencia,
        t.unidade_executante_cnes,
        t.procedimento_codigo,
        {% for medida in medidas %}
        sum(t.{{ medida }}) as {{ medida }},
        {% endfor %}
        count(*) as qtd_tipos
    from {{ ref('oferta_real_por_tipo_por_mes') }} as t
    group by
        t.competencia,
        t.unidade_executante_cnes,
        t.procedimento_codigo
),

meses as (
    select
        o.competencia,
        o.unidade_executante_cnes,
        o.procedimento_codigo,
        {% for medida in medidas %}
        sum(o.{{ medida }}) as {{ medida }},
        {% endfor %}
        count(*) as qtd_centrais
    from {{ ref('oferta_real_por_mes') }} as o
    group by
        o.competencia,
        o.unidade_executante_cnes,
        o.procedimento_codigo
)

select
    m.competencia,
    m.unidade_executante_cnes,
    m.procedimento_codigo,
    t.qtd_oferta_real as qtd_oferta_real_dos_tipos,
    m.qtd_oferta_real as qtd_oferta_real_do_mes
from meses as m
full outer join tipos as t
    on
        m.competencia = t.competencia
        and m.unidade_executante_cnes = t.unidade_executante_cnes
        and m.procedimento_codigo = t.procedimento_codigo
where
    m.competencia is null
    {% for medida in medidas %}
    or coalesce(t.{{ medida }}, 0) <> coalesce(m.{{ medida }}, 0)
    {% endfor %}
