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
        and {{ of_known_load('s') }}
),

versoes as (
    select
        d.*,
        cast(d.momento_versao as date) <= {{ data_referencia() }} as eh_conhecido
    from documentos as d
),

-- What nothing better is known for stands, though it changed later.
ordenados as (
    select
        d.*,
        row_number() over (
            partition by d.solicitacao_codigo
            order by
                d.eh_conhecido desc,
                case when d.eh_conhecido then d.momento_versao end desc,
                d.momento_versao asc,
                d._carga_ordem desc,
                d._arquivo desc,
                d._linha desc
        ) as ordem
    from versoes as d
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
        case when o.eh_conhecido then cast(o.momento_versao as date) end as data_versao,
        o.internacao_situacao
    from ordenados as o
    where o.ordem = 1
),

situados as (
    select
        l.*,
        case
            when l.data_internacao is not null then 'internada'
            when l.data_alta is not null then 'sem_internacao'
            when l.data_versao is null then 'aguardando'
            when l.internacao_situacao in ('CANCELADA', 'NEGADA') then 'sem_internacao'
            when l.internacao_situacao in ('PENDENTE', 'AUTORIZADA', 'RESERVADA') then 'aguardando'
            else 'desconhecida'
        end as estado
    from lidos as l
),

final as (
    select
        s.solicitacao_codigo,
        s.data_solicitacao,
        s.carater,
        s.clinica_nome,
        s.data_internacao,
        s.estado,
        -- Nothing ends before it began.
        case
            when s.estado in ('internada', 'sem_internacao')
                then greatest(
                    coalesce(s.data_internacao, s.data_alta, s.data_versao), s.data_solicitacao
                )
        end as data_saida
    from situados as s
)

select * from final
