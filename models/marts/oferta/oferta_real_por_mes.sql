-- Grain: month, executing central, executing unit, procedure. The real offer is shared between the
-- kinds of slot by largest remainder, ties in the order of the list (regra_oferta_real).
{% set lugar = place_keys() %}
{% set causas = block_causes() + ['teto', 'ppi'] %}

with oferta as (
    select * from {{ ref('int_oferta__por_mes') }}
),

limites as (
    select * from {{ ref('int_oferta__limites') }}
),

por_tipo as (
    {{ kinds_as_rows('oferta', lugar, ['qtd_vagas_ativas']) }}
),

-- of an unknown offer no kind is known
a_repartir as (
    select
        t.*,
        l.qtd_oferta_real as qtd_limite,
        case when l.qtd_oferta_real is not null then t.qtd_vagas_ativas end as qtd_ativas
    from por_tipo as t
    inner join limites as l
        on {{ same_place('t', 'l') }}
),

{{ shared_by_remainder(
    'real_do_tipo', 'a_repartir', 'qtd_limite', 'qtd_ativas',
    partition=lugar | join(', '),
    tie='tipo_ordem'
) }},

tipos as (
    select
        {% for tipo in slot_kinds() %}
        max(case when r.vaga_tipo = '{{ tipo }}' then r.qtd_real_do_tipo end)
            as qtd_oferta_real_{{ tipo }},
        {% endfor %}
        r.{{ lugar | join(',\n        r.') }}
    from real_do_tipo as r
    group by r.{{ lugar | join(', r.') }}
),

repartidas as (
    select
        o.*,
        l.qtd_ppi,
        l.qtd_teto,
        l.qtd_oferta_real,
        {% for tipo in slot_kinds() %}
        t.qtd_oferta_real_{{ tipo }},
        {% endfor %}
        case
            when l.qtd_oferta_real < l.qtd_apos_teto then 'ppi'
            when l.qtd_apos_teto < o.qtd_vagas_ativas then 'teto'
            when l.qtd_ppi is null and l.qtd_teto is null then 'nao_informado'
            when o.qtd_vagas_ativas is not null then 'escala'
        end as limite_vinculante,
        {% for bloqueio in block_causes() %}
        o.qtd_vagas_bloqueadas_{{ bloqueio }} as perdidas_{{ bloqueio }},
        {% endfor %}
        o.qtd_vagas_ativas - l.qtd_apos_teto as perdidas_teto,
        l.qtd_apos_teto - l.qtd_oferta_real as perdidas_ppi
    from oferta as o
    inner join limites as l
        on {{ same_place('o', 'l') }}
    inner join tipos as t
        on {{ same_place('o', 't') }}
),

-- what took most of all causes, blocks and limits alike (regra_causas_das_perdas)
ordenadas as (
    select
        r.*,
        greatest(
            {% for causa in causas %}
            r.perdidas_{{ causa }}{{ ',' if not loop.last }}
            {% endfor %}
        ) as maior_perda
    from repartidas as r
),

final as (
    select
        -- identificadores
        r.competencia,
        r.central_executora_codigo,
        r.unidade_executante_cnes,
        r.procedimento_codigo,
        -- categorias
        r.limite_vinculante,
        case
            when r.qtd_oferta_real is null then null
            when r.maior_perda = 0 then 'nenhuma'
            when
                {% for causa in causas %}
                case when r.perdidas_{{ causa }} = r.maior_perda then 1 else 0 end
                {{ '+' if not loop.last }}
                {% endfor %}
                > 1
                then 'empate'
            {% for causa in causas %}
            when r.perdidas_{{ causa }} = r.maior_perda then '{{ causa }}'
            {% endfor %}
        end as causa_principal,
        -- quantidades
        r.qtd_vagas_total,
        r.qtd_vagas_bloqueadas,
        {% for bloqueio in block_causes() %}
        r.qtd_vagas_bloqueadas_{{ bloqueio }},
        {% endfor %}
        r.qtd_vagas_ativas,
        r.qtd_ppi,
        r.qtd_teto,
        r.qtd_oferta_real,
        r.perdidas_ppi as qtd_vagas_perdidas_ppi,
        r.perdidas_teto as qtd_vagas_perdidas_teto,
        r.qtd_vagas_total_primeira_vez,
        r.qtd_vagas_bloqueadas_primeira_vez,
        r.qtd_vagas_ativas_primeira_vez,
        r.qtd_oferta_real_primeira_vez,
        r.qtd_vagas_total_retorno,
        r.qtd_vagas_bloqueadas_retorno,
        r.qtd_vagas_ativas_retorno,
        r.qtd_oferta_real_retorno,
        r.qtd_vagas_total_reserva,
        r.qtd_vagas_bloqueadas_reserva,
        r.qtd_vagas_ativas_reserva,
        r.qtd_oferta_real_reserva
    from ordenadas as r
)

select * from final
