{{ config(materialized='view') }}

-- Grain: one row per request and fact that says in which state it is from then on, by the end of
-- data_referencia. Rules regra_estados_solicitacao and regra_saida_fila.
with solicitacoes as (
    select *
    from {{ ref('int_fila__solicitacoes') }}
    where momento_solicitacao is not null
),

versoes as (
    select * from {{ ref('int_fila__versoes') }}
),

agendamentos as (
    select * from {{ ref('int_fila__agendamentos') }}
),

com_agendamento as (
    select a.solicitacao_codigo
    from agendamentos as a
    group by a.solicitacao_codigo
),

-- `etapa` orders what happened at one instant.
fatos as (
    select
        s.solicitacao_codigo,
        s.momento_solicitacao as momento,
        0 as etapa,
        'pedido' as origem,
        case when s.nasceu_inexistente then 'encerrada' else 'aguardando' end as estado,
        case when s.nasceu_inexistente then 'outras' else '' end as motivo,
        cast(null as string) as agenda
    from solicitacoes as s
    union all
    select
        l.solicitacao_codigo,
        l.momento_laudo as momento,
        t.etapa,
        t.origem,
        t.estado,
        t.motivo,
        cast(null as string) as agenda
    from {{ ref('int_fila__laudos') }} as l
    inner join (
        values
        ('DEVOLVIDA', 1, 'laudo', 'devolvida', ''),
        ('PENDENTE', 2, 'laudo', 'aguardando', ''),
        ('REENVIADA', 2, 'reenvio', 'aguardando', ''),
        ('NEGADA', 3, 'laudo', 'encerrada', 'negada'),
        ('CANCELADA', 3, 'cancelamento', 'encerrada', 'cancelada'),
        ('AGENDADA', 4, 'laudo', 'agendada', ''),
        ('AUTORIZADA', 4, 'laudo', 'agendada', '')
    ) as t (laudo_situacao, etapa, origem, estado, motivo)
        on l.laudo_situacao = t.laudo_situacao
    union all
    select
        v.solicitacao_codigo,
        v.momento_cancelamento as momento,
        3 as etapa,
        'cancelamento' as origem,
        'encerrada' as estado,
        'cancelada' as motivo,
        cast(null as string) as agenda
    from versoes as v
    where
        cast(v.momento_cancelamento as date) <= {{ data_referencia() }}
        and (
            v.situacao_grupo in ('cancelada', 'agendamento_cancelado', 'indefinida')
            or v.momento_cancelamento <= v.momento_versao
        )
    union all
    select
        v.solicitacao_codigo,
        v.momento_versao as momento,
        6 as etapa,
        case
            when v.situacao_grupo in ('cancelada', 'agendamento_cancelado') then 'cancelamento'
            else 'situacao'
        end as origem,
        case
            when v.situacao_grupo in ('aguardando', 'devolvida', 'agendada') then v.situacao_grupo
            else 'encerrada'
        end as estado,
        case
            when v.situacao_grupo in ('aguardando', 'devolvida', 'agendada') then ''
            when v.situacao_grupo = 'confirmada' then 'atendida'
            when v.situacao_grupo = 'agendamento_cancelado' then 'cancelada'
            when v.situacao_grupo = 'inexistente' then 'outras'
            else v.situacao_grupo
        end as motivo,
        cast(null as string) as agenda
    from versoes as v
    left join com_agendamento as c on v.solicitacao_codigo = c.solicitacao_codigo
    where
        v.eh_datada
        and v.situacao_grupo <> 'indefinida'
        and (
            c.solicitacao_codigo is null
            -- The bookings tell by themselves how they went.
            or v.situacao_grupo not in ('agendada', 'confirmada', 'falta')
        )
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
        a.solicitacao_codigo,
        a.momento_encerramento as momento,
        case
            when a.momento_encerramento = a.momento_agendada then 5
            when a.momento_encerramento = a.momento_cancelada then 3
            else 5
        end as etapa,
        'agendamento' as origem,
        'encerrada' as estado,
        a.encerramento_motivo as motivo,
        case
            when a.momento_encerramento = a.momento_cancelada then 'cancelada' else 'passada'
        end as agenda
    from agendamentos as a
    where
        cast(a.momento_encerramento as date) <= {{ data_referencia() }}
        and (a.proxima_agendada is null or a.momento_encerramento < a.proxima_agendada)
    union all
    -- Cancelled after its day: closed already, and free to be booked again.
    select
        a.solicitacao_codigo,
        a.momento_cancelada as momento,
        5 as etapa,
        'agendamento' as origem,
        'encerrada' as estado,
        'agendamento_cancelado' as motivo,
        'cancelada' as agenda
    from agendamentos as a
    where
        a.momento_cancelada > a.momento_encerramento
        and cast(a.momento_cancelada as date) <= {{ data_referencia() }}
        and (a.proxima_agendada is null or a.momento_cancelada < a.proxima_agendada)
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
    -- Versions tell the same fact again and again.
    group by all
)

select * from final
