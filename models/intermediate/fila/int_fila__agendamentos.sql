-- Grain: one row per request and booking made by the end of data_referencia, with what was known
-- then of its outcome. Rules regra_saida_fila and regra_desfecho_agendamento.

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

vigencias as (
    select * from {{ ref('int_fila__vigencias') }}
),

candidatas as (
    select
        v.*,
        row_number() over (
            partition by v.solicitacao_codigo, v.marcacao_codigo
            order by
                case when v.eh_conhecida then v.versao else -v.versao end desc
        ) as preferencia,
        min(v.momento_visto) over (
            partition by v.solicitacao_codigo, v.marcacao_codigo
        ) as primeira_vista,
        max(v.momento_visto) over (
            partition by v.solicitacao_codigo, v.marcacao_codigo
        ) as ultima_vista
    from versoes as v
    where
        v.indice = 'marcacao'
        and (
            v.situacao_grupo in ('agendada', 'confirmada', 'falta', 'agendamento_cancelado')
            -- Without a telling situation, only a full booking proves itself.
            or (
                v.situacao_grupo in ('cancelada', 'indefinida')
                and v.momento_aprovacao is not null
                and v.momento_agendamento is not null
            )
        )
),

feitas as (
    select
        c.solicitacao_codigo,
        c.marcacao_codigo,
        s.momento_solicitacao,
        greatest(
            s.momento_solicitacao,
            coalesce(c.momento_aprovacao, least(c.momento_atualizacao, c.momento_agendamento))
        ) as momento_agendada,
        c.momento_agendamento,
        coalesce(c.momento_confirmacao, c.momento_versao) as momento_conhecida,
        c.primeira_vista,
        c.ultima_vista,
        coalesce(c.unidade_executante_cnes, 'nao_informado') as unidade_executante_cnes,
        coalesce(c.procedimento_agendado_codigo, {{ request_procedure('s') }})
            as procedimento_codigo,
        c.vaga_consumida_tipo
    from candidatas as c
    inner join vigencias as s on c.solicitacao_codigo = s.solicitacao_codigo and s.eh_ultima
    where c.preferencia = 1
),

agendadas as (
    select
        f.*,
        lead(f.momento_agendada) over (
            partition by f.solicitacao_codigo
            order by f.momento_agendada, f.momento_agendamento, f.marcacao_codigo
        ) as proxima_agendada,
        lead(f.primeira_vista) over (
            partition by f.solicitacao_codigo
            order by f.momento_agendada, f.momento_agendamento, f.marcacao_codigo
        ) as proxima_vista
    from feitas as f
    where cast(f.momento_agendada as date) <= {{ data_referencia() }}
),

proprios as (
    select
        v.solicitacao_codigo,
        v.marcacao_codigo,
        v.momento_versao as momento,
        v.desfecho,
        false as eh_datado
    from versoes as v
    where v.indice = 'marcacao' and v.eh_datada
    union all
    select
        v.solicitacao_codigo,
        v.marcacao_codigo,
        v.momento_confirmacao as momento,
        v.desfecho,
        true as eh_datado
    from versoes as v
    where v.momento_confirmacao is not null and v.desfecho in ('confirmada', 'falta')
    union all
    select
        v.solicitacao_codigo,
        v.marcacao_codigo,
        v.momento_cancelamento as momento,
        'cancelada' as desfecho,
        true as eh_datado
    from versoes as v
    where
        v.indice = 'marcacao'
        and v.momento_cancelamento is not null
        and v.situacao_grupo in ('cancelada', 'agendamento_cancelado', 'indefinida')
),

-- What names the request and not the booking belongs to the one that stood then.
soltos as (
    select
        v.solicitacao_codigo,
        v.momento_versao as momento,
        v.desfecho,
        false as eh_datado
    from versoes as v
    where v.indice = 'solicitacao' and v.eh_datada
    union all
    select
        v.solicitacao_codigo,
        v.momento_cancelamento as momento,
        'cancelada' as desfecho,
        true as eh_datado
    from versoes as v
    where
        v.momento_cancelamento is not null
        and (
            v.indice = 'solicitacao'
            or v.situacao_grupo not in ('cancelada', 'agendamento_cancelado', 'indefinida')
        )
    union all
    select
        l.solicitacao_codigo,
        l.momento_laudo as momento,
        lower(l.laudo_situacao) as desfecho,
        true as eh_datado
    from laudos as l
    where l.laudo_situacao in ('CONFIRMADA', 'FALTA', 'CANCELADA')
),

