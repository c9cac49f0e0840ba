-- Grain: one row per request and booking made by the end of data_referencia, as the newest version
-- known by then tells it. Rule regra_saida_fila.
with versoes as (
    select * from {{ ref('int_fila__versoes') }}
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

final as (
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
)

select * from final
