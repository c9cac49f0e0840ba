-- Grain: executing unit, procedure, professional. The month after the last complete one against the
-- median of the six complete ones, in robust deviations. A month without slots is zero, a month of
-- unknown quantities is no month. Rule regra_alertas_da_oferta, criteria 4 and 5; indicator 14.
{% set observado = competencia(add_days(data_referencia(), 1)) %}
{% set queda = 'b.mediana - b.qtd_observada' %}

with periodo as (
    select
        {{ observado }} as mes_observado,
        cast({{ observado }} - interval 6 month as date) as primeiro_mes,
        cast({{ observado }} - interval 1 month as date) as ultimo_mes
),

-- a schedule without end is expanded to the reference day only: its next month is unknown
sem_fim as (
    select
        e.unidade_executante_cnes,
        e.procedimento_codigo,
        e.profissional_id,
        count(*) as qtd_escalas
    from {{ ref('int_oferta__escalas') }} as e
    where
        e.eh_vigente
        and e.escala_situacao = 'ATIVA'
        and e.data_vigencia_final is null
    group by all
),

por_mes as (
    select
        v.unidade_executante_cnes,
        v.procedimento_codigo,
        v.profissional_id,
        {{ competencia('v.data') }} as competencia,
        sum(v.qtd_vagas_total) as qtd_vagas
    from {{ ref('int_oferta__vagas_por_dia') }} as v
    cross join periodo as p
    where {{ competencia('v.data') }} between p.primeiro_mes and p.mes_observado
    group by all
),

agendas as (
    select
        m.unidade_executante_cnes,
        m.procedimento_codigo,
        m.profissional_id
    from por_mes as m
    group by all
),

meses as (
    select {{ explode_months('p.primeiro_mes', 'p.mes_observado') }} as competencia
    from periodo as p
),

completos as (
    select
        a.*,
        s.competencia,
        case when m.competencia is null then 0 else m.qtd_vagas end as qtd_vagas
    from agendas as a
    cross join meses as s
    left join por_mes as m
        on
            a.unidade_executante_cnes = m.unidade_executante_cnes
            and a.procedimento_codigo = m.procedimento_codigo
            and a.profissional_id is not distinct from m.profissional_id
            and s.competencia = m.competencia
),

medianas as (
    select
        c.unidade_executante_cnes,
        c.procedimento_codigo,
        c.profissional_id,
        p.mes_observado,
        max(case when c.competencia = p.mes_observado then c.qtd_vagas end) as qtd_observada,
        {{ percentile('case when c.competencia < p.mes_observado then c.qtd_vagas end', 0.5) }}
            as mediana
    from completos as c
    cross join periodo as p
    group by all
),

bases as (
    select
        m.*,
        {{ percentile('abs(c.qtd_vagas - m.mediana)', 0.5) }} as desvio_mediano
    from medianas as m
    inner join completos as c
        on
            m.unidade_executante_cnes = c.unidade_executante_cnes
            and m.procedimento_codigo = c.procedimento_codigo
            and m.profissional_id is not distinct from c.profissional_id
            and m.mes_observado > c.competencia
    group by all
),

final as (
    select
        -- identificadores
        {{ surrogate_key([
            "'queda_de_oferta'",
            'b.unidade_executante_cnes',
            'b.procedimento_codigo',
            'b.profissional_id',
            'b.mes_observado',
        ]) }} as alerta_id,
        case when b.qtd_observada = 0 then 'oferta_desaparecida' else 'queda_de_oferta' end
            as regra_codigo,
        b.unidade_executante_cnes,
        b.procedimento_codigo,
        b.profissional_id,
        b.mes_observado as competencia,
        -- quantidades
        cast(floor({{ queda }}) as bigint) as qtd_vagas,
        -- textos
        concat(
            'mediana de seis meses: ',
            cast(b.mediana as string),
            '; desvio mediano: ',
            cast(b.desvio_mediano as string),
            '; mês observado: ',
            cast(b.qtd_observada as string)
        ) as evidencia
    from bases as b
    left join sem_fim as s
        on
            b.unidade_executante_cnes = s.unidade_executante_cnes
            and b.procedimento_codigo = s.procedimento_codigo
            and b.profissional_id is not distinct from s.profissional_id
    where
        s.qtd_escalas is null
        and b.mediana > 0
        and (
            b.qtd_observada = 0
            or (
                b.desvio_mediano > 0
                and {{ queda }} >= {{ setting('alerta_queda_desvios') }} * 1.4826 * b.desvio_mediano
                and 100 * ({{ queda }}) >= {{ setting('alerta_queda_minima_pct') }} * b.mediana
            )
            or (
                b.desvio_mediano = 0
                and 100 * ({{ queda }})
                >= {{ setting('alerta_queda_sem_variacao_pct') }} * b.mediana
            )
        )
)

select * from final
