-- Grain: project, period, rule. The mart as it is: it names no person and holds no free text.
with proadi as (
    select * from {{ ref('proadi_projetos_execucao') }}
),

final as (
    select
        p.projeto_nup,
        p.periodo,
        p.proadi_regra_codigo,
        p.termo_numero,
        p.exercicio,
        p.natureza_codigo,
        p.area_codigo,
        p.secretaria_responsavel,
        p.valor_previsto,
        p.valor_aditado,
        p.valor_aprovado,
        p.valor_executado_entidade,
        p.valor_executado_auditoria,
        p.valor_executado_aprovado,
        p.valor_a_executar,
        p.qtd_metas,
        p.qtd_metas_cumpridas,
        p.qtd_metas_sem_dado,
        p.pct_fisico,
        p.pct_financeiro,
        p.pct_diferenca,
        p.valor_bens,
        p.valor_bens_doados,
        p.foi_excluido,
        p.valor_medido,
        p.valor_limite,
        p.valor_distancia,
        p.unidade_codigo,
        p.regra_situacao_codigo,
        p.norma,
        p.dispositivo,
        p.base_legal_em_vigor,
        p.foi_vigente_no_fato,
        p.data_referencia
    from proadi as p
)

select * from final
