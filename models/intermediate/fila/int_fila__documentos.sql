-- Grain: one row per request and index, in one shape for both indices and without any identifier.
-- Rule regra_estados_solicitacao, criterion 1.
with versoes as (
    select * from {{ ref('int_fila__versoes_correntes') }}
),

solicitacoes as (
    select * from {{ ref('stg_sisreg__solicitacoes_ambulatoriais') }}
),

marcacoes as (
    select * from {{ ref('stg_sisreg__marcacoes_ambulatoriais') }}
),

documentos_de_solicitacao as (
    select
        v.solicitacao_codigo,
        v.indice,
        v.preferencia,
        s.momento_solicitacao,
        cast(null as timestamp) as momento_aprovacao,
        cast(null as timestamp) as momento_agendamento,
        cast(null as timestamp) as momento_confirmacao,
        s.momento_atualizacao,
        s.momento_cancelamento,
        s.situacao_objeto,
        s.situacao_estado,
        s.risco_codigo,
        s.regulacao_tipo,
        s.vaga_solicitada_tipo,
        cast(null as string) as vaga_consumida_tipo,
        s.procedimento_codigo as procedimento_solicitado_codigo,
        cast(null as string) as procedimento_agendado_codigo,
        s.grupo_codigo,
        s.unidade_solicitante_cnes,
        cast(null as string) as unidade_executante_cnes,
        s.foi_visualizada_regulador,
        s.laudo
    from versoes as v
    inner join solicitacoes as s
        on
            v._carga_id = s._carga_id
            and v._arquivo = s._arquivo
            and v._linha = s._linha
    where v.indice = 'solicitacao'
),

documentos_de_marcacao as (
    select
        v.solicitacao_codigo,
        v.indice,
        v.preferencia,
        m.momento_solicitacao,
        m.momento_aprovacao,
        m.momento_agendamento,
        m.momento_confirmacao,
        m.momento_atualizacao,
        m.momento_cancelamento,
        m.situacao_objeto,
        m.situacao_estado,
        m.risco_codigo,
        m.regulacao_tipo,
        m.vaga_solicitada_tipo,
        m.vaga_consumida_tipo,
        cast(null as string) as procedimento_solicitado_codigo,
        m.procedimento_codigo as procedimento_agendado_codigo,
        m.grupo_codigo,
        m.unidade_solicitante_cnes,
        m.unidade_executante_cnes,
        m.foi_visualizada_regulador,
        m.laudo
    from versoes as v
    inner join marcacoes as m
        on
            v._carga_id = m._carga_id
            and v._arquivo = m._arquivo
            and v._linha = m._linha
    where v.indice = 'marcacao'
),

final as (
    select * from documentos_de_solicitacao
    union all
    select * from documentos_de_marcacao
)

select * from final
