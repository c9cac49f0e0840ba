-- Grain: one row per state of a request, in order; each row begins with one transition. Only what
-- had happened by the end of data_referencia is here. Rules regra_estados_solicitacao and
-- regra_desaparecida.
with marcos as (
    select * from {{ ref('int_fila__marcos') }}
),

ausencias as (
    select * from {{ ref('int_fila__ausencias') }}
),

fatos as (
    select
        m.solicitacao_codigo,
        m.momento,
        m.etapa,
        m.origem,
        m.estado,
        m.motivo,
        cast(null as boolean) as esta_ausente
    from marcos as m
    union all
    select
        a.solicitacao_codigo,
        a.momento,
        7 as etapa,
        'ausencia' as origem,
        cast(null as string) as estado,
        cast(null as string) as motivo,
        a.esta_ausente
    from ausencias as a
),

acumulados as (
    select
        f.solicitacao_codigo,
        f.momento,
        f.etapa,
        f.origem,
        {{ last_known('f.estado') }} over (
            partition by f.solicitacao_codigo
            order by f.momento, f.etapa, f.estado, f.motivo, f.origem
            rows between unbounded preceding and current row
        ) as estado,
        {{ last_known('f.motivo') }} over (
            partition by f.solicitacao_codigo
            order by f.momento, f.etapa, f.estado, f.motivo, f.origem
            rows between unbounded preceding and current row
        ) as motivo,
        coalesce({{ last_known('f.esta_ausente') }} over (
            partition by f.solicitacao_codigo
            order by f.momento, f.etapa, f.estado, f.motivo, f.origem
            rows between unbounded preceding and current row
        ), false) as esta_ausente,
        row_number() over (
            partition by f.solicitacao_codigo
            order by f.momento, f.etapa, f.estado, f.motivo, f.origem
        ) as posicao
    from fatos as f
),

-- What the source no longer has is closed, whatever it said before; when it comes back, that holds.
estados as (
    select
        a.solicitacao_codigo,
        a.momento,
        a.posicao,
        a.origem,
        case when a.esta_ausente then 'encerrada' else a.estado end as estado,
        case when a.esta_ausente then 'desaparecida' else nullif(a.motivo, '') end as motivo
    from acumulados as a
    where a.estado is not null
),

comparados as (
    select
        e.*,
        lag(e.estado) over (
            partition by e.solicitacao_codigo order by e.posicao
        ) as estado_de_antes
    from estados as e
),

transicoes as (
    select
        c.solicitacao_codigo,
        c.momento,
        2 * c.posicao as posicao,
        c.estado,
        case
            when c.motivo = 'cancelada' and c.estado_de_antes = 'agendada'
                then 'agendamento_cancelado'
            else c.motivo
        end as encerramento_motivo,
        c.origem = 'situacao' as eh_inferido
    from comparados as c
    where c.estado_de_antes is null or c.estado <> c.estado_de_antes
    union all
    -- Who was returned and is then booked or denied had been sent again: no dated entry says when.
    select
        c.solicitacao_codigo,
        c.momento,
        2 * c.posicao - 1 as posicao,
        'aguardando' as estado,
        cast(null as string) as encerramento_motivo,
        true as eh_inferido
    from comparados as c
    where
        c.estado_de_antes = 'devolvida'
        and (c.estado = 'agendada' or (c.estado = 'encerrada' and c.motivo = 'negada'))
),

final as (
    select
        t.solicitacao_codigo,
        cast(
            row_number() over (partition by t.solicitacao_codigo order by t.posicao) as integer
        ) as ordem,
        t.estado,
        t.encerramento_motivo,
        {%- for funcao, sufixo in [('lag', 'anterior'), ('lead', 'seguinte')] %}
        {{ funcao }}(t.estado) over (
            partition by t.solicitacao_codigo order by t.posicao
        ) as estado_{{ sufixo }},
        {{ funcao }}(t.encerramento_motivo) over (
            partition by t.solicitacao_codigo order by t.posicao
        ) as motivo_{{ sufixo }},
        {%- endfor %}
        t.eh_inferido,
        t.momento as momento_inicio,
        lead(t.momento) over (partition by t.solicitacao_codigo order by t.posicao) as momento_fim,
        cast(t.momento as date) as data_inicio,
        cast(
            lead(t.momento) over (partition by t.solicitacao_codigo order by t.posicao) as date
        ) as data_fim
    from transicoes as t
)

select * from final
