-- Grain: executing unit, procedure, professional, month ahead. Slots that schedules about to end
-- would have given after their end. Rule regra_alertas_da_oferta, criterion 3; indicator 15.
{% set aviso = add_days(data_referencia(), setting('alerta_vencimento_dias')) %}
{% set fim = add_days(data_referencia(), setting('alerta_horizonte_dias')) %}

with escalas as (
    select * from {{ ref('int_oferta__escalas') }}
),

ativas as (
    select
        e.escala_id,
        e.unidade_executante_cnes,
        e.procedimento_codigo,
        e.profissional_id,
        e.primeira_ocorrencia as primeira_data,
        e.data_vigencia_final,
        {{ slots_of_a_day('e') }} as qtd_vagas
    from escalas as e
    where e.eh_vigente and e.escala_situacao = 'ATIVA'
),

-- what goes on beyond the notice, and has begun before the slots at stake are over
sucessoras as (
    select
        a.unidade_executante_cnes,
        a.procedimento_codigo,
        a.profissional_id,
        count(*) as qtd_escalas
    from ativas as a
    where
        (a.data_vigencia_final is null or a.data_vigencia_final > {{ aviso }})
        and a.primeira_data <= {{ fim }}
        and a.qtd_vagas is distinct from 0
    group by all
),

vencendo as (
    select
        a.escala_id,
        a.unidade_executante_cnes,
        a.procedimento_codigo,
        a.profissional_id,
        a.primeira_data,
        a.data_vigencia_final,
        a.qtd_vagas
    from ativas as a
    left join sucessoras as s
        on
            a.unidade_executante_cnes = s.unidade_executante_cnes
            and a.procedimento_codigo = s.procedimento_codigo
            and a.profissional_id is not distinct from s.profissional_id
    where
        a.data_vigencia_final >= {{ data_referencia() }}
        and a.data_vigencia_final <= {{ aviso }}
        and a.qtd_vagas is distinct from 0
        and s.qtd_escalas is null
),

dias as (
    select
        v.escala_id,
        v.unidade_executante_cnes,
        v.procedimento_codigo,
        v.profissional_id,
        v.data_vigencia_final,
        v.qtd_vagas,
        {{ explode_days(
            next_weekday(add_days('v.data_vigencia_final', 1), isodow('v.primeira_data')),
            fim,
            7
        ) }} as data
    from vencendo as v
),

final as (
    select
        -- identificadores
        {{ surrogate_key([
            "'escala_vencendo'",
            'd.unidade_executante_cnes',
            'd.procedimento_codigo',
            'd.profissional_id',
            competencia('d.data'),
        ]) }} as alerta_id,
        'escala_vencendo' as regra_codigo,
        d.unidade_executante_cnes,
        d.procedimento_codigo,
        d.profissional_id,
        {{ competencia('d.data') }} as competencia,
        -- quantidades
        cast(sum(d.qtd_vagas) as bigint) as qtd_vagas,
        -- textos
        concat(
            cast(count(distinct d.escala_id) as string),
            ' escala(s) sem sucessora; a última termina em ',
            cast(max(d.data_vigencia_final) as string)
        ) as evidencia
    from dias as d
    group by
        d.unidade_executante_cnes,
        d.procedimento_codigo,
        d.profissional_id,
        {{ competencia('d.data') }}
)

select * from final
