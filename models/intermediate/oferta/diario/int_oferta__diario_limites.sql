-- Grain: day seen, month, executing central, executing unit, procedure, limit. What a change of a
-- ceiling, and then one of the agreement (PPI), adds to the real offer of the month or takes from
-- it, on the slots that were known on that day (regra_diario_da_oferta).

with escalas as (
    select * from {{ ref('int_oferta__escalas') }}
),

interrupcoes as (
    select * from {{ ref('int_oferta__interrupcoes') }}
),

informados as (
    select * from {{ ref('int_oferta__limites_informados') }}
),

dias as (
    select * from {{ ref('int_oferta__versoes_dias') }}
),

-- months not yet over in which some limit of the procedure changed
afetados as (
    select
        d.visto_em,
        i.competencia,
        i.procedimento_codigo,
        cast(i.competencia + interval 1 month as date) as mes_seguinte
    from informados as i
    inner join dias as d
        on i.visto_de = d.visto_em or {{ add_days('i.visto_ate', 1) }} = d.visto_em
    where
        d.anterior_em is not null
        and i.competencia >= {{ competencia('d.visto_em') }}
        and i.competencia <= d.ultima_data_comum
    group by
        d.visto_em,
        i.competencia,
        i.procedimento_codigo
),

-- the schedules as known on that day: dates to come by the newest version, past ones by theirs
periodos as (
    select
        a.visto_em,
        a.competencia,
        {{ schedule_columns('e') }},
        greatest(e.primeira_ocorrencia, e.vale_de, a.competencia) as desde,
        least(
            coalesce(e.data_limite, {{ add_days('a.visto_em', -1) }}),
            case when e.visto_ate < a.visto_em then e.visto_ate end,
            {{ add_days('a.mes_seguinte', -1) }},
            {{ add_days('a.visto_em', setting('horizonte_dias') - 1) }}
        ) as ultima_data
    from afetados as a
    inner join escalas as e
        on a.procedimento_codigo = e.procedimento_codigo
    where
        e.pode_ofertar
        and e.visto_de <= a.visto_em
        and e.primeira_ocorrencia < a.mes_seguinte
        and coalesce(e.data_limite >= a.competencia, true)
),

expandidas as (
    select
        p.*,
        {{ next_weekday('p.desde', 'p.dia_semana_numero') }} as primeira_data
    from periodos as p
    where p.desde <= p.ultima_data
),

{{ blocked_minutes(
    keys=['visto_em'],
    to_day='case when i.visto_ate < e.visto_em then i.visto_ate end',
    valid='i.visto_de <= e.visto_em'
) }},

{{ expanded_slots(keys=['visto_em']) }},

-- a sum of nothing but unknown quantities is unknown
ativas as (
    select
        v.visto_em,
        v.competencia,
        v.central_executora_codigo,
        v.unidade_executante_cnes,
        v.procedimento_codigo,
        cast(sum(v.qtd_vagas_ativas) as bigint) as qtd_vagas_ativas
    from vagas as v
    group by all
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
            and coalesce(s.instante_teto <= t.visto_ate, true)
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
