-- Grain: day seen, month, executing central, executing unit, procedure. Active slots of the months
-- of which some limit of the procedure changed on that day, as they were known on it.
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
    valid='i.visto_de <= e.visto_em',
    up_to=['afastamento_profissional']
) }},

{{ expanded_slots(keys=['visto_em'], up_to=['afastamento_profissional']) }},

-- a sum of nothing but unknown quantities is unknown
final as (
    select
        -- identificadores
        v.visto_em,
        v.competencia,
        v.central_executora_codigo,
        v.unidade_executante_cnes,
        v.procedimento_codigo,
        -- quantidades
        cast(sum(v.qtd_vagas_ativas) as bigint) as qtd_vagas_ativas
    from vagas as v
    group by all
)

select * from final
