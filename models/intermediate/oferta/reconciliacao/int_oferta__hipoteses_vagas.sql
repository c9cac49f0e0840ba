-- Grain: hypothesis, month, executing central, executing unit, procedure, local agenda, kind of
-- slot; only months and procedures of a report. 'mapa' is the offer as it is; the others change
-- one rule (regra_reconciliacao). All causes are united at once: which one blocks is all the same.
{% set hipoteses = [
    'mapa',
    'escala_sem_fim',
    'feriado_calculado',
    'bloqueio_de_um_procedimento',
    'bloqueio_parcial',
    'bloqueio_de_um_procedimento_e_parcial',
] %}
with relatorio as (
    select * from {{ ref('int_oferta__relatorio') }}
),

escalas as (
    select * from {{ ref('int_oferta__escalas') }}
),

fechamentos as (
    select * from {{ ref('int_calendario__fechamentos') }}
),

alvos as (
    select
        r.competencia,
        r.procedimento_codigo
    from relatorio as r
    group by all
),

hipoteses as (
    {% for hipotese in hipoteses %}
    select '{{ hipotese }}' as hipotese
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

calculados as (
    select
        f.data,
        f.unidade_executante_cnes
    from fechamentos as f
    where f.feriado_origem = 'calculado' and f.visto_ate is null
),

-- what blocks under each hypothesis; holidays are whole days of all procedures as they are
interrupcoes as (
    select
        h.hipotese,
        i.causa_bloqueio,
        i.unidade_executante_cnes,
        i.profissional_id,
        case when h.hipotese not like '%um_procedimento%' then i.procedimento_codigo end
            as procedimento_codigo,
        i.data_inicio,
        case when h.hipotese like '%parcial' then 0 else i.minuto_inicio end as minuto_inicio,
        i.data_fim,
        case when h.hipotese like '%parcial' then 24 * 60 else i.minuto_fim end as minuto_fim,
        i.vale_de,
        i.visto_ate
    from {{ ref('int_oferta__interrupcoes') }} as i
    cross join hipoteses as h
    left join calculados as c
        on
            case
                when h.hipotese = 'feriado_calculado' and i.causa_bloqueio = 'feriado'
                    then i.data_inicio
            end = c.data
            and i.unidade_executante_cnes is not distinct from c.unidade_executante_cnes
    where c.data is null
),

no_mes as (
    select
        h.hipotese,
        a.competencia,
        {{ schedule_columns('e') }},
        coalesce(e.eh_agenda_local, false) as eh_agenda_local,
        greatest(e.primeira_data, a.competencia) as desde,
        least(
            {{ add_days(competencia(add_days('a.competencia', 31)), -1) }},
            case
                when
                    h.hipotese <> 'escala_sem_fim'
                    or e.data_vigencia_final is not null
                    or e.visto_ate is not null
                    or e.ultima_data <> {{ data_referencia() }}
                    then e.ultima_data
                else {{ add_days(data_referencia(), setting('horizonte_dias')) }}
            end
        ) as ate
    from escalas as e
    inner join alvos as a
        on e.procedimento_codigo = a.procedimento_codigo
    cross join hipoteses as h
    where
        e.escala_destino = 'expandida'
        or (
            h.hipotese = 'escala_sem_fim'
            and e.escala_destino = 'sem_data_no_periodo'
            and e.data_vigencia_final is null
            and e.visto_ate is null
        )
),

expandidas as (
    select
        n.*,
        {{ next_weekday('n.desde', 'n.dia_semana_numero') }} as primeira_data,
        n.ate as ultima_data
    from no_mes as n
    where n.desde <= n.ate
),

{{ blocked_minutes(
    keys=['hipotese'],
    valid='i.hipotese = e.hipotese',
    up_to=['afastamento_profissional']
) }},

{{ expanded_slots(keys=['hipotese'], up_to=['afastamento_profissional']) }},

final as (
    select
        -- identificadores
        v.hipotese,
        v.{{ place_keys() | join(',\n        v.') }},
        v.eh_agenda_local,
        v.vaga_tipo,
        -- quantidades
        cast(sum(v.qtd_vagas_total) as bigint) as qtd_total,
        cast(sum(v.qtd_vagas_bloqueadas) as bigint) as qtd_bloqueada
    from vagas as v
    group by all
)

select * from final
