-- Grain: term, period, rule. The mart as it is: it names no person and holds no free text.
with proadi as (
    select * from {{ ref('proadi_termos_saldo') }}
),

final as (
    select
        p.termo_numero,
        p.periodo,
        p.proadi_regra_codigo,
        p.entidade_cnpj,
        p.entidade_nome,
        p.exercicio,
        p.valor_isencao_estimada,
        p.valor_isencao_usufruida,
        p.valor_aprovado,
        p.valor_executado_apoio,
        p.valor_executado_assistencial,
        p.valor_executado,
        p.qtd_exercicios_encerrados,
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
