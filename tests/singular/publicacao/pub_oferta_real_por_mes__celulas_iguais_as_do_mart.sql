-- A join that drops or repeats a row on the way out, or a column taken for another, would publish
-- another offer than the mart's: every cell of the mart must be there, and nothing else.
{% set colunas = [
    'competencia',
    'central_executora_codigo',
    'unidade_executante_cnes',
    'procedimento_codigo',
    'limite_vinculante',
    'qtd_vagas_total',
    'qtd_vagas_bloqueadas',
    'qtd_vagas_ativas',
    'qtd_ppi',
    'qtd_teto',
    'qtd_oferta_real',
    'qtd_vagas_perdidas_ppi',
    'qtd_vagas_perdidas_teto',
] %}
{% for tipo in ['primeira_vez', 'retorno', 'reserva'] %}
{% for medida in ['vagas_total', 'vagas_bloqueadas', 'vagas_ativas', 'oferta_real'] %}
{% do colunas.append('qtd_' ~ medida ~ '_' ~ tipo) %}
{% endfor %}
{% endfor %}

with linhas as (
    select
        1 as qtd_no_mart,
        0 as qtd_publicada,
        m.{{ colunas | join(',\n        m.') }}
    from {{ ref('oferta_real_por_mes') }} as m

    union all

    select
        0 as qtd_no_mart,
        1 as qtd_publicada,
        p.{{ colunas | join(',\n        p.') }}
    from {{ ref('pub_oferta_real_por_mes') }} as p
)

select
    l.competencia,
    l.unidade_executante_cnes,
    l.procedimento_codigo,
    sum(l.qtd_no_mart) as qtd_no_mart,
    sum(l.qtd_publicada) as qtd_publicada
from linhas as l
group by
    l.{{ colunas | join(',\n    l.') }}
having sum(l.qtd_no_mart) <> 1 or sum(l.qtd_publicada) <> 1
