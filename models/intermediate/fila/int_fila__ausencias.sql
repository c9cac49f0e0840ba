-- Grain: one row per request and instant in which it left every index that had it, or came back.
-- A request that never went missing has no row. Rule regra_desaparecida.
with ausencias as (
    select * from {{ source('controle', 'ausencias') }}
),

cargas as (
    select * from {{ ref('int_calendario__cargas') }}
),

versoes as (
    select * from {{ ref('int_fila__versoes') }}
),

eventos as (
    select
        {{ null_if_blank('a.chave') }} as solicitacao_codigo,
        case
            when a.tabela = 'bruto_sisreg.marcacao_ambulatorial' then 'marcacao' else 'solicitacao'
        end as indice,
        coalesce(c.janela_fim, {{ local_clock('c.iniciada_em') }}) as momento,
        case when a.evento = 'ausente' then -1 else 1 end as saldo
    from ausencias as a
    inner join cargas as c on a.carga_id = c.carga_id
    where
        a.tabela in ('bruto_sisreg.solicitacao_ambulatorial', 'bruto_sisreg.marcacao_ambulatorial')
),

sumidas as (
    select e.solicitacao_codigo
    from eventos as e
    group by e.solicitacao_codigo
),

-- In how many indices the request is, from the first time that each showed it.
movimentos as (
    select
        v.solicitacao_codigo,
        min(v.momento_visto) as momento,
        1 as saldo
    from versoes as v
    inner join sumidas as s on v.solicitacao_codigo = s.solicitacao_codigo
    group by v.solicitacao_codigo, v.indice
    union all
    select
        e.solicitacao_codigo,
        e.momento,
        e.saldo
    from eventos as e
),

instantes as (
    select
        m.solicitacao_codigo,
        m.momento,
        sum(m.saldo) as saldo
    from movimentos as m
    where cast(m.momento as date) <= {{ data_referencia() }}
    group by all
),

presencas as (
    select
        i.solicitacao_codigo,
        i.momento,
        sum(i.saldo) over (partition by i.solicitacao_codigo order by i.momento) <= 0
            as esta_ausente
    from instantes as i
),

comparadas as (
    select
        p.*,
        lag(p.esta_ausente, 1, false) over (
            partition by p.solicitacao_codigo order by p.momento
        ) as estava_ausente
    from presencas as p
),

final as (
    select
        c.solicitacao_codigo,
        c.momento,
        c.esta_ausente
    from comparadas as c
    where c.esta_ausente <> c.estava_ausente
)

select * from final