fatos as (
    select
        p.solicitacao_codigo,
        p.marcacao_codigo,
        p.momento,
        p.desfecho,
        p.eh_datado
    from proprios as p
    where p.desfecho is not null and cast(p.momento as date) <= {{ data_referencia() }}
    union all
    select
        a.solicitacao_codigo,
        a.marcacao_codigo,
        s.momento,
        s.desfecho,
        s.eh_datado
    from soltos as s
    inner join agendadas as a
        on
            s.solicitacao_codigo = a.solicitacao_codigo
            and s.momento >= a.momento_agendada
            and (a.proxima_agendada is null or s.momento < a.proxima_agendada)
    where s.desfecho is not null and cast(s.momento as date) <= {{ data_referencia() }}
),

ordenados as (
    select
        f.*,
        row_number() over (
            partition by f.solicitacao_codigo, f.marcacao_codigo
            order by
                f.momento desc,
                case f.desfecho
                    when 'cancelada' then 1 when 'confirmada' then 2 when 'falta' then 3 else 4
                end asc
        ) as ordem_inversa
    from fatos as f
),

conhecidos as (
    select
        o.solicitacao_codigo,
        o.marcacao_codigo,
        max(case when o.ordem_inversa = 1 then o.desfecho end) as desfecho,
        coalesce(
            min(case when o.desfecho = 'cancelada' and o.eh_datado then o.momento end),
            min(case when o.desfecho = 'cancelada' then o.momento end)
        ) as momento_cancelada
    from ordenados as o
    group by all
),

desfechos as (
    select
        a.*,
        c.desfecho,
        case
            when c.desfecho = 'cancelada' then c.momento_cancelada
            -- Replaced before its day came, by a booking that took its place in the source.
            when
                coalesce(c.desfecho, 'agendada') = 'agendada'
                and a.ultima_vista < a.proxima_vista
                and a.proxima_agendada < a.momento_agendamento
                then a.proxima_agendada
        end as momento_cancelada,
        coalesce(
            a.momento_agendamento,
            case when c.desfecho in ('confirmada', 'falta') then a.momento_conhecida end
        ) as momento_atendimento
    from agendadas as a
    left join conhecidos as c
        on a.solicitacao_codigo = c.solicitacao_codigo and a.marcacao_codigo = c.marcacao_codigo
),

final as (
    select
        d.solicitacao_codigo,
        d.marcacao_codigo,
        d.momento_solicitacao,
        d.momento_agendada,
        d.proxima_agendada,
        d.momento_agendamento,
        case
            when d.momento_cancelada is not null
                then greatest(d.momento_cancelada, d.momento_agendada)
        end as momento_cancelada,
        -- Nothing ends before it began; `greatest` alone would close what is still open.
        case
            when coalesce(d.momento_cancelada, d.momento_atendimento) is not null
                then greatest(
                    least(d.momento_cancelada, d.momento_atendimento), d.momento_agendada
                )
        end as momento_encerramento,
        case
            when d.momento_cancelada is not null then 'agendamento_cancelado'
            when d.momento_atendimento is null then null
            when d.desfecho = 'confirmada' then 'atendida'
            when d.desfecho = 'falta' then 'falta'
            else 'sem_confirmacao'
        end as encerramento_motivo,
        case
            when d.momento_agendamento is null then null
            when d.momento_cancelada is not null then 'cancelada'
            when cast(d.momento_agendamento as date) > {{ data_referencia() }} then 'futura'
            when d.desfecho in ('confirmada', 'falta') then d.desfecho
            else 'sem_confirmacao'
        end as agendamento_desfecho,
        d.unidade_executante_cnes,
        d.procedimento_codigo,
        d.vaga_consumida_tipo
    from desfechos as d
)

select * from final
