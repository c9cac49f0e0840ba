-- What is left empty, less what was booked beyond the offer, is what the slots of the month are
-- more than the bookings, group by group, as a member may use the agenda of its group. Slots and
-- bookings are counted apart here: a join that misses, repeats or swaps one of them shows.
{% set tipos = ['primeira_vez', 'retorno', 'reserva'] %}
{% set grupo = "case when {0}.procedimento_codigo <> 'nao_informado' "
    ~ "then concat(left({0}.procedimento_codigo, 4), '000') else 'nao_informado' end" %}

with parcelas as (
    {% for tipo in tipos %}
    select
        o.competencia,
        o.unidade_executante_cnes,
        {{ grupo.format('o') }} as grupo_codigo,
        '{{ tipo }}' as vaga_tipo,
        coalesce(o.qtd_oferta_real_{{ tipo }}, 0) as qtd_reais,
        case when o.qtd_oferta_real_{{ tipo }} is null then 1 else 0 end as qtd_desconhecidas,
        0 as qtd_ocupadas,
        0 as qtd_liberadas
    from {{ ref('oferta_real_por_mes') }} as o

    union all
    {% endfor %}

    select
        m.competencia,
        m.unidade_executante_cnes,
        {{ grupo.format('m') }} as grupo_codigo,
        m.vaga_tipo,
        0 as qtd_reais,
        0 as qtd_desconhecidas,
        case when m.marcacao_destino = 'liberada' then 0 else 1 end as qtd_ocupadas,
        case when m.marcacao_destino = 'liberada' then 1 else 0 end as qtd_liberadas
    from {{ ref('int_oferta__marcacoes') }} as m
),

contadas as (
    select
        p.competencia,
        p.unidade_executante_cnes,
        p.grupo_codigo,
        p.vaga_tipo,
        sum(p.qtd_reais) as qtd_reais,
        sum(p.qtd_desconhecidas) as qtd_desconhecidas,
        sum(p.qtd_ocupadas) as qtd_ocupadas,
        sum(p.qtd_liberadas) as qtd_liberadas
    from parcelas as p
    group by
        p.competencia,
        p.unidade_executante_cnes,
        p.grupo_codigo,
        p.vaga_tipo
),

funil as (
    select
        f.competencia,
        f.unidade_executante_cnes,
        f.grupo_codigo,
        f.vaga_tipo,
        sum(f.qtd_marcadas) as qtd_marcadas,
        sum(f.qtd_liberadas) as qtd_liberadas,
        sum(f.qtd_vazias) as qtd_vazias,
        sum(f.qtd_excedentes) as qtd_excedentes,
        sum(f.qtd_liberadas_vazias) as qtd_liberadas_vazias,
        min(least(f.qtd_vazias, f.qtd_excedentes)) as qtd_menor
    from {{ ref('oferta_funil_por_mes') }} as f
    group by
        f.competencia,
        f.unidade_executante_cnes,
        f.grupo_codigo,
        f.vaga_tipo
)

select
    c.competencia,
    c.unidade_executante_cnes,
    c.grupo_codigo,
    c.vaga_tipo,
    c.qtd_reais,
    c.qtd_ocupadas,
    f.qtd_vazias,
    f.qtd_excedentes
from contadas as c
left join funil as f
    on
        c.competencia = f.competencia
        and c.unidade_executante_cnes = f.unidade_executante_cnes
        and c.grupo_codigo = f.grupo_codigo
        and c.vaga_tipo = f.vaga_tipo
where
    coalesce(f.qtd_marcadas, 0) <> c.qtd_ocupadas
    or coalesce(f.qtd_liberadas, 0) <> c.qtd_liberadas
    or f.qtd_menor < 0
    or f.qtd_liberadas_vazias > c.qtd_liberadas
    or (
        c.qtd_desconhecidas = 0
        and coalesce(f.qtd_vazias - f.qtd_excedentes, 0) <> c.qtd_reais - c.qtd_ocupadas
    )
