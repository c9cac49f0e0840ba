-- Grain: source and what it delivers. When it came last, and whether it brought as much as it is
-- used to. Indicators 62 and 63. Rule regra_qualidade_fontes.
{% set minimo_cargas = 6 %}

with cargas as (
    select *
    from {{ ref('int_calendario__cargas') }}
    -- What describes a day is read after its end.
    where visto_em <= {{ add_days(data_referencia(), 1) }}
),

ordenadas as (
    select
        c.*,
        row_number() over (
            partition by c.fonte, c.entidade order by c.visto_em desc, c.ordem desc
        ) as ordem_inversa
    from cargas as c
),

habituais as (
    select
        o.fonte,
        o.entidade,
        count(o.qtd_recebidas) as qtd_anteriores,
        {{ percentile('o.qtd_recebidas', 0.5) }} as mediana
    from ordenadas as o
    where o.ordem_inversa > 1
    group by o.fonte, o.entidade
),

dispersoes as (
    select
        o.fonte,
        o.entidade,
        {{ percentile('abs(o.qtd_recebidas - h.mediana)', 0.5) }} as dispersao
    from ordenadas as o
    inner join habituais as h on o.fonte = h.fonte and o.entidade = h.entidade
    where o.ordem_inversa > 1
    group by o.fonte, o.entidade
),

contagens as (
    select
        o.fonte,
        o.entidade,
        count(*) as qtd_cargas
    from ordenadas as o
    group by o.fonte, o.entidade
),

final as (
    select
        u.fonte as carga_fonte,
        u.entidade as carga_entidade,
        cast(c.qtd_cargas as integer) as qtd_cargas,
        u.visto_em as data_ultima_carga,
        {{ days_between('u.visto_em', add_days(data_referencia(), 1)) }} as dias_desde_a_carga,
        cast(u.qtd_recebidas as bigint) as qtd_recebidas_na_ultima,
        case
            when h.qtd_anteriores >= {{ minimo_cargas }}
                then cast(h.mediana as double)
        end as qtd_recebidas_habitual,
        -- When all brought as much, nobody knows how far is far.
        case
            when h.qtd_anteriores >= {{ minimo_cargas }}
                then
                    cast(u.qtd_recebidas - h.mediana as double)
                    / nullif(1.4826 * d.dispersao, 0)
        end as desvio_da_ultima
    from ordenadas as u
    inner join contagens as c on u.fonte = c.fonte and u.entidade = c.entidade
    left join habituais as h on u.fonte = h.fonte and u.entidade = h.entidade
    left join dispersoes as d on u.fonte = d.fonte and u.entidade = d.entidade
    where u.ordem_inversa = 1
)

select * from final
