-- Grain: month, executing central, executing unit, procedure. Whether what depends on leaves may
-- leave the house, and how fine (regra_divulgacao_afastamentos). The attacker is taken to know the
-- agenda, who works it, the leaves of the unit, and this rule.
{% set tipos = slot_kinds() %}
{% set lugar = place_keys() %}

with -- what holidays and leaves of the unit leave, and what leaves of professionals take of it
por_tipo as (
    select
        {{ competencia('v.data') }} as competencia,
        v.central_executora_codigo,
        v.unidade_executante_cnes,
        v.procedimento_codigo,
        v.data,
        v.vaga_tipo,
        count(distinct v.profissional_id) as qtd_profissionais,
        sum(v.qtd_vagas_total - v.qtd_bloqueadas_ate_afastamento_unidade) as disponiveis,
        sum(
            v.qtd_vagas_bloqueadas
            - v.qtd_bloqueadas_ate_afastamento_unidade
        ) as afastadas
    from {{ ref('int_oferta__vagas_por_dia') }} as v
    group by all
),

dias as (
    select
        t.{{ lugar | join(',\n        t.') }},
        t.data,
        {% for tipo in tipos %}
        coalesce(sum(case when t.vaga_tipo = '{{ tipo }}' then t.disponiveis end), 0)
            as disponiveis_{{ tipo }},
        coalesce(sum(case when t.vaga_tipo = '{{ tipo }}' then t.afastadas end), 0)
            as afastadas_{{ tipo }},
        {% endfor %}
        min(t.qtd_profissionais) as menor_qtd_profissionais
    from por_tipo as t
    group by all
),

-- days that offer the same cannot be told apart by a sum
dias_iguais as (
    select
        d.{{ lugar | join(',\n        d.') }},
        {% for tipo in tipos %}
        sum(d.disponiveis_{{ tipo }}) as disponiveis_{{ tipo }},
        sum(d.afastadas_{{ tipo }}) as afastadas_{{ tipo }},
        {% endfor %}
        count(*) as qtd_dias,
        min(d.menor_qtd_profissionais) as menor_qtd_profissionais
    from dias as d
    group by
        d.{{ lugar | join(',\n        d.') }},
        d.disponiveis_primeira_vez,
        d.disponiveis_retorno,
        d.disponiveis_reserva
),

meses as (
    select
        i.{{ lugar | join(',\n        i.') }},
        {% for tipo in tipos %}
        sum(i.disponiveis_{{ tipo }}) as disponiveis_{{ tipo }},
        sum(i.afastadas_{{ tipo }}) as afastadas_{{ tipo }},
        {% endfor %}
        -- a day on which nothing is left to take says nothing
        min(
            case
                when {{ 'i.disponiveis_' ~ tipos | join(' + i.disponiveis_') }} > 0
                    then i.qtd_dias
            end
        ) as menor_qtd_dias,
        min(nullif({{ 'i.disponiveis_' ~ tipos | join(' + i.disponiveis_') }}, 0)) as menor_soma,
        min(i.menor_qtd_profissionais) as menor_qtd_profissionais
    from dias_iguais as i
    group by
        i.{{ lugar | join(',\n        i.') }}
),

julgados as (
    select
        m.{{ lugar | join(',\n        m.') }},
        min(m.menor_qtd_profissionais)
            over (partition by m.competencia, m.unidade_executante_cnes, m.procedimento_codigo)
        >= {{ setting('minimo_profissionais') }} as tem_profissionais,
        not {{ month_under_way('m.competencia', 'r.data_referencia') }}
        and coalesce(m.menor_qtd_dias >= 2, true)
        and coalesce(
            2 * ({{ 'm.afastadas_' ~ tipos | join(' + m.afastadas_') }}) < m.menor_soma, true
        )
        {% for tipo in tipos %}
        and (m.disponiveis_{{ tipo }} = 0 or 2 * m.afastadas_{{ tipo }} < m.disponiveis_{{ tipo }})
        {% endfor %}
            as eh_ambiguo
    from meses as m
    cross join {{ ref('int_calendario__referencia') }} as r
),

-- the shares of a PPI that the other units show would tell that of the one that shows none
vizinhas as (
    select
        j.*,
        l.qtd_ppi is not null
        and min(case when j.tem_profissionais or j.eh_ambiguo then 1 else 0 end)
            over (partition by j.competencia, j.central_executora_codigo, j.procedimento_codigo)
        = 0 as tem_vizinha_oculta
    from julgados as j
    inner join {{ ref('int_oferta__limites') }} as l
        on
            {{ same_place('j', 'l') }}
),

notas as (
    select
        v.*,
        case
            when v.tem_vizinha_oculta then 0
            when v.tem_profissionais or v.eh_ambiguo then 1
            else 0
        end as nota
    from vizinhas as v
),

final as (
    select
        -- identificadores
        n.competencia,
        n.central_executora_codigo,
        n.unidade_executante_cnes,
        n.procedimento_codigo,
        -- categorias
        case
            -- the centrals of a unit share its ceiling and its days: what one hides they all hide
            when
                min(n.nota) over (
                    partition by n.competencia, n.unidade_executante_cnes, n.procedimento_codigo
                ) = 0
                then 'nao_divulgada'
            when n.tem_profissionais then 'por_dia'
            else 'por_mes'
        end as divulgacao
    from notas as n
)

select * from final
