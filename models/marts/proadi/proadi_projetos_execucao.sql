-- Grain: project, period (year or total), rule. Rules: regra_proadi_dinheiro and _vigencia.
{% set a, b, c = [
    't.valor_executado_entidade', 't.valor_executado_auditoria', 't.valor_executado_aprovado'
] %}
{% set aprovado, total = 't.valor_aprovado', "t.periodo = 'total'" %}
{% set tres = a ~ ', ' ~ b ~ ', ' ~ c %}
{% set medidas = [
    (
        'M4', 'limite', total,
        'case when t.foi_encerrado then abs(' ~ c ~ ' - ' ~ aprovado ~ ') end', aprovado,
    ),
    (
        'M5', 'falta', total,
        'case when t.foi_encerrado and ' ~ c ~ ' < ' ~ aprovado ~ ' then ' ~ aprovado ~ ' - ' ~ c
        ~ ' when t.foi_encerrado and ' ~ c ~ ' >= ' ~ aprovado ~ ' then 0 end', 'null',
    ),
    ('M9', 'parcela', 'true', '100 * t.valor_indireto / nullif(' ~ aprovado ~ ', 0)', 'null'),
    ('M10', 'execucao', 'true', '100 * ' ~ a ~ ' / nullif(' ~ aprovado ~ ', 0)', 'null'),
    (
        'M11', 'limite', 'true',
        'case when ' ~ a ~ ' + ' ~ b ~ ' + ' ~ c ~ ' is not null then greatest(' ~ tres
        ~ ') - least(' ~ tres ~ ') end', 'null',
    ),
    ('M12', 'exclusao', total ~ ' and t.data_rejeicao is not null', 't.valor_excluido', 'null'),
    ('M14', 'limite', "t.natureza_codigo = 'assistencial'", c, b),
] %}

with projetos as (
    select * from {{ ref('int_proadi__projetos_por_periodo') }}
),

medidas as (
    {{ proadi_measures(
        'projetos', 'projeto_nup', medidas, open=['M4', 'M5', 'M9', 'M10', 'M11', 'M12', 'M14']
    ) }}
),

{{ proadi_judged() }},

final as (
    select
        -- identificadores
        t.projeto_nup,
        t.periodo,
        j.regra_codigo as proadi_regra_codigo,
        t.termo_numero,
        -- datas
        t.exercicio,
        -- categorias
        t.natureza_codigo,
        t.area_codigo,
        t.secretaria_responsavel,
        -- quadro financeiro
        cast(t.valor_previsto as double) as valor_previsto,
        cast(t.valor_aditado as double) as valor_aditado,
        cast(t.valor_aprovado as double) as valor_aprovado,
        cast(t.valor_executado_entidade as double) as valor_executado_entidade,
        cast(t.valor_executado_auditoria as double) as valor_executado_auditoria,
        cast(t.valor_executado_aprovado as double) as valor_executado_aprovado,
        cast(t.valor_aprovado - t.valor_executado_entidade as double) as valor_a_executar,
        -- quadro físico
        cast(t.qtd_metas as bigint) as qtd_metas,
        cast(t.qtd_metas_cumpridas as bigint) as qtd_metas_cumpridas,
        cast(t.qtd_metas_sem_dado as bigint) as qtd_metas_sem_dado,
        {{ proadi_share('t.qtd_metas_cumpridas', 't.qtd_metas - t.qtd_metas_sem_dado') }}
            as pct_fisico,
        {{ proadi_share('t.valor_executado_entidade', 't.valor_aprovado') }} as pct_financeiro,
        {{ proadi_share('t.valor_executado_entidade', 't.valor_aprovado') }}
        - {{ proadi_share('t.qtd_metas_cumpridas', 't.qtd_metas - t.qtd_metas_sem_dado') }}
            as pct_diferenca,
        -- bens
        cast(t.valor_bens as double) as valor_bens,
        cast(t.valor_bens_doados as double) as valor_bens_doados,
        -- regra
        t.foi_excluido,
        {{ proadi_judgement() }},
        -- metadados
        {{ data_referencia() }} as data_referencia
    from julgadas as j
    inner join projetos as t on j.objeto = t.projeto_nup and j.periodo = t.periodo
)

select * from final
