-- Grain: month of the appointment, executing unit, procedure of the agenda, kind of slot. A freed
-- slot counts as used again when a later booking of the same day, agenda and kind can be paired
-- with it. What a member has in the agenda of its group counts there and is told beside the member.
{% set vaga = 'unidade_executante_cnes, procedimento_codigo, vaga_tipo' %}

with marcacoes as (
    select * from {{ ref('int_oferta__marcacoes_por_agenda') }}
),

linhas as (
    select
        m.competencia,
        m.unidade_executante_cnes,
        m.procedimento_codigo,
        m.vaga_tipo,
        m.marcacao_destino,
        0 as desviada
    from marcacoes as m

    union all

    select
        m.competencia,
        m.unidade_executante_cnes,
        m.procedimento_marcado_codigo as procedimento_codigo,
        m.vaga_tipo,
        cast(null as string) as marcacao_destino,
        1 as desviada
    from marcacoes as m
    where m.tem_agenda_de_grupo and m.marcacao_destino <> 'liberada'
),

movimentos as (
    select
        m.competencia,
        m.unidade_executante_cnes,
        m.procedimento_codigo,
        m.vaga_tipo,
        m.data_atendimento,
        m.momento_liberacao as momento,
        1 as saldo
    from marcacoes as m
    where m.momento_liberacao is not null

    union all

    select
        m.competencia,
        m.unidade_executante_cnes,
        m.procedimento_codigo,
        m.vaga_tipo,
        m.data_atendimento,
        m.momento_marcacao as momento,
        -1 as saldo
    from marcacoes as m
    where m.momento_marcacao is not null
),

-- from the last movement of the day to the first: slots freed since then, less bookings since then
acumulados as (
    select
        v.competencia,
        v.unidade_executante_cnes,
        v.procedimento_codigo,
        v.vaga_tipo,
        v.data_atendimento,
        sum(v.saldo) over (
            partition by {{ vaga }}, data_atendimento
            -- of one instant the release comes first: that booking was not made after it
            order by v.momento desc, v.saldo desc
            rows between unbounded preceding and current row
        ) as saldo_desde_entao
    from movimentos as v
),

-- what no later booking can be paired with is the greatest excess of releases over bookings
sobras_por_dia as (
    select
        a.competencia,
        a.unidade_executante_cnes,
        a.procedimento_codigo,
        a.vaga_tipo,
        a.data_atendimento,
        greatest(max(a.saldo_desde_entao), 0) as qtd_sem_reuso
    from acumulados as a
    group by all
),

sobras as (
    select
        d.competencia,
        d.unidade_executante_cnes,
        d.procedimento_codigo,
        d.vaga_tipo,
        sum(d.qtd_sem_reuso) as qtd_sem_reuso
    from sobras_por_dia as d
    group by all
),

contagens as (
    select
        m.competencia,
        m.unidade_executante_cnes,
        m.procedimento_codigo,
        m.vaga_tipo,
        {% for destino, medida in [
            ('confirmada', 'atendidas'),
            ('falta', 'faltas'),
            ('sem_confirmacao', 'sem_confirmacao'),
            ('cancelada_tarde', 'canceladas_tarde'),
            ('futura', 'futuras'),
        ] %}
        cast(sum(case when m.marcacao_destino = '{{ destino }}' then 1 else 0 end) as bigint)
            as qtd_{{ medida }},
        {% endfor %}
        cast(sum(case when m.marcacao_destino = 'liberada' then 1 else 0 end) as bigint)
            as qtd_liberadas,
        cast(sum(m.desviada) as bigint) as qtd_na_agenda_do_grupo
    from linhas as m
    group by all
),

final as (
    select
        -- identificadores
        c.competencia,
        c.unidade_executante_cnes,
        c.procedimento_codigo,
        c.vaga_tipo,
        -- quantidades
        c.qtd_atendidas + c.qtd_faltas + c.qtd_sem_confirmacao + c.qtd_canceladas_tarde
        + c.qtd_futuras as qtd_marcadas,
        c.qtd_atendidas,
        c.qtd_faltas,
        c.qtd_sem_confirmacao,
        c.qtd_canceladas_tarde,
        c.qtd_futuras,
        c.qtd_na_agenda_do_grupo,
        c.qtd_liberadas,
        cast(c.qtd_liberadas - coalesce(s.qtd_sem_reuso, 0) as bigint) as qtd_reaproveitadas
    from contagens as c
    left join sobras as s
        on
            c.competencia = s.competencia
            and c.unidade_executante_cnes = s.unidade_executante_cnes
            and c.procedimento_codigo = s.procedimento_codigo
            and c.vaga_tipo = s.vaga_tipo
)

select * from final
