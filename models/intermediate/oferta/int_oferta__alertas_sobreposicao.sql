-- Grain: rule, executing unit, professional, month ahead. A day of a schedule counts once for each
-- rule, however many overlap it. Rule regra_alertas_da_oferta, criteria 1 and 2; indicator 13.
{% set fim = add_days(data_referencia(), var('alerta_horizonte_dias')) %}

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
        {{ slots_of_a_day('e') }} as qtd_vagas
    from escalas as e
    where
        e.eh_vigente
        and e.escala_situacao = 'ATIVA'
        and e.tem_horario
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
        greatest(a.primeira_data, b.primeira_data, {{ add_days(data_referencia(), 1) }})
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
),

dias as (
    select
        p.regra_codigo,
        p.escala_id,
        p.unidade_executante_cnes,
        p.profissional_id,
        p.qtd_vagas,
        -- the first day of the schedule that both share
        {{ explode_days(
            add_days('p.primeira_data', '7 * ' ~ ceil_div(
                days_between('p.primeira_data', 'p.inicio_comum'), 7
            )),
            'p.fim_comum',
            7
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
        max(d.qtd_vagas) as qtd_vagas
    from dias as d
    group by
        d.regra_codigo,
        d.escala_id,
        d.unidade_executante_cnes,
        d.profissional_id,
        d.data
),

final as (
    select
        -- identificadores
        {{ surrogate_key([
            'd.regra_codigo',
            'd.unidade_executante_cnes',
            'd.profissional_id',
            competencia('d.data'),
        ]) }} as alerta_id,
        d.regra_codigo,
        d.unidade_executante_cnes,
        cast(null as string) as procedimento_codigo,
        d.profissional_id,
        {{ competencia('d.data') }} as competencia,
        -- quantidades
        cast(sum(d.qtd_vagas) as bigint) as qtd_vagas,
        -- textos
        concat(
            cast(count(distinct d.escala_id) as string),
            ' escala(s) com horário sobreposto em ',
            cast(count(distinct d.data) as string),
            ' dia(s)'
        ) as evidencia
    from dias_de_escala as d
    group by
        d.regra_codigo,
        d.unidade_executante_cnes,
        d.profissional_id,
        {{ competencia('d.data') }}
)

select * from final
