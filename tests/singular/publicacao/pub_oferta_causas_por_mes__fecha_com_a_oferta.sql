-- The long table says of each slot what the wide one says: the rows of a kind add up to its slots
-- and those of a cause to what it took. A cell kept back there tells nothing here but holidays.
{% set destinos = {
    'feriado': 'm.qtd_vagas_bloqueadas_feriado',
    'afastamento': 'm.qtd_vagas_bloqueadas_afastamento',
    'teto': 'm.qtd_vagas_perdidas_teto',
    'ppi': 'm.qtd_vagas_perdidas_ppi',
    'oferta_real': 'm.qtd_oferta_real',
} %}

with longa as (
    select
        c.competencia,
        c.central_executora_codigo,
        c.unidade_executante_cnes,
        c.procedimento_codigo,
        sum(c.qtd_vagas) as qtd_total,
        {% for tipo in slot_kinds() %}
        sum(case when c.vaga_tipo = '{{ tipo }}' then c.qtd_vagas end) as qtd_total_{{ tipo }},
        sum(
            case
                when c.vaga_tipo = '{{ tipo }}' and c.vaga_destino = 'oferta_real' then c.qtd_vagas
            end
        ) as qtd_real_{{ tipo }},
        {% endfor %}
        {% for destino in destinos %}
        sum(case when c.vaga_destino = '{{ destino }}' then c.qtd_vagas end) as qtd_{{ destino }},
        {% endfor %}
        count(
            case
                when c.vaga_destino not in ('feriado', 'nao_divulgada', 'desconhecida') then 1
            end
        ) as qtd_reveladas
    from {{ ref('pub_oferta_causas_por_mes') }} as c
    group by all
)

select
    coalesce(m.competencia, l.competencia) as competencia,
    coalesce(m.unidade_executante_cnes, l.unidade_executante_cnes) as unidade_executante_cnes,
    coalesce(m.procedimento_codigo, l.procedimento_codigo) as procedimento_codigo
from {{ ref('pub_oferta_real_por_mes') }} as m
full outer join longa as l
    on {{ same_place('m', 'l') }}
where
    m.qtd_vagas_total is distinct from l.qtd_total
    {% for tipo in slot_kinds() %}
    -- a kind that nobody offers is zero there and has no row here
    or nullif(m.qtd_vagas_total_{{ tipo }}, 0) is distinct from l.qtd_total_{{ tipo }}
    or coalesce(m.qtd_oferta_real_{{ tipo }}, 0) <> coalesce(l.qtd_real_{{ tipo }}, 0)
    {% endfor %}
    {% for destino, coluna in destinos.items() %}
    or coalesce({{ coluna }}, 0) <> coalesce(l.qtd_{{ destino }}, 0)
    {% endfor %}
    or (m.divulgacao = 'nao_divulgada' and l.qtd_reveladas > 0)
