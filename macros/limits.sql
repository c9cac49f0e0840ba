{# CTEs that share a quantity by largest remainder, the last of them `<name>`: the rows of `rows` and
   qtd_<name>. Within each `partition` the rows get no more than the sum of their `weight`; below that
   they share `quota` in proportion, exactly, ties in the order of `tie`. A quota that is null limits
   nothing, a weight that is null gets null. `rows` has no columns named qtd_junta_<name>,
   parte_<name>, resto_<name>, partes_<name>, ordem_<name>. #}
{% macro shared_by_remainder(name, rows, quota, weight, partition, tie) -%}
{%- set juntas = 's.qtd_junta_' ~ name -%}
{{ name }}_somadas as (
    select
        r.*,
        cast(sum(r.{{ weight }}) over (partition by {{ partition }}) as bigint)
            as qtd_junta_{{ name }}
    from {{ rows }} as r
),

-- whole part and remainder of each share
{{ name }}_partes as (
    select
        s.*,
        {{ int_div('s.' ~ quota ~ ' * s.' ~ weight, 'greatest(' ~ juntas ~ ', 1)') }}
            as parte_{{ name }},
        s.{{ quota }} * s.{{ weight }} % greatest({{ juntas }}, 1) as resto_{{ name }}
    from {{ name }}_somadas as s
),

{{ name }}_ordenadas as (
    select
        p.*,
        sum(p.parte_{{ name }}) over (partition by {{ partition }}) as partes_{{ name }},
        row_number() over (
            partition by {{ partition }}
            order by p.resto_{{ name }} desc nulls last, p.{{ tie }} asc
        ) as ordem_{{ name }}
    from {{ name }}_partes as p
),

{{ name }} as (
    select
        o.*,
        case
            when o.{{ weight }} is null then null
            when not coalesce(o.{{ quota }} < o.qtd_junta_{{ name }}, false) then o.{{ weight }}
            when o.ordem_{{ name }} <= o.{{ quota }} - o.partes_{{ name }}
                then o.parte_{{ name }} + 1
            else o.parte_{{ name }}
        end as qtd_{{ name }}
    from {{ name }}_ordenadas as o
)
{%- endmacro %}


{# CTEs, the last of them `repartidas`: the real offer of each unit under its ceiling and the agreement
   (PPI) of its central.

   Expects the CTE `limitadas`: competencia, central_executora_codigo, unidade_executante_cnes,
   procedimento_codigo, qtd_vagas_ativas, qtd_ppi, qtd_teto and the columns `keys`, which tell pictures
   apart. The ceiling is one over all centrals for which the unit executes, which share it in
   proportion to its active slots, ties to the smaller code; what the agreement of a central leaves is
   shared between its units, ties to the smaller CNES. Both by largest remainder; a missing limit is
   no limit (regra_oferta_real). #}
{% macro limited_offer(keys=[]) -%}
{%- set colunas = keys + place_keys() -%}
{%- set unidade = colunas | reject('equalto', 'central_executora_codigo') | list -%}
{%- set central = colunas | reject('equalto', 'unidade_executante_cnes') | list -%}
{{ shared_by_remainder(
    'apos_teto', 'limitadas', 'qtd_teto', 'qtd_vagas_ativas',
    partition=unidade | join(', '), tie='central_executora_codigo'
) }},

{{ shared_by_remainder(
    'oferta_real', 'apos_teto', 'qtd_ppi', 'qtd_apos_teto',
    partition=central | join(', '), tie='unidade_executante_cnes'
) }},

repartidas as (
    select
        {%- for coluna in colunas %}
        o.{{ coluna }},
        {%- endfor %}
        o.qtd_ppi,
        o.qtd_teto,
        o.qtd_apos_teto,
        o.qtd_oferta_real
    from oferta_real as o
)
{%- endmacro %}


{# CTEs, the last of them `do_teto`: the rows of `offer` (as oferta_real_por_mes has them, with the
   columns `place`), one for each kind of slot that some schedule offers, with vaga_tipo, its measures,
   qtd_limitadas and qtd_do_teto. What the ceiling took is shared between the kinds in proportion to
   what each lost, by largest remainder with ties in the order of the list; the rest of a kind's loss
   is the agreement's, PPI (regra_funil_da_oferta, criterion 1). #}
{% macro limits_by_kind(offer, place) -%}
por_tipo as (
    {{ kinds_as_rows(
        offer,
        place + ['qtd_vagas_perdidas_teto'],
        ['qtd_vagas_total', 'qtd_vagas_bloqueadas', 'qtd_vagas_ativas', 'qtd_oferta_real'],
        offered='qtd_vagas_total'
    ) }}
),

perdas as (
    select
        t.*,
        t.qtd_vagas_ativas - t.qtd_oferta_real as qtd_limitadas
    from por_tipo as t
),

{{ shared_by_remainder(
    'do_teto', 'perdas', 'qtd_vagas_perdidas_teto', 'qtd_limitadas',
    partition=place | join(', '),
    tie='tipo_ordem'
) }}
{%- endmacro %}
