-- Grain: one row per request and index, pointing at the stored version that speaks for it.
-- Rule regra_estados_solicitacao, criteria 1 and 2. Pointers keep the wide rows where they are.
with solicitacoes as (
    select * from {{ ref('stg_sisreg__solicitacoes_ambulatoriais') }}
),

marcacoes as (
    select * from {{ ref('stg_sisreg__marcacoes_ambulatoriais') }}
),

versoes as (
    select
        'solicitacao' as indice,
        s.solicitacao_codigo,
        s.momento_atualizacao,
        s._carga_id,
        s._arquivo,
        s._linha,
        s._carregado_em
    from solicitacoes as s
    union all
    select
        'marcacao' as indice,
        m.solicitacao_codigo,
        m.momento_atualizacao,
        m._carga_id,
        m._arquivo,
        m._linha,
        m._carregado_em
    from marcacoes as m
),

versoes_ordenadas as (
    -- The source's own clock first: an old extract loaded late must not bring back an old state.
    select
        v.*,
        row_number() over (
            partition by v.indice, v.solicitacao_codigo
            order by
                v.momento_atualizacao desc nulls last,
                v._carregado_em desc,
                v._arquivo desc,
                v._linha desc
        ) as ordem
    from versoes as v
),

final as (
    select
        v.solicitacao_codigo,
        v.indice,
        -- On a tie the booking knows more: 'marcacao' sorts before 'solicitacao'.
        row_number() over (
            partition by v.solicitacao_codigo
            order by v.momento_atualizacao desc nulls last, v.indice asc
        ) as preferencia,
        v.momento_atualizacao,
        v._carga_id,
        v._arquivo,
        v._linha
    from versoes_ordenadas as v
    where v.ordem = 1
)

select * from final
