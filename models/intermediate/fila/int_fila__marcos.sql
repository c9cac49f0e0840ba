{{ config(materialized='view') }}

-- Grain: one row per request and fact that says in which state it is from then on, by the end of
-- data_referencia. Rules regra_estados_solicitacao and regra_saida_fila.
with solicitacoes as (
    select *
    from {{ ref('int_fila__solicitacoes') }}
    where momento_solicitacao is not null
),

documentos as (
    select * from {{ ref('int_fila__marcos_dos_documentos') }}
),

agendamentos as (
    select * from {{ ref('int_fila__agendamentos') }}
),

-- Cancelled after its day, a booking is closed already, and free to be made again.
encerramentos as (
    select
        a.*,
        a.momento_encerramento as momento
    from agendamentos as a
    union all
    select
        a.*,
        a.momento_cancelada as momento
    from agendamentos as a
    where a.momento_cancelada > a.momento_encerramento
),

fatos as (
    select
        d.*,
        cast(null as string) as agenda
    from documentos as d
    union all
    select
        a.solicitacao_codigo,
        a.momento_agendada as momento,
        4 as etapa,
        'agendamento' as origem,
        'agendada' as estado,
        '' as motivo,
        'em_curso' as agenda
    from agendamentos as a
    union all
    select
        e.solicitacao_codigo,
        e.momento,
        case
            when e.momento_cancelada = e.momento_encerramento and e.momento > e.momento_agendada
                then 3
            else 5
        end as etapa,
        'agendamento' as origem,
        'encerrada' as estado,
        e.encerramento_motivo as motivo,
        case when e.momento = e.momento_cancelada then 'cancelada' else 'passada' end as agenda
    from encerramentos as e
    where
        cast(e.momento as date) <= {{ data_referencia() }}
        and (e.proxima_agendada is null or e.momento < e.proxima_agendada)
),

situados as (
    select
        f.solicitacao_codigo,
        greatest(f.momento, s.momento_solicitacao) as momento,
        f.etapa,
        f.origem,
        f.estado,
        f.motivo,
        {{ last_known('f.agenda') }} over (
            partition by f.solicitacao_codigo
            order by f.momento, f.etapa, f.origem, f.agenda
            rows between unbounded preceding and current row
        ) as agenda
    from fatos as f
    inner join solicitacoes as s on f.solicitacao_codigo = s.solicitacao_codigo
    where
        (f.momento >= s.momento_solicitacao or f.origem in ('situacao', 'cancelamento'))
        -- The history of what never existed tells nothing.
        and (not s.nasceu_inexistente or f.origem not in ('laudo', 'reenvio'))
),

final as (
    select
        s.solicitacao_codigo,
        s.momento,
        s.etapa,
        s.origem,
        s.estado,
        s.motivo
    from situados as s
    where
        s.agenda is null
        or s.agenda = 'cancelada'
        or s.origem in ('pedido', 'agendamento', 'situacao')
        or (s.agenda = 'passada' and s.origem in ('reenvio', 'cancelamento'))
    -- Bookings made twice tell the same fact.
    group by all
)

select * from final
