-- Grain: one row per request, situation and instant. A request without entries has no row here and
-- loses nothing: the queue starts from the requests, never from this model.
with documentos as (
    select * from {{ ref('int_fila__documentos') }}
),

laudo_escolhido as (
    -- Rule regra_estados_solicitacao, criterion 2: an empty history is no history.
    select
        d.solicitacao_codigo,
        d.laudo,
        row_number() over (partition by d.solicitacao_codigo order by d.preferencia) as ordem
    from documentos as d
    where {{ array_length('d.laudo') }} > 0
),

entradas as (
    select
        l.solicitacao_codigo,
        {{ explode('l.laudo') }} as entrada
    from laudo_escolhido as l
    where l.ordem = 1
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
        e.momento_laudo,
        cast(count(*) as integer) as qtd_entradas
    from entradas_lidas as e
    where e.laudo_situacao is not null and e.momento_laudo is not null
    group by e.solicitacao_codigo, e.laudo_situacao, e.momento_laudo
)

select * from final
