-- A request dropped between raw and the queue (an empty history, a version chosen twice) would
-- shorten the queue without a trace. Each code of the two indices that was asked for, or booked, by
-- the day described is exactly one request, and no booking made by then is lost.
with documentos as (
    select
        s.solicitacao_codigo,
        cast(null as string) as marcacao_codigo,
        coalesce(s.momento_solicitacao, s.momento_atualizacao) as momento,
        cast(null as timestamp) as momento_aprovacao
    from {{ ref('stg_sisreg__solicitacoes_ambulatoriais') }} as s
    union all
    select
        m.solicitacao_codigo,
        case
            when m.situacao_objeto = 'AGENDAMENTO' and m.momento_agendamento is not null
                then m.solicitacao_codigo || '|' || m.marcacao_codigo
        end as marcacao_codigo,
        coalesce(m.momento_solicitacao, m.momento_aprovacao, m.momento_atualizacao) as momento,
        greatest(m.momento_aprovacao, m.momento_solicitacao) as momento_aprovacao
    from {{ ref('stg_sisreg__marcacoes_ambulatoriais') }} as m
),

brutos as (
    select
        count(distinct d.solicitacao_codigo) as qtd,
        count(
            distinct case
                when cast(d.momento_aprovacao as date) <= {{ data_referencia() }}
                    then d.marcacao_codigo
            end
        ) as qtd_marcacoes
    from documentos as d
    where cast(d.momento as date) <= {{ data_referencia() }}
),

pedidos as (
    select count(*) as qtd from {{ ref('int_fila__solicitacoes') }}
),

marcacoes as (
    select count(*) as qtd
    from {{ ref('int_fila__agendamentos') }}
    where marcacao_codigo <> 'nao_informado'
)

select
    b.qtd as qtd_brutos,
    p.qtd as qtd_pedidos,
    b.qtd_marcacoes as qtd_marcacoes_brutas,
    m.qtd as qtd_marcacoes
from brutos as b
cross join pedidos as p
cross join marcacoes as m
where b.qtd <> p.qtd or b.qtd_marcacoes > m.qtd
