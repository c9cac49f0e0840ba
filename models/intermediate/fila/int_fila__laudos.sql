-- Grain: one row per request, situation and instant, out of every stored version: what a later
-- version no longer tells did happen. A request without entries has no row here and loses nothing.
with entradas as (
    select
        s.solicitacao_codigo,
        s._carregado_em,
        {{ explode('s.laudo') }} as entrada
    from {{ ref('stg_sisreg__solicitacoes_ambulatoriais') }} as s
    where {{ of_known_load('s') }}
    union all
    select
        m.solicitacao_codigo,
        m._carregado_em,
        {{ explode('m.laudo') }} as entrada
    from {{ ref('stg_sisreg__marcacoes_ambulatoriais') }} as m
    where {{ of_known_load('m') }}
),

entradas_lidas as (
    select
        e.solicitacao_codigo,
        {{ normalize_text('e.entrada.situacao') }} as laudo_situacao,
        {{ plausible('e.entrada.data_observacao', 'timestamp') }} as momento_laudo
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
    group by all
)

select * from final
