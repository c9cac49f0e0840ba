-- Grain: day seen, month, executing central, executing unit, procedure, limit. What a change of a
-- ceiling, and then one of the agreement (PPI), adds to the real offer of the month or takes from
-- it, on the slots that were known on that day (regra_diario_da_oferta).

with ativas as (
    select * from {{ ref('int_oferta__vagas_do_mes_visto') }}
),

informados as (
    select * from {{ ref('int_oferta__limites_informados') }}
),

dias as (
    select * from {{ ref('int_oferta__versoes_dias') }}
),

-- step 0: both limits as before; 1: the ceiling as now; 2: the agreement too
instantes as (
    {% for passo in range(3) %}
    select
        d.visto_em,
        {{ passo }} as passo,
        {{ 'd.visto_em' if passo > 0 else add_days('d.visto_em', -1) }} as instante_teto,
        {{ 'd.visto_em' if passo > 1 else add_days('d.visto_em', -1) }} as instante_ppi
    from dias as d
    where d.anterior_em is not null
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

ppi as (
    select
        s.visto_em,
        s.passo,
        i.competencia,
        i.central_executora_codigo,
        i.procedimento_codigo,
        case when count(*) = count(i.qtd_limite) then cast(sum(i.qtd_limite) as bigint) end
            as qtd_ppi
    from instantes as s
    inner join informados as i
        on
            s.instante_ppi >= i.visto_de
            and coalesce(s.instante_ppi <= i.visto_ate, true)
    where i.limite_tipo = 'ppi' and i.competencia >= {{ competencia('s.visto_em') }}
    group by all
),

limitadas as (
    select
        a.visto_em,
        s.passo,
        a.competencia,
        a.central_executora_codigo,
        a.unidade_executante_cnes,
        a.procedimento_codigo,
        a.qtd_vagas_ativas,
        p.qtd_ppi,
        t.qtd_limite as qtd_teto
    from ativas as a
    inner join instantes as s
        on a.visto_em = s.visto_em
    left join ppi as p
        on
            a.visto_em = p.visto_em
            and s.passo = p.passo
            and a.competencia = p.competencia
            and a.central_executora_codigo = p.central_executora_codigo
            and a.procedimento_codigo = p.procedimento_codigo
    left join informados as t
        on
            a.competencia = t.competencia
            and a.unidade_executante_cnes = t.unidade_executante_cnes
            and a.procedimento_codigo = t.procedimento_codigo
            and s.instante_teto >= t.visto_de
            and s.instante_teto <= coalesce(t.visto_ate, {{ ending() }})
            and t.limite_tipo = 'teto'
),

{{ limited_offer(keys=['visto_em', 'passo']) }},

saldos as (
    select
        r.visto_em,
        r.passo,
        r.competencia,
        r.central_executora_codigo,
        r.unidade_executante_cnes,
        r.procedimento_codigo,
        r.qtd_oferta_real - lag(r.qtd_oferta_real) over (
            partition by
                r.visto_em,
                r.competencia,
                r.central_executora_codigo,
                r.unidade_executante_cnes,
                r.procedimento_codigo
            order by r.passo
        ) as qtd_saldo
    from repartidas as r
),

final as (
    select
        -- identificadores
        s.visto_em,
        s.competencia,
        s.central_executora_codigo,
        s.unidade_executante_cnes,
        s.procedimento_codigo,
        -- categorias
        case s.passo when 1 then 'teto' else 'ppi' end as diario_causa,
        -- quantidades
        greatest(s.qtd_saldo, 0) as qtd_vagas_ganhas,
        greatest(-s.qtd_saldo, 0) as qtd_vagas_perdidas
    from saldos as s
    where s.qtd_saldo <> 0
)

select * from final
