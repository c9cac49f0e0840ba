-- Grain: term, period (year or total), rule. Rules: regra_proadi_dinheiro, regra_proadi_vigencia.
{% set executado, isencao = 't.valor_executado', 't.valor_isencao_usufruida' %}
{% set total, exercicio = "t.periodo = 'total'", "t.periodo <> 'total'" %}
{% set medidas = [
    ('M1', 'limite', total, 't.valor_aprovado', 't.valor_isencao_estimada'),
    ('M2', 'limite', total, executado, isencao),
    (
        'M3', 'excedente', total,
        'case when ' ~ executado ~ ' > ' ~ isencao ~ ' then ' ~ executado ~ ' - ' ~ isencao
        ~ ' when ' ~ executado ~ ' <= ' ~ isencao ~ ' then 0 end', 'null',
    ),
    ('M6', 'limite', 'true', 't.valor_executado_assistencial', isencao),
    ('M7', 'limite', exercicio, executado, isencao),
    ('M8', 'limite', exercicio, 't.valor_executado_apoio', isencao),
    ('M8', 'exercicios_abaixo', total, 'null', 'null'),
    ('M13', 'limite', total, 't.valor_fora_do_trienio', 'null'),
] %}

with termos as (
    select * from {{ ref('int_proadi__termos_por_periodo') }}
),

entidades as (
    select * from {{ proadi_current('stg_proadi__entidades', 'entidade') }}
),

medidas as (
    {{ proadi_measures('termos', 'termo_numero', medidas, 't.exercicio_ordem', ['M1', 'M13']) }}
),

{{ proadi_judged('termos') }},

final as (
    select
        -- identificadores
        t.termo_numero,
        t.periodo,
        j.regra_codigo as proadi_regra_codigo,
        t.entidade_cnpj,
        e.entidade_nome,
        -- datas
        t.exercicio,
        -- saldos
        cast(t.valor_isencao_estimada as double) as valor_isencao_estimada,
        cast(t.valor_isencao_usufruida as double) as valor_isencao_usufruida,
        cast(t.valor_aprovado as double) as valor_aprovado,
        cast(t.valor_executado_apoio as double) as valor_executado_apoio,
        cast(t.valor_executado_assistencial as double) as valor_executado_assistencial,
        cast(t.valor_executado as double) as valor_executado,
        cast(t.qtd_exercicios_encerrados as bigint) as qtd_exercicios_encerrados,
        -- regra
        {{ proadi_judgement() }},
        -- metadados
        {{ data_referencia() }} as data_referencia
    from julgadas as j
    inner join termos as t on j.objeto = t.termo_numero and j.periodo = t.periodo
    left join entidades as e on t.entidade_cnpj = e.entidade_cnpj
)

select * from final
