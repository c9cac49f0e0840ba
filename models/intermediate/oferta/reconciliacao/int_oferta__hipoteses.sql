-- Grain: hypothesis, month, executing central, executing unit, procedure, kind of agenda. The 17
-- measures of the report as we have them ('mapa') and as each hypothesis gives them
-- (regra_reconciliacao).
{% set do_mapa = ['mapa', 'ppi_nao_repartida', 'limite_nao_informado'] %}

with vagas as (
    select * from {{ ref('int_oferta__hipoteses_por_mes') }}
),

relatorio as (
    select * from {{ ref('int_oferta__relatorio') }}
),

limites as (
    select * from {{ ref('int_oferta__limites') }}
),

ppi as (
    select * from {{ ref('int_oferta__ppi_por_destino') }}
),

tetos as (
    select * from {{ ref('int_oferta__limites_informados') }}
    where limite_tipo = 'teto' and visto_ate is null
),

hipoteses as (
    {% for hipotese in ['mapa'] + report_hypotheses() %}
    select
        '{{ hipotese }}' as hipotese,
        '{{ 'mapa' if hipotese in do_mapa else hipotese }}' as vagas_de
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
),

-- our own offer and limits of each place, and the limits that only the report knows
lugares as (
    select
        v.{{ report_keys() | join(',\n        v.') }},
        v.qtd_total_geral - v.qtd_bloqueada_geral as qtd_ativas,
        {% for parte in ['total', 'local', 'pactuada'] %}
        cast(p.qtd_{{ parte }} as bigint) as qtd_ppi_{{ parte }},
        case when p.qtd_{{ parte }} is null then r.qtd_ppi_{{ parte }} end
            as qtd_ppi_{{ parte }}_de_fora,
        {% endfor %}
        t.qtd_limite as qtd_teto,
        case when t.qtd_limite is null then r.qtd_teto end as qtd_teto_de_fora,
        case when v.agenda_tipo = 'todas' then l.qtd_oferta_real end as qtd_repartida
    from vagas as v
    left join ppi as p
        on
            v.competencia = p.competencia
            and v.central_executora_codigo = p.central_executora_codigo
            and v.procedimento_codigo = p.procedimento_codigo
    left join tetos as t
        on
            v.competencia = t.competencia
            and v.unidade_executante_cnes = t.unidade_executante_cnes
            and v.procedimento_codigo = t.procedimento_codigo
    left join limites as l
        on {{ same_place('v', 'l') }}
    left join relatorio as r
        on {{ same_report_row('v', 'r') }}
    where v.hipotese = 'mapa'
),

supostas as (
    select
        h.hipotese,
        h.vagas_de,
        v.{{ report_keys() | join(',\n        v.') }},
        v.tem_escala,
        {% for medida in ['total', 'bloqueada'] %}
        {% for tipo in slot_kinds() + ['geral'] %}
        v.qtd_{{ medida }}_{{ tipo }},
        {% endfor %}
        {% endfor %}
        v.qtd_total_geral - v.qtd_bloqueada_geral as qtd_ativa_geral,
        l.qtd_ativas,
        l.qtd_repartida,
        {% for limite in ['ppi_total', 'ppi_local', 'ppi_pactuada', 'teto'] %}
        case
            when h.hipotese = 'limite_nao_informado'
                then coalesce(l.qtd_{{ limite }}, l.qtd_{{ limite }}_de_fora)
            else l.qtd_{{ limite }}
        end as qtd_{{ limite }} {%- if not loop.last %},{% endif %}

        {% endfor %}
    from vagas as v
    inner join hipoteses as h
        on v.hipotese = h.vagas_de
    inner join lugares as l
        on {{ same_report_row('v', 'l') }}
),

-- the ceiling is one over all centrals of the unit
{{ shared_by_remainder(
    'apos_teto', 'supostas', 'qtd_teto', 'qtd_ativa_geral',
    partition='hipotese, competencia, unidade_executante_cnes, procedimento_codigo, agenda_tipo',
    tie='central_executora_codigo'
) }},

-- a limit that is not known does not limit: least() passes over nulls
final as (
    select
        -- identificadores
        s.hipotese,
        s.{{ report_keys() | join(',\n        s.') }},
        -- categorias
        s.tem_escala,
        -- quantidades
        {% for medida in ['total', 'bloqueada'] %}
        {% for tipo in slot_kinds() + ['geral'] %}
        s.qtd_{{ medida }}_{{ tipo }},
        {% endfor %}
        {% endfor %}
        {% for tipo in slot_kinds() + ['geral'] %}
        s.qtd_total_{{ tipo }} - s.qtd_bloqueada_{{ tipo }} as qtd_ativa_{{ tipo }},
        {% endfor %}
        s.qtd_ppi_total,
        s.qtd_ppi_local,
        s.qtd_ppi_pactuada,
        s.qtd_teto,
        case
            when s.qtd_ativa_geral is null then null
            when
                s.hipotese = 'mapa'
                or (
                    s.vagas_de <> 'mapa'
                    and s.qtd_ativa_geral is not distinct from s.qtd_ativas
                )
                then coalesce(s.qtd_repartida, least(s.qtd_apos_teto, s.qtd_ppi_total))
            else least(s.qtd_apos_teto, s.qtd_ppi_total)
        end as qtd_oferta_real
    from apos_teto as s
)

select * from final
