-- Grain: rule and what it is about (unit, procedure, professional, month). Rule
-- regra_alertas_da_oferta: every alert bears its severity, its evidence and the slots at stake.
with sobreposicao as (
    select * from {{ ref('int_oferta__alertas_sobreposicao') }}
),

vencimento as (
    select * from {{ ref('int_oferta__alertas_vencimento') }}
),

queda as (
    select * from {{ ref('int_oferta__alertas_queda') }}
),

fila_sem_oferta as (
    select * from {{ ref('int_oferta__alertas_fila_sem_oferta') }}
),

sem_marcacao as (
    select * from {{ ref('int_oferta__alertas_sem_marcacao') }}
),

horas as (
    select * from {{ ref('int_oferta__alertas_horas') }}
),

alertas as (
    {% for regra in
        ['sobreposicao', 'vencimento', 'queda', 'fila_sem_oferta', 'sem_marcacao', 'horas'] %}
    select
        r.alerta_id,
        r.regra_codigo,
        r.unidade_executante_cnes,
        r.procedimento_codigo,
        r.profissional_id,
        r.competencia,
        r.qtd_vagas,
        r.evidencia
    from {{ regra }} as r
    {% if not loop.last %}

    union all
    {% endif %}
    {% endfor %}
),

final as (
    select
        -- identificadores
        a.alerta_id,
        a.unidade_executante_cnes,
        a.procedimento_codigo,
        a.profissional_id,
        -- datas
        {{ data_referencia() }} as data_referencia,
        a.competencia,
        -- categorias
        a.regra_codigo,
        case
            when
                a.regra_codigo
                in ('sobreposicao_outra_unidade', 'oferta_desaparecida', 'fila_sem_oferta')
                then 'alta'
            when
                a.regra_codigo in ('sobreposicao_mesma_unidade', 'horas_abaixo_do_contrato')
                then 'baixa'
            else 'media'
        end as gravidade_codigo,
        -- quantidades
        a.qtd_vagas,
        -- textos
        a.evidencia
    from alertas as a
)

select * from final
