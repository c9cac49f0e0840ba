{# CTEs, the last of them `repartidas`: the real offer of each unit under its ceiling and the agreement
   (PPI) of its central.

   Expects the CTE `limitadas`: competencia, central_executora_codigo, unidade_executante_cnes,
   procedimento_codigo, qtd_vagas_ativas, qtd_ppi, qtd_teto and the columns `keys`, which tell pictures
   apart. What the agreement leaves is shared between the units by largest remainder, ties to the
   smaller CNES; a missing limit is no limit (regra_oferta_real). #}
{% macro limited_offer(keys=[]) -%}
{%- set colunas = keys + [
    'competencia', 'central_executora_codigo', 'unidade_executante_cnes', 'procedimento_codigo'
] -%}
{%- set central = (
    keys + ['competencia', 'central_executora_codigo', 'procedimento_codigo']
) | join(', ') -%}
depois_do_teto as (
    select
        l.*,
        case when l.qtd_teto < l.qtd_vagas_ativas then l.qtd_teto else l.qtd_vagas_ativas end
            as qtd_apos_teto
    from limitadas as l
),

somadas as (
    select
        d.*,
        cast(sum(d.qtd_apos_teto) over (partition by {{ central }}) as bigint) as qtd_da_central
    from depois_do_teto as d
),

-- whole part and remainder of each unit's share
partes as (
    select
        s.*,
        {{ int_div('s.qtd_ppi * s.qtd_apos_teto', 'greatest(s.qtd_da_central, 1)') }} as parte,
        s.qtd_ppi * s.qtd_apos_teto % greatest(s.qtd_da_central, 1) as resto
    from somadas as s
),

ordenadas as (
    select
        p.*,
        sum(p.parte) over (partition by {{ central }}) as partes_da_central,
        row_number() over (
            partition by {{ central }}
            order by p.resto desc nulls last, p.unidade_executante_cnes asc
        ) as ordem_do_resto
    from partes as p
),

repartidas as (
    select
        {%- for coluna in colunas %}
        o.{{ coluna }},
        {%- endfor %}
        o.qtd_ppi,
        o.qtd_teto,
        o.qtd_apos_teto,
        case
            when o.qtd_apos_teto is null then null
            when not coalesce(o.qtd_ppi < o.qtd_da_central, false) then o.qtd_apos_teto
            when o.ordem_do_resto <= o.qtd_ppi - o.partes_da_central then o.parte + 1
            else o.parte
        end as qtd_oferta_real
    from ordenadas as o
)
{%- endmacro %}
