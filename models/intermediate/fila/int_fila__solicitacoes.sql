-- Grain: one row per request of either ambulatory index, without any direct identifier.
-- Rule regra_estados_solicitacao, criteria 1 to 3: the newest document speaks and what it lacks
-- comes from the other one. The situation is never mixed: its parts mean nothing apart.
with documentos as (
    select * from {{ ref('int_fila__documentos') }}
),

vinculos as (
    select * from {{ ref('int_pessoas__vinculos') }}
),

residencias as (
    select * from {{ ref('int_pessoas__residencias') }}
),

preferidos as (
    select *
    from documentos
    where preferencia = 1
),

outros as (
    select *
    from documentos
    where preferencia = 2
),

reunidas as (
    select
        p.solicitacao_codigo,
        p.indice as indice_preferido,
        coalesce(p.momento_solicitacao, o.momento_solicitacao) as momento_solicitacao,
        coalesce(p.momento_aprovacao, o.momento_aprovacao) as momento_aprovacao,
        coalesce(p.momento_agendamento, o.momento_agendamento) as momento_agendamento,
        coalesce(p.momento_confirmacao, o.momento_confirmacao) as momento_confirmacao,
        coalesce(p.momento_cancelamento, o.momento_cancelamento) as momento_cancelamento,
        coalesce(p.momento_atualizacao, o.momento_atualizacao) as momento_atualizacao,
        case
            when p.situacao_objeto = 'SOLICITACAO INEXISTENTE' then 'inexistente'
            when
                p.situacao_objeto = 'SOLICITACAO'
                and p.situacao_estado in ('PENDENTE', 'REENVIADA')
                then 'aguardando'
            when p.situacao_objeto = 'SOLICITACAO' and p.situacao_estado = 'DEVOLVIDA'
                then 'devolvida'
            when p.situacao_objeto = 'SOLICITACAO' and p.situacao_estado = 'NEGADA'
                then 'negada'
            when p.situacao_objeto = 'SOLICITACAO' and p.situacao_estado = 'CANCELADA'
                then 'cancelada'
            when
                p.situacao_objeto = 'SOLICITACAO'
                and p.situacao_estado in ('AGENDADA', 'AUTORIZADA')
                then 'agendada'
            when
                p.situacao_objeto = 'AGENDAMENTO' and p.situacao_estado = 'PENDENTE CONFIRMACAO'
                then 'agendada'
            when p.situacao_objeto = 'AGENDAMENTO' and p.situacao_estado = 'CONFIRMADO'
                then 'confirmada'
            when p.situacao_objeto = 'AGENDAMENTO' and p.situacao_estado = 'FALTA'
                then 'falta'
            when p.situacao_objeto = 'AGENDAMENTO' and p.situacao_estado = 'CANCELADO'
                then 'agendamento_cancelado'
            else 'indefinida'
        end as situacao_grupo,
        coalesce(p.risco_codigo, o.risco_codigo) as risco_informado,
        coalesce(p.regulacao_tipo, o.regulacao_tipo) as regulacao_tipo,
        coalesce(p.vaga_solicitada_tipo, o.vaga_solicitada_tipo) as vaga_solicitada_tipo,
        coalesce(p.vaga_consumida_tipo, o.vaga_consumida_tipo) as vaga_consumida_tipo,
        coalesce(p.procedimento_solicitado_codigo, o.procedimento_solicitado_codigo)
            as procedimento_solicitado_codigo,
        coalesce(p.procedimento_agendado_codigo, o.procedimento_agendado_codigo)
            as procedimento_agendado_codigo,
        coalesce(p.grupo_codigo, o.grupo_codigo) as grupo_codigo,
        coalesce(p.unidade_solicitante_cnes, o.unidade_solicitante_cnes)
            as unidade_solicitante_cnes,
        coalesce(p.unidade_executante_cnes, o.unidade_executante_cnes) as unidade_executante_cnes,
        coalesce(p.foi_visualizada_regulador, o.foi_visualizada_regulador)
            as foi_visualizada_regulador
    from preferidos as p
    left join outros as o on p.solicitacao_codigo = o.solicitacao_codigo
),

final as (
    select
        r.solicitacao_codigo,
        r.indice_preferido,
        v.pessoa_id,
        v.data_obito as pessoa_data_obito,
        coalesce(v.tem_obito_sem_data, false) as pessoa_tem_obito_sem_data,
        r.momento_solicitacao,
        r.momento_aprovacao,
        r.momento_agendamento,
        r.momento_confirmacao,
        r.momento_cancelamento,
        r.momento_atualizacao,
        r.situacao_grupo,
        case
            when r.risco_informado in ('1', '2', '3', '4') then r.risco_informado
            else 'nao_informado'
        end as risco_codigo,
        r.regulacao_tipo,
        r.vaga_solicitada_tipo,
        r.vaga_consumida_tipo,
        coalesce(
            r.procedimento_solicitado_codigo, r.procedimento_agendado_codigo, 'nao_informado'
        ) as procedimento_codigo,
        coalesce(
            r.procedimento_agendado_codigo, r.procedimento_solicitado_codigo, 'nao_informado'
        ) as procedimento_agendado_codigo,
        r.grupo_codigo,
        r.unidade_solicitante_cnes,
        coalesce(r.unidade_executante_cnes, 'nao_informado') as unidade_executante_cnes,
        r.foi_visualizada_regulador,
        d.regiao_administrativa_numero,
        coalesce(d.regiao_saude_codigo, 'nao_identificada') as regiao_saude_codigo,
        coalesce(d.territorio_evidencia, 'sem_bairro') as territorio_evidencia
    from reunidas as r
    left join vinculos as v on r.solicitacao_codigo = v.solicitacao_codigo
    left join residencias as d on r.solicitacao_codigo = d.solicitacao_codigo
)

select * from final
