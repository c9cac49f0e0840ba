{# The notice with which slots are taken back: indicator 16. #}

{# CTEs, the last of them `final`: by month and executing unit, slots known so many days ahead and gone
   on their date, by the group of causes of the loss. Of the losses of a slot with less notice, newest
   first, as many count as it lacks at the end (regra_retiradas). `measure`: which slots, `vagas`
   (active) or `programadas` (scheduled outside holidays, whoever is away); `groups`: of causes, in
   the order of the columns; `share`: name of the percentage. #}
{% macro withdrawals(measure, groups, share) -%}
{%- set aviso = setting('retirada_aviso_dias') -%}
{%- set vaga = (
    'd.escala_codigo, d.data, d.vaga_tipo, d.unidade_executante_cnes, d.procedimento_codigo'
) -%}
diario as (
    select * from {{ ref('int_oferta__diario_vagas') }}
),

com_aviso as (
    select * from {{ ref('int_oferta__vagas_com_aviso') }}
),

oferta as (
    select * from {{ ref('int_oferta__por_mes') }}
),

periodo as (
    select
        {{ competencia('min(v.primeiro_dia)') }} as primeiro_mes,
        {{ add_days('min(v.primeiro_dia)', aviso) }} as primeiro_coberto
    from {{ ref('int_oferta__versoes_dias') }} as v
),

-- with less notice, newest first
movimentos as (
    select
        {{ competencia('d.data') }} as competencia,
        d.unidade_executante_cnes,
        case
            when d.diario_causa in ('expirada', 'inativada', 'excluida', 'desaparecida')
                then 'fim_da_escala'
            when d.diario_causa like 'afastamento_%' or d.diario_causa = 'feriado'
                then d.diario_causa
            else 'mudanca_da_escala'
        end as grupo,
        d.qtd_{{ measure }}_perdidas as qtd_perdidas,
        sum(d.qtd_{{ measure }}_perdidas - d.qtd_{{ measure }}_ganhas)
            over (partition by {{ vaga }}) as qtd_falta,
        coalesce(
            sum(d.qtd_{{ measure }}_perdidas) over (
                partition by {{ vaga }}
                order by d.visto_em desc, d.passo desc
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as qtd_ja_contada
    from diario as d
    where
        d.data < {{ add_days('d.visto_em', aviso) }}
        and d.data <= {{ data_referencia() }}
),

retiradas as (
    select
        m.competencia,
        m.unidade_executante_cnes,
        {% for grupo in groups %}
        sum(
            case
                when m.grupo = '{{ grupo }}'
                    then greatest(least(m.qtd_perdidas, m.qtd_falta - m.qtd_ja_contada), 0)
                else 0
            end
        ) as qtd_{{ grupo }},
        {% endfor %}
        sum(greatest(least(m.qtd_perdidas, m.qtd_falta - m.qtd_ja_contada), 0))
            as qtd_retiradas
    from movimentos as m
    group by all
),

chaves as (
    select
        o.competencia,
        o.unidade_executante_cnes
    from oferta as o
    cross join periodo as p
    where
        o.competencia >= p.primeiro_mes
        and o.competencia <= {{ data_referencia() }}

    union

    select
        c.competencia,
        c.unidade_executante_cnes
    from com_aviso as c
),

final as (
    select
        -- identificadores
        k.competencia,
        k.unidade_executante_cnes,
        -- quantidades
        case
            when k.competencia < p.primeiro_coberto then null
            when c.competencia is null then 0
            else c.qtd_{{ measure }}_conhecidas
        end as qtd_{{ measure }}_conhecidas,
        {% for grupo in ['retiradas'] + groups %}
        case
            when k.competencia >= p.primeiro_coberto
                then cast(coalesce(r.qtd_{{ grupo }}, 0) as bigint)
        end as qtd_{{ measure }}_{{ 'retiradas' if grupo == 'retiradas' else 'retiradas_' ~ grupo }},
        {% endfor %}
        case
            when k.competencia >= p.primeiro_coberto
                then {{ percentage('coalesce(r.qtd_retiradas, 0)', 'c.qtd_' ~ measure ~ '_conhecidas') }}
        end as pct_{{ share }}
    from chaves as k
    cross join periodo as p
    left join com_aviso as c
        on
            k.competencia = c.competencia
            and k.unidade_executante_cnes = c.unidade_executante_cnes
    left join retiradas as r
        on
            k.competencia = r.competencia
            and k.unidade_executante_cnes = r.unidade_executante_cnes
)
{%- endmacro %}
