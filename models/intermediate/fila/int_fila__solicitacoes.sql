-- Grain: one row per request of either ambulatory index, as it stood at the end of data_referencia,
-- without any direct identifier. Rules regra_versao_vigente and regra_estados_solicitacao.
with vigencias as (
    select * from {{ ref('int_fila__vigencias') }}
),

vinculos as (
    select * from {{ ref('int_pessoas__identidade') }}
),

residencias as (
    select * from {{ ref('int_pessoas__residencias') }}
),

nascidas as (
    select
        v.solicitacao_codigo,
        v.situacao_grupo
    from vigencias as v
    where v.vigencia = 1
),

final as (
    select
        v.solicitacao_codigo,
        v.indice_preferido,
        p.pessoa_id,
        p.data_obito as pessoa_data_obito,
        coalesce(p.tem_obito_sem_data, false) as pessoa_tem_obito_sem_data,
        v.momento_solicitacao,
        v.momento_atualizacao,
        v.situacao_grupo,
        coalesce(n.situacao_grupo = 'inexistente', false) as nasceu_inexistente,
        {{ request_risk('v') }} as risco_codigo,
        v.regulacao_tipo,
        v.vaga_solicitada_tipo,
        {{ request_procedure('v') }} as procedimento_codigo,
        v.grupo_codigo,
        v.unidade_solicitante_cnes,
        v.foi_visualizada_regulador,
        r.area_numero,
        coalesce(r.regiao_saude_codigo, 'nao_identificada') as regiao_saude_codigo,
        coalesce(r.territorio_evidencia, 'sem_bairro') as territorio_evidencia
    from vigencias as v
    left join nascidas as n on v.solicitacao_codigo = n.solicitacao_codigo
    left join vinculos as p on v.solicitacao_codigo = p.solicitacao_codigo
    left join residencias as r
        on v.solicitacao_codigo = r.solicitacao_codigo and v.vigencia = r.vigencia
    where v.eh_ultima
)

select * from final
