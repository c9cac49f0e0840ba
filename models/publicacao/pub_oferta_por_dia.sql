-- Grain: date, executing unit, procedure, kind of slot. No professional and no schedule leave, nor,
-- where few professionals work, what would tell their leaves (regra_divulgacao_afastamentos).
{% set do_afastamento = ['bloqueadas', 'bloqueadas_afastamento_unidade',
    'bloqueadas_afastamento_profissional', 'ativas'] %}

with oferta as (
    select * from {{ ref('oferta_por_dia') }}
),

-- the same for all centrals of a unit
divulgacao as (
    select
        d.competencia,
        d.unidade_executante_cnes,
        d.procedimento_codigo,
        max(d.divulgacao) as divulgacao
    from {{ ref('int_oferta__divulgacao') }} as d
    group by
        d.competencia,
        d.unidade_executante_cnes,
        d.procedimento_codigo
),

vagas as (
    select
        o.data,
        o.competencia,
        o.unidade_executante_cnes,
        o.procedimento_codigo,
        o.vaga_tipo,
        cast(sum(o.qtd_vagas_total) as bigint) as qtd_vagas_total,
        cast(sum(o.qtd_vagas_bloqueadas_feriado) as bigint) as qtd_vagas_bloqueadas_feriado,
        {% for medida in do_afastamento %}
        cast(sum(o.qtd_vagas_{{ medida }}) as bigint) as qtd_vagas_{{ medida }},
        {% endfor %}
        cast(sum(case when o.qtd_vagas_total is null then 1 else 0 end) as bigint)
            as qtd_escalas_sem_quantidade
    from oferta as o
    group by
        o.data,
        o.competencia,
        o.unidade_executante_cnes,
        o.procedimento_codigo,
        o.vaga_tipo
),

final as (
    select
        -- identificadores
        v.data,
        v.competencia,
        v.unidade_executante_cnes,
        v.procedimento_codigo,
        -- categorias
        v.vaga_tipo,
        d.divulgacao,
        -- quantidades
        v.qtd_vagas_total,
        v.qtd_vagas_bloqueadas_feriado,
        {% for medida in do_afastamento %}
        case when d.divulgacao = 'por_dia' then v.qtd_vagas_{{ medida }} end
            as qtd_vagas_{{ medida }},
        {% endfor %}
        v.qtd_escalas_sem_quantidade
    from vagas as v
    left join divulgacao as d
        on
            v.competencia = d.competencia
            and v.unidade_executante_cnes = d.unidade_executante_cnes
            and v.procedimento_codigo = d.procedimento_codigo
)

select * from final
