-- Grain: rule, executing unit, professional, month ahead. A day of a schedule counts once for each
-- rule, however many overlap it. Rule regra_alertas_da_oferta, criteria 1 and 2; indicator 13.
{% set amanha = add_days(data_referencia(), 1) %}
{% set fim = add_days(data_referencia(), setting('alerta_horizonte_dias')) %}

with escalas as (
    select * from {{ ref('int_oferta__escalas') }}
),

ativas as (
    select
        e.escala_id,
        e.unidade_executante_cnes,
        e.profissional_id,
        e.dia_semana_numero,
        e.primeira_ocorrencia as primeira_data,
        -- a schedule without end goes on
        coalesce(e.data_vigencia_final, {{ fim }}) as ultima_data,
        e.minuto_inicio,
        e.minuto_fim,
        e.tem_horario,
        {{ slots_of_a_day('e') }} as qtd_vagas
    from escalas as e
    where
        e.eh_vigente
        and e.escala_situacao = 'ATIVA'
        and e.profissional_id is not null
),

pares as (
    select
        a.escala_id,
        a.unidade_executante_cnes,
        a.profissional_id,
        a.primeira_data,
        a.qtd_vagas,
        case
            when a.unidade_executante_cnes = b.unidade_executante_cnes
                then 'sobreposicao_mesma_unidade'
            else 'sobreposicao_outra_unidade'
        end as regra_codigo,
        greatest(a.primeira_data, b.primeira_data, {{ amanha }})
            as inicio_comum,
        least(a.ultima_data, b.ultima_data, {{ fim }}) as fim_comum
    from ativas as a
    inner join ativas as b
        on
            a.profissional_id = b.profissional_id
            and a.dia_semana_numero = b.dia_semana_numero
            and a.minuto_inicio < b.minuto_fim
            and a.minuto_fim > b.minuto_inicio
            and a.escala_id <> b.escala_id
    where a.tem_horario and b.tem_horario
),

dias as (
    select
        p.*,
        -- the first day of the schedule that both share
        {{ explode_days(
            next_weekday('p.inicio_comum', isodow('p.primeira_data')), 'p.fim_comum', 7
        ) }} as data
    from pares as p
    where p.inicio_comum <= p.fim_comum
),

dias_de_escala as (
    select
        d.regra_codigo,
        d.escala_id,
        d.unidade_executante_cnes,
        d.profissional_id,
        d.data,
        d.qtd_vagas
    from dias as d
    group by all
),

-- the whole of which the overlap is a part: every active schedule, with hours or without
programados as (
    select
        a.*,
        {{ explode_days(
            next_weekday('greatest(a.primeira_data, ' ~ amanha ~ ')', isodow('a.primeira_data')),
            'least(a.ultima_data, ' ~ fim ~ ')',
            7
        ) }} as data
    from ativas as a
),

programadas as (
    select
        p.unidade_executante_cnes,
        p.profissional_id,
        {{ competencia('p.data') }} as competencia,
        sum(p.qtd_vagas) as qtd_vagas
    from programados as p
    group by all
),

sobrepostas as (
    select
        d.regra_codigo,
        d.unidade_executante_cnes,
        d.profissional_id,
        {{ competencia('d.data') }} as competencia,
        sum(d.qtd_vagas) as qtd_vagas,
        count(distinct d.escala_id) as qtd_escalas,
        count(distinct d.data) as qtd_dias
    from dias_de_escala as d
    group by all
),

final as (
    select
        -- identificadores
        {{ surrogate_key([
            's.regra_codigo',
            's.unidade_executante_cnes',
            's.profissional_id',
            's.competencia',
        ]) }} as alerta_id,
        s.regra_codigo,
        s.unidade_executante_cnes,
        cast(null as string) as procedimento_codigo,
        s.profissional_id,
        s.competencia,
        -- quantidades
        cast(s.qtd_vagas as bigint) as qtd_vagas,
        -- textos
        concat(
            cast(s.qtd_escalas as string),
            ' escala(s) com horário sobreposto em ',
            cast(s.qtd_dias as string),
            ' dia(s); ',
            coalesce(cast(s.qtd_vagas as string), '?'),
            ' de ',
            coalesce(cast(p.qtd_vagas as string), '?'),
            ' vagas do profissional na unidade'
        ) as evidencia
    from sobrepostas as s
    left join programadas as p
        on
            s.unidade_executante_cnes = p.unidade_executante_cnes
            and s.profissional_id = p.profissional_id
            and s.competencia = p.competencia
)

select * from final
