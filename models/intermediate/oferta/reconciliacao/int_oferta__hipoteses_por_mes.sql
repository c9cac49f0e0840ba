-- Grain: hypothesis, month, executing central, executing unit, procedure, kind of agenda. Every
-- place that we or the report have is there: without a schedule it offers nothing.
{% set tipos = slot_kinds() %}
{% set sobre_limites = ['ppi_nao_repartida', 'limite_nao_informado'] %}

with relatorio as (
    select * from {{ ref('int_oferta__relatorio') }}
),

vagas as (
    select * from {{ ref('int_oferta__hipoteses_vagas') }}
),

pedidos as (
    select
        r.competencia,
        r.procedimento_codigo,
        r.agenda_tipo
    from relatorio as r
    group by all
),

-- the report may have left the local agendas out of what it calls all
com_agenda_local as (
    select
        v.hipotese,
        v.{{ place_keys() | join(',\n        v.') }},
        v.eh_agenda_local,
        v.vaga_tipo,
        v.qtd_total,
        v.qtd_bloqueada
    from vagas as v

    union all

    select
        'agenda_local' as hipotese,
        v.{{ place_keys() | join(',\n        v.') }},
        v.eh_agenda_local,
        v.vaga_tipo,
        v.qtd_total,
        v.qtd_bloqueada
    from vagas as v
    where v.hipotese = 'mapa'
),

pedidas as (
    select
        v.hipotese,
        v.{{ place_keys() | join(',\n        v.') }},
        p.agenda_tipo,
        v.vaga_tipo,
        cast(sum(v.qtd_total) as bigint) as qtd_total,
        cast(sum(v.qtd_bloqueada) as bigint) as qtd_bloqueada
    from com_agenda_local as v
    inner join pedidos as p
        on
            v.competencia = p.competencia
            and v.procedimento_codigo = p.procedimento_codigo
            and (p.agenda_tipo = 'todas' or v.eh_agenda_local = (p.agenda_tipo = 'local'))
    where not (v.hipotese = 'agenda_local' and p.agenda_tipo = 'todas' and v.eh_agenda_local)
    group by all
),

-- the union leaves each place once
lugares as (
    select {{ report_keys() | join(', ') }}
    from relatorio

    union

    select {{ report_keys() | join(', ') }}
    from pedidas
),

hipoteses as (
    {% for hipotese in ['mapa'] + report_hypotheses() if hipotese not in sobre_limites %}
    select '{{ hipotese }}' as hipotese
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
),

-- a kind that no schedule offers is zero, a kind of which no quantity is known is null
final as (
    select
        -- identificadores
        h.hipotese,
        l.{{ report_keys() | join(',\n        l.') }},
        -- quantidades
        {% for medida in ['total', 'bloqueada'] %}
        {% for tipo in tipos %}
        case
            when count(case when p.vaga_tipo = '{{ tipo }}' then 1 end) = 0 then 0
            else max(case when p.vaga_tipo = '{{ tipo }}' then p.qtd_{{ medida }} end)
        end as qtd_{{ medida }}_{{ tipo }},
        {% endfor %}
        cast(case when count(p.vaga_tipo) = 0 then 0 else sum(p.qtd_{{ medida }}) end as bigint)
            as qtd_{{ medida }}_geral,
        {% endfor %}
        count(p.vaga_tipo) > 0 as tem_escala
    from lugares as l
    cross join hipoteses as h
    left join pedidas as p
        on h.hipotese = p.hipotese and {{ same_report_row('l', 'p') }}
    group by all
)

select * from final
