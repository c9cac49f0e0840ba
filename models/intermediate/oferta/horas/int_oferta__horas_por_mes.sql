-- Grain: complete month, executing unit, professional. Hours of the schedules beside those of the
-- contracts; a contract holds until the unit's next register, for some months at most. Rule
-- regra_horas_da_oferta; indicator 11.
{% set minutos = ['minutos_programados', 'minutos_em_feriado', 'minutos_do_bloco'] %}

with contratos as (
    select * from {{ ref('int_oferta__contratos') }}
),

dias_uteis as (
    select * from {{ ref('int_oferta__dias_uteis') }}
),

ofertados as (
    select
        m.competencia,
        m.unidade_executante_cnes,
        m.profissional_id,
        {% for medida in minutos %}
        cast(case when count(*) = count(m.{{ medida }}) then sum(m.{{ medida }}) end as bigint)
            as {{ medida }},
        {% endfor %}
        cast(sum(m.qtd_vagas_total) as bigint) as qtd_vagas_total,
        cast(sum(m.qtd_vagas_em_feriado) as bigint) as qtd_vagas_em_feriado
    from {{ ref('int_oferta__minutos_por_mes') }} as m
    where m.competencia <= {{ last_complete_month() }}
    group by all
),

-- who works where nothing is offered through SISREG is no part of the offer
unidades as (
    select o.unidade_executante_cnes
    from ofertados as o
    group by o.unidade_executante_cnes
),

cadastros as (
    select
        c.unidade_cnes,
        c.competencia,
        lead(c.competencia) over (partition by c.unidade_cnes order by c.competencia) as proxima
    from contratos as c
    inner join unidades as u on c.unidade_cnes = u.unidade_executante_cnes
    group by c.unidade_cnes, c.competencia
),

coberturas as (
    select
        c.unidade_cnes,
        c.competencia as contrato_competencia,
        {{ explode_months('c.competencia', 'least(' ~ last_complete_month() ~ ', '
            ~ add_months('c.competencia', setting('contrato_validade_meses') - 1) ~ ', coalesce('
            ~ add_months('c.proxima', -1) ~ ", cast('9999-12-01' as date)))") }} as competencia
    from cadastros as c
),

contratados as (
    select
        k.competencia,
        k.unidade_cnes,
        c.profissional_id,
        c.qtd_contratos,
        c.qtd_horas_semanais
    from coberturas as k
    inner join contratos as c
        on k.unidade_cnes = c.unidade_cnes and k.contrato_competencia = c.competencia
),

reunidos as (
    select
        coalesce(o.competencia, c.competencia) as competencia,
        coalesce(o.unidade_executante_cnes, c.unidade_cnes) as unidade_executante_cnes,
        coalesce(o.profissional_id, c.profissional_id) as profissional_id,
        o.competencia is not null as tem_escala,
        {% for medida in ['qtd_vagas_total', 'qtd_vagas_em_feriado'] + minutos %}
        case when o.competencia is null then 0 else o.{{ medida }} end as {{ medida }},
        {% endfor %}
        c.qtd_contratos,
        c.qtd_horas_semanais
    from ofertados as o
    full outer join contratados as c
        on
            o.competencia = c.competencia
            and o.unidade_executante_cnes = c.unidade_cnes
            and o.profissional_id = c.profissional_id
    -- no hours and no schedule: nothing to compare
    where o.competencia is not null or c.qtd_horas_semanais is distinct from 0
),

medidos as (
    select
        r.*,
        k.contrato_competencia,
        coalesce(l.qtd_dias_uteis, g.qtd_dias_uteis) as qtd_dias_uteis,
        r.minutos_programados - r.minutos_em_feriado as minutos_ofertados,
        -- weekly hours × 60 ÷ 5 for each working day: whole minutes
        cast(
            r.qtd_horas_semanais * 12 * coalesce(l.qtd_dias_uteis, g.qtd_dias_uteis) as bigint
        ) as minutos_contratados
    from reunidos as r
    left join coberturas as k
        on r.competencia = k.competencia and r.unidade_executante_cnes = k.unidade_cnes
    left join dias_uteis as g
        on r.competencia = g.competencia and g.unidade_executante_cnes = 'todas'
    left join dias_uteis as l
        on
            r.competencia = l.competencia
            and r.unidade_executante_cnes = l.unidade_executante_cnes
),

final as (
    select
        -- identificadores
        m.competencia,
        m.unidade_executante_cnes,
        m.profissional_id,
        m.contrato_competencia,
        -- categorias
        case
            when m.profissional_id = 'nao_informado' then 'sem_profissional'
            when m.contrato_competencia is null then 'sem_informacao'
            when m.qtd_contratos is null then 'sem_contrato'
            when m.minutos_contratados is null or m.minutos_ofertados is null
                then 'horas_desconhecidas'
            when m.qtd_horas_semanais = 0 then 'contrato_sem_horas'
            when not m.tem_escala then 'sem_escala'
            when
                100 * m.minutos_ofertados > {{ setting('horas_acima_pct') }} * m.minutos_contratados
                then 'acima'
            when
                100 * m.minutos_ofertados
                < {{ setting('horas_abaixo_pct') }} * m.minutos_contratados
                then 'abaixo'
            else 'dentro'
        end as situacao_codigo,
        -- quantidades
        m.qtd_vagas_total,
        m.qtd_vagas_em_feriado,
        m.minutos_programados,
        m.minutos_em_feriado,
        m.minutos_do_bloco,
        m.minutos_ofertados,
        m.qtd_contratos,
        m.qtd_horas_semanais,
        m.qtd_dias_uteis,
        m.minutos_contratados
    from medidos as m
)

select * from final
