-- Grain: one row per request, situation and instant, out of every stored version: what a later
-- version no longer tells did happen. A request without entries has no row here and loses nothing.
with entradas as (
    select
        s.solicitacao_codigo,
        {{ explode('s.laudo') }} as entrada
    from {{ ref('stg_sisreg__solicitacoes_ambulatoriais') }} as s
    union all
    select
        m.solicitacao_codigo,
        {{ explode('m.laudo') }} as entrada
    from {{ ref('stg_sisreg__marcacoes_ambulatoriais') }} as m
),

entradas_lidas as (
    select
        e.solicitacao_codigo,
        {{ normalize_text('e.entrada.situacao') }} as laudo_situacao,
        {{ local_timestamp('e.entrada.data_observacao') }} as momento_laudo
    from entradas as e
),

final as (
    select
        e.solicitacao_codigo,
        e.laudo_situacao,
        e.momento_laudo
    from entradas_lidas as e
    where
        e.laudo_situacao is not null
        and cast(e.momento_laudo as date) <= {{ data_referencia() }}
    group by e.solicitacao_codigo, e.laudo_situacao, e.momento_laudo
)

select * from final
