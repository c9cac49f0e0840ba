-- Grain: one row per state of a request, in order; each row begins with one transition. Only what
-- had happened by the end of data_referencia is here. Rule regra_estados_solicitacao.
with solicitacoes as (
    select * from {{ ref('int_fila__solicitacoes') }}
),

saidas as (
    select * from {{ ref('int_fila__saidas') }}
),

laudos as (
    select * from {{ ref('int_fila__laudos') }}
),

vidas as (
    select
        s.solicitacao_codigo,
        s.situacao_grupo,
        s.momento_solicitacao,
        s.momento_atualizacao,
        f.momento_agendada,
        f.momento_encerramento,
        f.encerramento_motivo,
        coalesce(f.momento_agendada, f.momento_encerramento) as momento_saida
    from saidas as f
    inner join solicitacoes as s on f.solicitacao_codigo = s.solicitacao_codigo
    where s.momento_solicitacao is not null
),

idas_e_voltas as (
    -- Returns and re-sendings between the entry and the way out; a repeated one changes nothing.
    select
        l.solicitacao_codigo,
        l.momento_laudo as momento,
        case when l.laudo_situacao = 'DEVOLVIDA' then 'devolvida' else 'aguardando' end as estado,
        lag(l.laudo_situacao, 1, 'REENVIADA') over (
            partition by l.solicitacao_codigo order by l.momento_laudo, l.laudo_situacao
        ) as situacao_anterior,
        l.laudo_situacao,
        row_number() over (
            partition by l.solicitacao_codigo order by l.momento_laudo desc, l.laudo_situacao desc
        ) as ordem_inversa
    from laudos as l
    inner join vidas as v on l.solicitacao_codigo = v.solicitacao_codigo
    where
        l.laudo_situacao in ('DEVOLVIDA', 'REENVIADA')
        and v.situacao_grupo <> 'inexistente'
        and l.momento_laudo >= v.momento_solicitacao
        and (v.momento_saida is null or l.momento_laudo <= v.momento_saida)
),

inferidas as (
    -- Criterion 6: what the situation says and no dated entry shows.
    select
        v.solicitacao_codigo,
        greatest(coalesce(v.momento_saida, v.momento_atualizacao), v.momento_solicitacao, u.momento)
            as momento,
        case when u.estado = 'devolvida' then 'aguardando' else 'devolvida' end as estado
    from vidas as v
    left join idas_e_voltas as u
        on v.solicitacao_codigo = u.solicitacao_codigo and u.ordem_inversa = 1
    where
        (
            u.estado = 'devolvida'
            and (
                v.momento_agendada is not null
                or v.encerramento_motivo = 'negada'
                or (v.momento_saida is null and v.situacao_grupo = 'aguardando')
            )
        )
        or (
            coalesce(u.estado, 'aguardando') = 'aguardando'
            and v.momento_saida is null
            and v.situacao_grupo = 'devolvida'
        )
),

transicoes as (
    select
        v.solicitacao_codigo,
        v.momento_solicitacao as momento,
        'aguardando' as estado,
        cast(null as string) as encerramento_motivo,
        0 as etapa
    from vidas as v
    where v.situacao_grupo <> 'inexistente'
    union all
    select
        i.solicitacao_codigo,
        i.momento,
        i.estado,
        cast(null as string) as encerramento_motivo,
        1 as etapa
    from idas_e_voltas as i
    where i.laudo_situacao <> i.situacao_anterior
    union all
    select
        i.solicitacao_codigo,
        i.momento,
        i.estado,
        cast(null as string) as encerramento_motivo,
        2 as etapa
    from inferidas as i
    union all
    select
        v.solicitacao_codigo,
        v.momento_agendada as momento,
        'agendada' as estado,
        cast(null as string) as encerramento_motivo,
        3 as etapa
    from vidas as v
    where v.momento_agendada is not null
    union all
    select
        v.solicitacao_codigo,
        v.momento_encerramento as momento,
        'encerrada' as estado,
        v.encerramento_motivo,
        4 as etapa
    from vidas as v
    where v.momento_encerramento is not null
),

acontecidas as (
    select
        t.*,
        cast(t.momento as date) as data_inicio,
        -- Two entries of one instant: the return comes before the re-sending.
        row_number() over (
            partition by t.solicitacao_codigo order by t.momento asc, t.etapa asc, t.estado desc
        ) as ordem
    from transicoes as t
    where cast(t.momento as date) <= {{ data_referencia() }}
),

final as (
    select
        a.solicitacao_codigo,
        a.ordem,
        a.estado,
        lag(a.estado) over (partition by a.solicitacao_codigo order by a.ordem) as estado_anterior,
        a.encerramento_motivo,
        a.etapa = 2 as eh_inferido,
        a.momento as momento_inicio,
        lead(a.momento) over (partition by a.solicitacao_codigo order by a.ordem) as momento_fim,
        a.data_inicio,
        lead(a.data_inicio) over (partition by a.solicitacao_codigo order by a.ordem) as data_fim
    from acontecidas as a
)

select * from final
