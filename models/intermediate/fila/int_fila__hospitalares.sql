-- Grain: one row per request for admission, as it was known at the end of data_referencia. The list
-- of situations is published nowhere: what we cannot read is unknown. Rule regra_fila_hospitalar.
with documentos as (
    select
        s.*,
        coalesce(s.momento_atualizacao, {{ local_clock('s._carregado_em') }}) as momento_versao
    from {{ ref('stg_sisreg__solicitacoes_hospitalares') }} as s
    where
        s.solicitacao_codigo is not null
        and cast(s.momento_solicitacao as date) <= {{ data_referencia() }}
),

-- What nothing better is known for stands, though it changed later.
ordenados as (
    select
        d.*,
        row_number() over (
            partition by d.solicitacao_codigo
            order by
                case when cast(d.momento_versao as date) <= {{ data_referencia() }} then 0 else 1 end,
                case
                    when cast(d.momento_versao as date) <= {{ data_referencia() }}
                        then d.momento_versao
                end desc,
                d.momento_versao asc,
                d._carga_ordem desc,
                d._arquivo desc,
                d._linha desc
        ) as ordem
    from documentos as d
),

lidos as (
    select
        o.solicitacao_codigo,
        cast(o.momento_solicitacao as date) as data_solicitacao,
        coalesce(o.carater, 'nao_informado') as carater,
        coalesce(upper(trim(o.clinica_nome)), 'nao_informado') as clinica_nome,
        case when o.data_internacao <= {{ data_referencia() }} then o.data_internacao end
            as data_internacao,
        case when o.data_alta <= {{ data_referencia() }} then o.data_alta end as data_alta,
        case
            when cast(o.momento_versao as date) <= {{ data_referencia() }}
                then cast(o.momento_versao as date)
        end as data_versao,
        o.internacao_situacao
    from ordenados as o
    where o.ordem = 1
),

final as (
    select
        l.solicitacao_codigo,
        l.data_solicitacao,
        l.carater,
        l.clinica_nome,
        l.data_internacao,
        case
            when l.data_internacao is not null then 'internada'
            when l.data_alta is not null then 'sem_internacao'
            when l.data_versao is null then 'aguardando'
            when l.internacao_situacao in ('CANCELADA', 'NEGADA') then 'sem_internacao'
            when l.internacao_situacao in ('PENDENTE', 'AUTORIZADA', 'RESERVADA') then 'aguardando'
            else 'desconhecida'
        end as estado,
        case
            when l.data_internacao is not null
                then greatest(l.data_internacao, l.data_solicitacao)
            when l.data_alta is not null then greatest(l.data_alta, l.data_solicitacao)
            when l.internacao_situacao in ('CANCELADA', 'NEGADA')
                then greatest(l.data_versao, l.data_solicitacao)
        end as data_saida
    from lidos as l
)

select * from final
