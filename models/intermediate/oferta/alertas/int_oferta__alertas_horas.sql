-- Grain: rule, executing unit, professional, in the last complete month. Rule
-- regra_alertas_da_oferta, criteria 8 to 10; indicator 11.
with horas as (
    select * from {{ ref('int_oferta__horas_por_mes') }}
),

avaliadas as (
    select
        h.competencia,
        h.unidade_executante_cnes,
        h.profissional_id,
        case
            when h.situacao_codigo in ('acima', 'contrato_sem_horas') then 'horas_acima_do_contrato'
            when h.situacao_codigo = 'sem_contrato' then 'oferta_sem_contrato'
            when h.situacao_codigo = 'abaixo' then 'horas_abaixo_do_contrato'
        end as regra_codigo,
        h.qtd_vagas_total - h.qtd_vagas_em_feriado as qtd_vagas,
        h.minutos_ofertados,
        h.minutos_contratados
    from horas as h
    where
        h.competencia = {{ last_complete_month() }}
        -- nothing offered outside holidays: no slots to speak of; unknown minutes may be many
        and coalesce(h.minutos_ofertados, 1) > 0
),

final as (
    select
        -- identificadores
        {{ surrogate_key([
            'a.regra_codigo',
            'a.unidade_executante_cnes',
            'a.profissional_id',
            'a.competencia',
        ]) }} as alerta_id,
        a.regra_codigo,
        a.unidade_executante_cnes,
        cast(null as string) as procedimento_codigo,
        a.profissional_id,
        a.competencia,
        -- quantidades
        cast(
            case a.regra_codigo
                when 'oferta_sem_contrato' then a.qtd_vagas
                when 'horas_acima_do_contrato'
                    then {{ ceil_div(
                        'a.qtd_vagas * (a.minutos_ofertados - a.minutos_contratados)',
                        'a.minutos_ofertados'
                    ) }}
                else {{ int_div(
                    'a.qtd_vagas * (a.minutos_contratados - a.minutos_ofertados)',
                    'a.minutos_ofertados'
                ) }}
            end as bigint
        ) as qtd_vagas,
        -- textos
        concat(
            coalesce(cast({{ int_div('a.minutos_ofertados', 60) }} as string), '?'),
            ' h ofertadas, ',
            coalesce(
                cast({{ int_div('a.minutos_contratados', 60) }} as string) || ' h contratadas',
                'nenhum contrato'
            )
        ) as evidencia
    from avaliadas as a
    where a.regra_codigo is not null
)

select * from final
