{{ config(materialized='view') }}

-- Grain: one row per fact, known by the end of data_referencia, that says how a booking went. A
-- fact that names the request only is of the booking in force then: em_vigor. Rule
-- regra_desfecho_agendamento.
with versoes as (
    select
        v.*,
        -- Any other situation that is known says that the booking no longer stands.
        case
            when v.situacao_grupo in ('agendada', 'confirmada', 'falta') then v.situacao_grupo
            when v.situacao_grupo <> 'indefinida' then 'cancelada'
        end as desfecho
    from {{ ref('int_fila__versoes') }} as v
),

laudos as (
    select * from {{ ref('int_fila__laudos') }}
),

fatos as (
    select
        v.solicitacao_codigo,
        v.marcacao_codigo,
        v.momento_versao as momento,
        v.desfecho,
        false as eh_datado
    from versoes as v
    where v.eh_datada
    union all
    select
        v.solicitacao_codigo,
        v.marcacao_codigo,
        v.momento_confirmacao as momento,
        v.desfecho,
        true as eh_datado
    from versoes as v
    where v.desfecho in ('confirmada', 'falta')
    union all
    select
        v.solicitacao_codigo,
        case
            when v.situacao_grupo in ('cancelada', 'agendamento_cancelado', 'indefinida')
                then v.marcacao_codigo
        end as marcacao_codigo,
        v.momento_cancelamento as momento,
        'cancelada' as desfecho,
        true as eh_datado
    from versoes as v
    union all
    select
        l.solicitacao_codigo,
        cast(null as string) as marcacao_codigo,
        l.momento_laudo as momento,
        lower(l.laudo_situacao) as desfecho,
        true as eh_datado
    from laudos as l
    where l.laudo_situacao in ('CONFIRMADA', 'FALTA', 'CANCELADA')
),

final as (
    select
        f.solicitacao_codigo,
        coalesce(f.marcacao_codigo, 'em_vigor') as marcacao_codigo,
        f.momento,
        f.desfecho,
        f.eh_datado
    from fatos as f
    where f.desfecho is not null and cast(f.momento as date) <= {{ data_referencia() }}
    -- Versions tell the same fact again and again.
    group by all
)

select * from final
