-- Grain: a row of SISREG's report and one of its measures: our number, the report's, and the first
-- hypothesis that gives it (regra_reconciliacao).
{% set parcelas = {
    'total_geral': 'r.qtd_total_primeira_vez + r.qtd_total_retorno + r.qtd_total_reserva',
    'bloqueada_geral':
        'r.qtd_bloqueada_primeira_vez + r.qtd_bloqueada_retorno + r.qtd_bloqueada_reserva',
    'ativa_primeira_vez': 'r.qtd_total_primeira_vez - r.qtd_bloqueada_primeira_vez',
    'ativa_retorno': 'r.qtd_total_retorno - r.qtd_bloqueada_retorno',
    'ativa_reserva': 'r.qtd_total_reserva - r.qtd_bloqueada_reserva',
    'ativa_geral': 'r.qtd_total_geral - r.qtd_bloqueada_geral',
    'ppi_total': 'r.qtd_ppi_local + r.qtd_ppi_pactuada',
    'oferta_real': 'case when r.qtd_ativa_geral is not null '
        ~ 'then least(r.qtd_ativa_geral, r.qtd_ppi_total, r.qtd_teto) end',
} %}

with relatorio as (
    select * from {{ ref('int_oferta__relatorio') }}
),

hipoteses as (
    select * from {{ ref('int_oferta__hipoteses') }}
),

medidas_do_relatorio as (
    {% for medida in report_measures() %}
    select
        r.{{ report_keys() | join(',\n        r.') }},
        '{{ medida }}' as medida,
        r.data_extracao,
        r.qtd_{{ medida }} as qtd_sisreg,
        {{ parcelas.get(medida, 'cast(null as bigint)') }} as qtd_das_parcelas
    from relatorio as r
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
),

-- what was asked of the report, and which measures it has at all
pedidas as (
    select
        m.competencia,
        m.procedimento_codigo,
        m.agenda_tipo,
        m.medida,
        max(m.data_extracao) as data_extracao
    from medidas_do_relatorio as m
    group by all
    having count(m.qtd_sisreg) > 0
),

medidas_das_hipoteses as (
    {% for medida in report_measures() %}
    select
        h.{{ report_keys() | join(',\n        h.') }},
        h.hipotese,
        h.tem_escala,
        '{{ medida }}' as medida,
        h.qtd_{{ medida }} as qtd
    from hipoteses as h
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
),

celulas as (
    select
        h.{{ report_keys() | join(',\n        h.') }},
        h.medida,
        h.tem_escala,
        h.qtd as qtd_mapa,
        r.qtd_sisreg,
        r.qtd_das_parcelas,
        r.medida is not null as tem_relatorio,
        coalesce(r.data_extracao, p.data_extracao) as data_extracao
    from medidas_das_hipoteses as h
    inner join pedidas as p
        on
            h.competencia = p.competencia
            and h.procedimento_codigo = p.procedimento_codigo
            and h.agenda_tipo = p.agenda_tipo
            and h.medida = p.medida
    left join medidas_do_relatorio as r
        on {{ same_report_row('h', 'r') }} and h.medida = r.medida
    where h.hipotese = 'mapa' and (h.qtd is not null or r.qtd_sisreg is not null)
),

-- the place of the first hypothesis that gives the report's number
acertos as (
    select
        c.{{ report_keys() | join(',\n        c.') }},
        c.medida,
        min(
            case h.hipotese
                {% for hipotese in report_hypotheses() %}
                when '{{ hipotese }}' then {{ loop.index }}
                {% endfor %}
            end
        ) as hipotese_ordem
    from celulas as c
    inner join medidas_das_hipoteses as h
        on
            {{ same_report_row('c', 'h') }}
            and c.medida = h.medida
            and h.hipotese <> 'mapa'
            and (
                c.qtd_sisreg = h.qtd
                -- a unit with nothing but local agendas has no row in a report without them
                or (not c.tem_relatorio and h.hipotese = 'agenda_local' and not h.tem_escala)
            )
    where c.qtd_mapa is distinct from c.qtd_sisreg
    group by all
),

final as (
    select
        -- identificadores
        c.{{ report_keys() | join(',\n        c.') }},
        c.medida,
        -- datas
        c.data_extracao,
        -- categorias
        c.tem_escala,
        c.tem_relatorio,
        case a.hipotese_ordem
            {% for hipotese in report_hypotheses() %}
            when {{ loop.index }} then '{{ hipotese }}'
            {% endfor %}
        end as hipotese,
        -- quantidades
        c.qtd_mapa,
        c.qtd_sisreg,
        c.qtd_das_parcelas
    from celulas as c
    left join acertos as a
        on {{ same_report_row('c', 'a') }} and c.medida = a.medida
)

select * from final
