-- Grain: month, executing central, executing unit, procedure, kind of slot, what became of them.
-- The rows of a kind add up to its slots. Where leaves may not be told, what holidays leave is one
-- row (regra_divulgacao_afastamentos).
{% set lugar = place_keys() %}
{% set partes = {
    'feriado': ['t.qtd_feriado', 't.qtd_feriado > 0'],
    'afastamento': [
        't.qtd_vagas_bloqueadas - t.qtd_feriado',
        't.eh_divulgada and t.qtd_vagas_bloqueadas > t.qtd_feriado',
    ],
    'teto': ['t.qtd_do_teto', 't.eh_divulgada and t.qtd_do_teto > 0'],
    'ppi': [
        't.qtd_limitadas - t.qtd_do_teto',
        't.eh_divulgada and t.qtd_limitadas > t.qtd_do_teto',
    ],
    'oferta_real': ['t.qtd_oferta_real', 't.eh_divulgada and t.qtd_vagas_total is not null'],
    'nao_divulgada': [
        't.qtd_vagas_total - t.qtd_feriado',
        'not t.eh_divulgada and t.qtd_vagas_total is not null',
    ],
    'desconhecida': ['cast(null as bigint)', 't.qtd_vagas_total is null'],
} %}

with oferta as (
    select * from {{ ref('oferta_real_por_mes') }}
),

-- a holiday is known to all: nobody's leave hangs on it
feriados as (
    select
        d.{{ lugar | join(',\n        d.') }},
        d.vaga_tipo,
        cast(sum(d.qtd_vagas_bloqueadas_feriado) as bigint) as qtd_feriado
    from {{ ref('oferta_por_dia') }} as d
    group by all
),

{{ limits_by_kind('oferta', lugar) }},

tipos as (
    select
        l.*,
        f.qtd_feriado,
        {{ month_situation('l.competencia', 'r.data_referencia') }} as competencia_situacao,
        d.divulgacao,
        d.divulgacao <> 'nao_divulgada' as eh_divulgada
    from do_teto as l
    cross join {{ ref('int_calendario__referencia') }} as r
    left join feriados as f
        on {{ same_place('l', 'f') }} and l.vaga_tipo = f.vaga_tipo
    left join {{ ref('int_oferta__divulgacao') }} as d
        on {{ same_place('l', 'd') }}
),

final as (
    {% for destino, (quantidade, condicao) in partes.items() %}
    select
        -- identificadores
        t.{{ lugar | join(',\n        t.') }},
        t.vaga_tipo,
        '{{ destino }}' as vaga_destino,
        -- categorias
        t.competencia_situacao,
        t.divulgacao,
        -- quantidades
        {{ quantidade }} as qtd_vagas
    from tipos as t
    where {{ condicao }}
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
)

select * from final
