-- The hypotheses compute the offer a second time: if they went astray, they would explain
-- differences that are ours. Where the report counts all agendas, our number must be that of the
-- other mart.
{% set medidas = {
    'total_geral': 'qtd_vagas_total',
    'bloqueada_geral': 'qtd_vagas_bloqueadas',
    'ativa_geral': 'qtd_vagas_ativas',
    'total_primeira_vez': 'qtd_vagas_total_primeira_vez',
    'bloqueada_primeira_vez': 'qtd_vagas_bloqueadas_primeira_vez',
    'total_retorno': 'qtd_vagas_total_retorno',
    'bloqueada_retorno': 'qtd_vagas_bloqueadas_retorno',
    'total_reserva': 'qtd_vagas_total_reserva',
    'bloqueada_reserva': 'qtd_vagas_bloqueadas_reserva',
    'ppi_total': 'qtd_ppi',
    'teto': 'qtd_teto',
    'oferta_real': 'qtd_oferta_real',
} %}

with reconciliacao as (
    select * from {{ ref('oferta_reconciliacao') }}
),

oferta as (
    select * from {{ ref('oferta_real_por_mes') }}
),

esperadas as (
    {% for medida, coluna in medidas.items() %}
    select
        o.competencia,
        o.central_executora_codigo,
        o.unidade_executante_cnes,
        o.procedimento_codigo,
        '{{ medida }}' as medida,
        o.{{ coluna }} as qtd
    from oferta as o
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
)

select
    r.competencia,
    r.unidade_executante_cnes,
    r.procedimento_codigo,
    r.medida,
    r.qtd_mapa,
    e.qtd
from reconciliacao as r
inner join esperadas as e
    on
        r.competencia = e.competencia
        and r.central_executora_codigo = e.central_executora_codigo
        and r.unidade_executante_cnes = e.unidade_executante_cnes
        and r.procedimento_codigo = e.procedimento_codigo
        and r.medida = e.medida
where r.agenda_tipo = 'todas' and r.qtd_mapa is distinct from e.qtd
